"""Compares draft and refined answer: aligns sentences first, then the words inside each pair.

Sentences are compared as sequences of words (rapidfuzz, Indel similarity) and aligned in order by dynamic programming.
Sentences that are left over on both sides and much alike have moved. A citation is one token, equal to another with
the same ids in any order.
"""

import re
from bisect import bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Indel

from refiner.domain import Answer, Change, Claim, Token
from refiner.text import sentences
from refiner.text.words import UNSPACED_SCRIPTS

_WORD = re.compile(rf"\s+|[{UNSPACED_SCRIPTS}][^\w\s]*\s*|[^\s{UNSPACED_SCRIPTS}]+\s*")
_NO_WORD = re.compile(r"[\W_]+")
_MIN_SIMILARITY = 40.0  # per cent of shared words from which on two sentences are versions of one
_MIN_SIMILARITY_MOVED = 75.0  # the same for sentences that stand elsewhere
_MAX_COMPARISONS = 250_000  # pairs of sentences, one of each side, that are compared


@dataclass(frozen=True, slots=True)
class Counts:
    """What changed. A sentence can be ``edited`` and ``moved``. A citation whose ids changed is ``recited``."""

    kept: int = 0
    edited: int = 0
    added: int = 0
    removed: int = 0
    moved: int = 0
    citations_added: int = 0
    citations_removed: int = 0
    recited: int = 0


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence as strings, one character for each different thing: ``keys`` for its tokens, ``words`` for its bare words."""

    tokens: tuple[Token, ...]
    paragraph: bool
    keys: str
    words: str


class _Alphabet:
    """Gives every different thing a character of its own, so that rapidfuzz compares words as it compares letters.

    Rapidfuzz takes every code point, lone surrogates and NUL included.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, str] = {}

    def spell(self, things: Sequence[Hashable]) -> str:
        return "".join(self._known.setdefault(thing, chr(len(self._known))) for thing in things)


def compare(draft: Answer, refined: Answer) -> tuple[Change, ...]:
    """The changes in the order of ``refined``, with removed sentences where they stood.

    Together the draft tokens of all changes are all words and citations of the draft. The same holds for refined.
    """
    alphabet = _Alphabet()
    left, right = _sentences(draft, alphabet), _sentences(refined, alphabet)
    pairs = _align(left, right)
    moved = _find_moved(left, right, pairs)
    taken = {*pairs.values(), *moved.values()}
    until_pair = [len(left)]  # by place in `right`, from the last: where its next pair stands in `left`
    for number in reversed(range(len(right))):
        until_pair.append(pairs.get(number, until_pair[-1]))
    changes: list[Change] = []
    at = 0
    for number, sentence in enumerate(right):
        until = until_pair.pop()
        changes += [_unpaired("removed", left[n]) for n in range(at, until) if n not in taken]
        at = until
        if number in pairs or number in moved:
            partner = left[pairs[number] if number in pairs else moved[number]]
            changes.append(_pair(partner, sentence, moved=number in moved))
        else:
            changes.append(_unpaired("added", sentence))
    changes += [_unpaired("removed", left[n]) for n in range(at, len(left)) if n not in taken]
    return tuple(changes)


def count(changes: Sequence[Change]) -> Counts:
    """What changed, in numbers."""
    kinds = [change.kind for change in changes]
    added = [sum(bool(token.ids) and token.changed for token in change.refined) for change in changes]
    removed = [sum(bool(token.ids) and token.changed for token in change.draft) for change in changes]
    recited = sum(map(min, added, removed))
    return Counts(
        kept=kinds.count("same"),
        edited=kinds.count("edited"),
        added=kinds.count("added"),
        removed=kinds.count("removed"),
        moved=sum(change.moved for change in changes),
        citations_added=sum(added) - recited,
        citations_removed=sum(removed) - recited,
        recited=recited,
    )


def _sentences(answer: Answer, alphabet: _Alphabet) -> list[_Sentence]:
    text = answer.text
    found = sentences.split(text)
    starts = [sentence.start for sentence in found]
    befores = [0, *(sentence.end for sentence in found)]
    groups: list[list[Token]] = [[] for _ in starts]
    for at, token in _tokens(answer):
        if groups:
            groups[max(0, bisect_right(starts, at) - 1)].append(token)
    return [
        _Sentence(
            tuple(tokens),
            paragraph=not before or "\n" in text[before:start],
            keys=alphabet.spell([frozenset(token.ids) or token.text.rstrip() for token in tokens]),
            words=alphabet.spell([word for token in tokens if (word := _bare(token.text))]),
        )
        for before, start, tokens in zip(befores, starts, groups, strict=False)
        if tokens
    ]


