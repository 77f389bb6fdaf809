"""Which sentences of the sources may be quoted where: the candidates of the extractive form.

Each sentence of the draft asks for one quotation. Its candidates are the source sentences that match it
best, those of the sources that it cites first; the groups keep the draft's order. A heuristic, with no model:
the model's part is to pick among the candidates and to stop.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from refiner.domain import Answer, Source
from refiner.formats.answer import defang
from refiner.text import relevance, sentences

CHOICES = 3
"""The most candidates for one sentence of the draft."""

_CITED = 1.5  # a sentence of a source that the draft cites there counts this many times
_LEANING = 0.6  # and one that leans on the sentence before it, which is not quoted, this many
_WEAK = 0.25  # under this share of the score that the draft's sentence has with itself, little is in common
_FEW, _WEAKEST = 3, 0.12  # so many are quoted before that border counts, if they share this much
_NEAR = 0.7  # and one under this share of the best one for its sentence is not offered beside it
_WORDS = range(6, 61)  # shorter is a heading or a fragment, longer a list that the segmenter did not part
_WHOLE = re.compile(
    r"[^\W_a-z].*[.!?。！？][\"'”’)\]]*", re.DOTALL
)  # a capital or a digit first, a stop last
_LEANS = re.compile(
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
    asked = list(_asked(draft))
    index = relevance.Index([text for _, text in candidates] + [text for text, _ in asked])
    scores = [
        _scores(index.scores(text), number, cited, candidates) for number, (text, cited) in enumerate(asked)
    ]
    matched = _matched(scores)
    if not matched:
        return (tuple(candidates[:CHOICES]),)
    offered = _offered(scores, matched)
    found = [
        (scores[number][first], number, tuple(candidates[n] for n in offered[number]))
        for number, first in matched.items()
    ]
    return _affordable(found, count, room)


def _matched(scores: Sequence[Sequence[float]]) -> dict[int, int]:
    """The best candidate of each sentence of the draft, no candidate twice, the best pairs first."""
    pairs = sorted(
        (-score, number, n)
        for number, row in enumerate(scores)
        for n, score in enumerate(row)
        if score >= _WEAKEST
    )
    matched: dict[int, int] = {}
    for minus_score, number, n in pairs:
        enough = -minus_score >= _WEAK or len(matched) < _FEW
        if enough and number not in matched and n not in matched.values():
            matched[number] = n
    return matched


def _offered(scores: Sequence[Sequence[float]], matched: Mapping[int, int]) -> dict[int, list[int]]:
    """What stands beside each match: candidates that nothing else took, where they score about as high."""
    offered = {number: [n] for number, n in matched.items()}
    for n in set(range(len(scores[0]))) - set(matched.values()):
        number = max(matched, key=lambda one: scores[one][n] / scores[one][matched[one]])
        if scores[number][n] >= _NEAR * scores[number][matched[number]] and len(offered[number]) < CHOICES:
            offered[number].append(n)
    return offered


def _candidates(sources: Sequence[Source]) -> Iterator[tuple[str, str]]:
    """Every whole sentence that can stand in a claim, each once."""
    seen: set[str] = set()
    for source in sources:
        for sentence in sentences.split(source.text):
            text = " ".join(defang(sentence.text).split())
            if text not in seen and len(text.split()) in _WORDS and _WHOLE.fullmatch(text):
                seen.add(text)
                yield source.id, text


def _asked(draft: Answer) -> Iterator[tuple[str, frozenset[str]]]:
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
    """Each candidate's share of the score that the draft's sentence has with itself, weighed."""
    whole = ranked[len(candidates) + number] or 1.0
    return [
        score / whole * (_CITED if one in cited else 1.0) * (_LEANING if _LEANS.match(text) else 1.0)
        for score, (one, text) in zip(ranked, candidates, strict=False)
    ]


def _affordable(
    found: Sequence[tuple[float, int, QuoteGroup]], count: Callable[[Sequence[str]], list[int]], room: int
) -> QuoteGroups:
    """The groups that fit, by the cost of their dearest candidate, back in the draft's order."""
    kept: list[tuple[int, QuoteGroup]] = []
    for _, number, group in sorted(found, key=lambda one: (-one[0], one[1])):
        cost = max(count([f" <snippet id={one}>{text}</snippet>" for one, text in group]))
        if cost <= room or not kept:
            room -= cost
            kept.append((number, group))
    return tuple(group for _, group in sorted(kept, key=lambda one: one[0]))
