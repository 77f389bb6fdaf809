"""Finds words that turn a statement round: negations and opposites that the evidence does not have.

Each check compares a word with the position in the evidence that its context points to. It reads wording alone. What is
said in other words ("lacks" for "does not have") is covered by word lists, and no further.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

from refiner.judges.lexical.context import Rarity, context, fit
from refiner.judges.lexical.prepared_text import COMMON, PreparedText, stem, word_list

_ANTONYMS = Path(__file__).with_name("antonyms.txt")
_SCOPE_WORDS = 4  # content words after a negation that it is about
_SCOPE_REACH = 8  # words after it among which they stand
_NEAREST_SHARE = 0.8  # of the best sentence's share of the statement; sentences with less are not looked at
_MIN_FIT = 0.25
"""How well a negation's context must fit a position for both to say the same. Chosen in training, as all values here."""
_MIN_FIT_DROPPED, _MIN_SCOPE_SHARED = 0.4, 0.67
"""The same for the evidence's negations, and the share of their scope that the statement must have."""
_ANSWER_REACH = 12  # words from that position within which a negation in the evidence answers the statement's
_MIN_FIT_OPPOSITE = (0.35, 0.5)
"""How well an opposite must fit a word's position if the evidence has the word nowhere, and if it has it."""
_MIN_FIT_GAIN = 0.1  # and by how much better than the word itself
_MAX_POSITIONS = 40  # positions of one word that are looked at
_CUES = word_list("not no never none nobody nothing nowhere neither nor cannot without unable impossible")
_NO_CUES = word_list("only just merely necessarily")  # "not only" says more, not less
_NEGATIVE = _CUES | word_list(
    "hardly barely rarely seldom lack lacks lacked lacking fail fails failed failing absence absent deny denies "
    "denied refuse refuses refused prevent prevents prevented avoid avoids avoided false myth unlikely instead "
    "rather unclear unknown except against abstinence prohibition prohibit prohibits prohibited ban bans banned "
    "decline declines declined turned stop stopped end ended eliminate eliminated lose lost missing non outside "
    "little few hard difficult"
)
_RISE = "increase rise rose risen grow grew growth gain raise higher more greater boost expand climb improve upward"
_FALL = (
    "decrease fall fell fallen decline drop reduce reduction lower less fewer lessen shrink shrank diminish worsen "
    "downward"
)
_WITHOUT_OPPOSITE = (COMMON | {"yes", "no"}) - word_list("after all before more most over through under")
"""Words without an opposite that tells something."""


@dataclass(frozen=True, slots=True)
class Opposite:
    """A word of the statement, and the opposite that the evidence has in its place; a direction is up or down."""

    word: str
    instead: str
    direction: bool


def negations(statement: PreparedText, evidence: PreparedText, rarity: Rarity) -> tuple[str, ...]:
    """The statement's negations, as written, that have none beside them where the evidence says the same."""
    cues = [at for at in range(len(statement.words)) if _is_cue(statement, at)]
    if not cues:
        return ()
    there = [at for at in range(len(evidence.words)) if is_negative(evidence, at)]
    top = _nearest(statement, evidence, rarity)
    answers = [_scope(evidence, at) for at in there if evidence.words[at].sentence in top]
    found = []
    for at in cues:
        scope, near = _scope(statement, at), context(statement, at, rarity)
        places = [place for one in sorted(scope) for place in evidence.places.get(one, ())][:_MAX_POSITIONS]
        best, place = max(((fit(near, evidence, place), place) for place in places), default=(0.0, 0))
        answered = any(scope & answer for answer in answers) or _has_negation_nearby(evidence, place, there)
        if best >= _MIN_FIT and not answered:
            found.append(statement.words[at].text)
    return tuple(found)


def dropped(statement: PreparedText, evidence: PreparedText, rarity: Rarity) -> tuple[str, ...]:
    """The evidence's negations, as written, where it says what the statement says with none."""
    if any(is_negative(statement, at) for at in range(len(statement.words))):
        return ()
    top = _nearest(statement, evidence, rarity)
    found = []
    for at, word in enumerate(evidence.words):
        if word.sentence in top and _is_cue(evidence, at):
            scope, near = _scope(evidence, at), context(evidence, at, rarity)
            places = [place for one in sorted(scope) for place in statement.places.get(one, ())]
            shared = len(scope & statement.places.keys())
            said = shared > 1 and shared >= _MIN_SCOPE_SHARED * len(scope)
            if said and max(fit(near, statement, place) for place in places) >= _MIN_FIT_DROPPED:
                found.append(word.text)
    return tuple(found)