def _tokens(answer: Answer) -> list[tuple[int, Token]]:
    """Words with the position where each begins. A citation follows the word in which its claim ends."""
    cited: list[tuple[int, Token]] = []
    at = 0
    for part in answer.parts:
        at += len(part.text)
        if isinstance(part, Claim):
            cited.append((at, Token("", part.ids, claim=len(cited))))
    tokens: list[tuple[int, Token]] = []
    for match in _WORD.finditer(answer.text):
        tokens.append((match.start(), Token(match[0])))
        while cited and cited[0][0] <= match.end():
            tokens.append((match.start(), cited.pop(0)[1]))
    return tokens


def words(text: str) -> list[str]:
    """The bare words of a text, case-folded. In scripts without blanks each character is a word."""
    found = (_bare(match[0]) for match in _WORD.finditer(text))
    return [word for word in found if word]


def _bare(text: str) -> str:
    return _NO_WORD.sub("", text.casefold())


def _align(left: Sequence[_Sentence], right: Sequence[_Sentence]) -> dict[int, int]:
    """The partner in ``left`` of each sentence of ``right`` that has one, in the same order. Equal sentences come first."""
    alphabet = _Alphabet()
    same = Indel.opcodes(alphabet.spell([s.keys for s in left]), alphabet.spell([s.keys for s in right]))
    pairs: dict[int, int] = {}
    gap = (0, 0)
    blocks = [*(block for block in same if block.tag == "equal"), None]
    for block in blocks:
        end = (block.src_start, block.dest_start) if block else (len(left), len(right))
        pairs |= _align_between(left, right, (gap[0], end[0]), (gap[1], end[1]))
        if block:
            size = block.src_end - block.src_start
            pairs |= {block.dest_start + n: block.src_start + n for n in range(size)}
            gap = (block.src_end, block.dest_end)
    return pairs


def _align_between(
    left: Sequence[_Sentence], right: Sequence[_Sentence], rows: tuple[int, int], columns: tuple[int, int]
) -> dict[int, int]:
    """The order-preserving pairs of the highest total similarity between two equal stretches."""
    similar = _similarities(left[slice(*rows)], right[slice(*columns)], _MIN_SIMILARITY)
    if not similar:
        return {}
    width = len(similar[0])
    best = [[0.0] * (width + 1) for _ in range(len(similar) + 1)]
    for i, row in enumerate(similar, 1):
        above, here = best[i - 1], best[i]
        for j, value in enumerate(row, 1):
            here[j] = max(above[j], here[j - 1], above[j - 1] + value)
    pairs = {}
    i, j = len(similar), width
    while i and j:
        if best[i][j] == best[i - 1][j]:
            i -= 1
        elif best[i][j] == best[i][j - 1]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs[columns[0] + j] = rows[0] + i
    return pairs


def _find_moved(
    left: Sequence[_Sentence], right: Sequence[_Sentence], pairs: dict[int, int]
) -> dict[int, int]:
    """Pairs of sentences that are left over on both sides and much alike, the most similar pairs first."""
    rows = sorted(set(range(len(left))) - set(pairs.values()))
    columns = [n for n in range(len(right)) if n not in pairs]
    similar = _similarities([left[n] for n in rows], [right[n] for n in columns], _MIN_SIMILARITY_MOVED)
    found = sorted(
        (-value, column, row)
        for row, values in zip(rows, similar, strict=False)
        for column, value in zip(columns, values, strict=True)
        if value
    )
    moved: dict[int, int] = {}
    gone: set[int] = set()
    for _, column, row in found:
        if column not in moved and row not in gone:
            moved[column] = row
            gone.add(row)
    return moved


def _similarities(left: Sequence[_Sentence], right: Sequence[_Sentence], cutoff: float) -> list[list[float]]:
    """Per cent of shared words for each pair, 0 below ``cutoff``. Empty where there are too many pairs, or none."""
    if len(left) * len(right) > _MAX_COMPARISONS:
        return []
    ratios = process.cdist(
        [one.words for one in left], [one.words for one in right], scorer=fuzz.ratio, score_cutoff=cutoff
    )
    values: list[list[float]] = ratios.tolist()
    return values


def _unpaired(kind: str, sentence: _Sentence) -> Change:
    tokens = tuple(map(_changed, sentence.tokens))
    if kind == "added":
        return Change("added", (), tokens, paragraph=sentence.paragraph)
    return Change("removed", tokens, (), paragraph=sentence.paragraph)


def _changed(token: Token) -> Token:
    return Token(token.text, token.ids, changed=True, claim=token.claim)


def _pair(draft: _Sentence, refined: _Sentence, *, moved: bool) -> Change:
    if draft.keys == refined.keys:
        return Change("same", draft.tokens, refined.tokens, moved, refined.paragraph)
    before, after = list(draft.tokens), list(refined.tokens)
    for code in Indel.opcodes(draft.keys, refined.keys):
        if code.tag != "equal":
            for tokens, start, end in (
                (before, code.src_start, code.src_end),
                (after, code.dest_start, code.dest_end),
            ):
                tokens[start:end] = map(_changed, tokens[start:end])
    return Change("edited", tuple(before), tuple(after), moved, refined.paragraph)
