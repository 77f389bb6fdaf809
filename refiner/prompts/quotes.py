"""Chooses which sentences of the sources the extractive form may quote, and where.

Each sentence of the draft asks for one quotation. Its candidates are the source sentences that match it best, and
sentences of the sources that it cites come first. The groups keep the draft's order. This is a heuristic without a
model. The model picks among the candidates, and decides when to stop.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from refiner.domain import Answer, Source
from refiner.formats import notation
from refiner.formats.answer import defang
from refiner.text import relevance, sentences

MAX_CANDIDATES = 3
"""The most candidates for one sentence of the draft."""

_CITED_FACTOR = 1.5  # for a sentence of a source that the draft cites there
_LEANING_FACTOR = 0.6  # for a sentence that leans on the one before it, which is not quoted
_MIN_SCORE = (
    0.25  # share of the score that the draft's sentence has with itself; below it little is in common
)
_MIN_QUOTES, _MIN_SCORE_OF_FIRST = (
    3,
    0.12,
)  # so many sentences are quoted with a lower score, down to this one
_MIN_SCORE_BESIDE = 0.7  # share of the best candidate's score from which on another is offered beside it
_WORD_COUNT = range(
    6, 61
)  # shorter is a heading or a fragment, longer a list that the segmenter did not split
_WHOLE_SENTENCE = re.compile(
    r"[^\W_a-z].*[.!?。！？][\"'”’)\]]*", re.DOTALL
)  # a capital or a digit first, a stop last
_LEANS_ON_BEFORE = re.compile(
    r"(?:this|these|those|it|its|they|their|he|she|such|here|there|thus|hence|therefore|however|also|moreover|"
    r"furthermore|additionally|similarly|finally|instead|in (?:addition|contrast|conclusion|particular|summary))\b",
    re.IGNORECASE,
)

QuoteGroup = tuple[tuple[str, str], ...]
QuoteGroups = tuple[QuoteGroup, ...]


def groups(
    draft: Answer, sources: Sequence[Source], count: Callable[[Sequence[str]], list[int]], room: int
) -> QuoteGroups:
    """Groups of (source id, sentence) in the draft's order, best candidate first; no sentence comes twice.

    Only as many as ``room`` tokens hold, the best matching first, but always one where a source has a
    sentence at all. ``count`` gives each text's tokens.
    """
    candidates = list(_candidates(sources))
    if not candidates:
        return ()
    asked = list(_draft_sentences(draft))
    index = relevance.Index([text for _, text in candidates] + [text for text, _ in asked])
    scores = [
        _scores(index.scores(text), number, cited, candidates) for number, (text, cited) in enumerate(asked)
    ]
    matched = _best_matches(scores)
    if not matched:
        return (tuple(candidates[:MAX_CANDIDATES]),)
    offered = _with_alternatives(scores, matched)
    found = [
        (scores[number][first], number, tuple(candidates[n] for n in offered[number]))
        for number, first in matched.items()
    ]
    return _within_budget(found, count, room)


def _best_matches(scores: Sequence[Sequence[float]]) -> dict[int, int]:
    """The best candidate of each sentence of the draft, no candidate twice, the best pairs first."""
    pairs = sorted(
        (-score, number, n)
        for number, row in enumerate(scores)
        for n, score in enumerate(row)
        if score >= _MIN_SCORE_OF_FIRST
    )
    matched: dict[int, int] = {}
    for minus_score, number, n in pairs:
        enough = -minus_score >= _MIN_SCORE or len(matched) < _MIN_QUOTES
        if enough and number not in matched and n not in matched.values():
            matched[number] = n
    return matched


def _with_alternatives(scores: Sequence[Sequence[float]], matched: Mapping[int, int]) -> dict[int, list[int]]:
    """Each match with the candidates that nothing else took and that score about as high."""
    offered = {number: [n] for number, n in matched.items()}
    for n in set(range(len(scores[0]))) - set(matched.values()):
        number = max(matched, key=lambda one: scores[one][n] / scores[one][matched[one]])
        if (
            scores[number][n] >= _MIN_SCORE_BESIDE * scores[number][matched[number]]
            and len(offered[number]) < MAX_CANDIDATES
        ):
            offered[number].append(n)
    return offered


def _candidates(sources: Sequence[Source]) -> Iterator[tuple[str, str]]:
    """Every whole sentence that can stand in a claim, each once."""
    seen: set[str] = set()
    for source in sources:
        for sentence in sentences.split(source.text):
            text = " ".join(defang(sentence.text).split())
            if text not in seen and len(text.split()) in _WORD_COUNT and _WHOLE_SENTENCE.fullmatch(text):
                seen.add(text)
                yield source.id, text


def _draft_sentences(draft: Answer) -> Iterator[tuple[str, frozenset[str]]]:
    """Each sentence of the draft and what it cites."""
    at = 0
    spans = []
    for part in draft.parts:
        spans.append((at, at + len(part.text), getattr(part, "ids", ())))
        at += len(part.text)
    for sentence in sentences.split(draft.text):
        touching = (ids for start, end, ids in spans if start < sentence.end and end > sentence.start)
        yield sentence.text, frozenset(one for ids in touching for one in ids)


def _scores(
    ranked: Sequence[float], number: int, cited: frozenset[str], candidates: Sequence[tuple[str, str]]
) -> list[float]:
    """For each candidate: its share of the score that the draft's sentence has with itself, times the factors."""
    whole = ranked[len(candidates) + number] or 1.0
    return [
        score
        / whole
        * (_CITED_FACTOR if one in cited else 1.0)
        * (_LEANING_FACTOR if _LEANS_ON_BEFORE.match(text) else 1.0)
        for score, (one, text) in zip(ranked, candidates, strict=False)
    ]


def _within_budget(
    found: Sequence[tuple[float, int, QuoteGroup]], count: Callable[[Sequence[str]], list[int]], room: int
) -> QuoteGroups:
    """The groups that fit the budget, each by its longest candidate, in the draft's order."""
    kept: list[tuple[int, QuoteGroup]] = []
    for _, number, group in sorted(found, key=lambda one: (-one[0], one[1])):
        cost = max(count([" " + notation.claim(one, text) for one, text in group]))
        if cost <= room or not kept:
            room -= cost
            kept.append((number, group))
    return tuple(group for _, group in sorted(kept, key=lambda one: one[0]))