def opposites(statement: PreparedText, evidence: PreparedText, rarity: Rarity) -> tuple[Opposite, ...]:
    """The statement's words in whose context the evidence has an opposite (WordNet's antonyms) and not them."""
    there: dict[str, list[int]] = {}
    for at, word in enumerate(evidence.words):
        for form in _forms(word.folded):
            there.setdefault(form, []).append(at)
    mine = {form for word in statement.words for form in _forms(word.folded)}
    found = []
    for at, word in enumerate(statement.words):
        forms = (
            []
            if word.folded in _WITHOUT_OPPOSITE
            else [form for form in _forms(word.folded) if form in antonyms()]
        )
        against = {one for form in forms for one in antonyms()[form]} - mine - _WITHOUT_OPPOSITE
        places = [place for one in sorted(against) for place in there.get(one, ())][:_MAX_POSITIONS]
        if places:
            near = context(statement, at, rarity)
            own = [place for form in forms for place in there.get(form, ())][:_MAX_POSITIONS]
            here = max((fit(near, evidence, place) for place in own), default=0.0)
            best, place = max((fit(near, evidence, place), place) for place in places)
            if best >= _MIN_FIT_OPPOSITE[bool(own)] and best - here > _MIN_FIT_GAIN:
                instead = evidence.words[place].text
                found.append(
                    Opposite(word.text, instead, _changes_direction(word.folded, instead.casefold()))
                )
    return tuple(found)


@cache
def antonyms() -> Mapping[str, frozenset[str]]:
    """A stem, and the stems of its antonyms: WordNet's (the file says under which licence), and rise against fall."""
    lines = _ANTONYMS.read_text(encoding="utf-8").splitlines()
    pairs = [tuple(map(stem, line.split())) for line in lines if not line.startswith("#")]
    found: dict[str, set[str]] = {}
    for one, other in (*pairs, *product(*map(_stems, (_RISE, _FALL)))):
        if one != other:
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return {one: frozenset(others) for one, others in found.items()}


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(stem, words.split()))


def _changes_direction(one: str, other: str) -> bool:
    """Whether one of the two goes up and the other down."""
    up, down = _stems(_RISE), _stems(_FALL)
    return (stem(one) in up and stem(other) in down) or (stem(one) in down and stem(other) in up)


def _forms(folded: str) -> Iterator[str]:
    """The stem, and for a comparative or superlative the adjective's: "larger" is one of "large"."""
    yield stem(folded)
    for ending in ("er", "est"):
        if len(folded) > len(ending) + 2 and folded.endswith(ending):
            base = folded.removesuffix(ending)
            yield stem(base)
            yield stem(base + "e")
            if base[-1:] == base[-2:-1]:
                yield stem(base[:-1])
            if base.endswith("i"):
                yield stem(base[:-1] + "y")


def is_negative(text: PreparedText, at: int) -> bool:
    """Whether the word ``at`` is a negation, or says one ("lacks", "hardly")."""
    return _is_among(text, at, _NEGATIVE)


def _is_cue(text: PreparedText, at: int) -> bool:
    """A negation, but not "not only", and neither "No. 4" nor "No," at the head of an answer."""
    word, following = text.words[at], text.words[at + 1].folded if at + 1 < len(text.words) else ""
    spoken = word.folded != "no" or word.after == " "
    return _is_among(text, at, _CUES) and following not in _NO_CUES and spoken


def _is_among(text: PreparedText, at: int, words: frozenset[str]) -> bool:
    folded = text.words[at].folded
    return folded in words or folded.endswith(("n't", "n’t"))


def _scope(text: PreparedText, at: int) -> frozenset[str]:
    """The stems that a negation is about: those of the next content words of its sentence."""
    sentence = text.words[at].sentence
    after = [word for word in text.words[at + 1 : at + 1 + _SCOPE_REACH] if word.sentence == sentence]
    content = [word.stem for word in after if word.folded not in COMMON]
    return frozenset(content[:_SCOPE_WORDS])


def _has_negation_nearby(evidence: PreparedText, place: int, negations: list[int]) -> bool:
    sentence = evidence.words[place].sentence if evidence.words else 0
    near = (at for at in negations if abs(at - place) <= _ANSWER_REACH)
    return any(evidence.words[at].sentence == sentence for at in near)


def _nearest(statement: PreparedText, evidence: PreparedText, rarity: Rarity) -> frozenset[int]:
    """The sentences of the evidence that have most of the statement's words, rare ones weighing more."""
    share: dict[int, float] = {}
    for one in {word.stem for word in statement.words if word.folded not in COMMON}:
        for sentence in {evidence.words[at].sentence for at in evidence.places.get(one, ())}:
            share[sentence] = share.get(sentence, 0.0) + rarity(one)
    best = max(share.values(), default=0.0)
    return frozenset(sentence for sentence, value in share.items() if value >= _NEAREST_SHARE * best)
