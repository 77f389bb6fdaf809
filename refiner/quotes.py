"""Which sentences of the sources may be quoted where: the candidates of the extractive form.

Each sentence of the draft asks for one quotation. Its candidates are the source sentences that match it
best, those of the sources that it cites first; the groups keep the draft's order. A heuristic, with no model:
the model's part is to pick among the candidates and to stop.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from refiner import evidence, sentences
from refiner.answer import defang
from refiner.domain import Answer, Source

CHOICES = 3
"""The most candidates for one sentence of the draft."""

_CITED = 1.5  # a sentence of a source that the draft cites there counts this many times
_LEANING = 0.6  # and one that leans on the sentence before it, which is not quoted, this many
_WEAK = 0.25  # a candidate scoring under this share of the best one over all has little to do with the draft
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

Group = tuple[tuple[str, str], ...]


def groups(
    draft: Answer, sources: Sequence[Source], count: Callable[[Sequence[str]], list[int]], room: int
) -> tuple[Group, ...]:
    """Groups of (source id, sentence) in the draft's order, best candidate first; no sentence comes twice.

    Only as many as ``room`` tokens hold, the best matching first, but always one where a source has a
    sentence at all. ``count`` gives each text's tokens.
    """
    candidates = list(_candidates(sources))
    if not candidates:
        return ()
    asked = list(_asked(draft))
    index = evidence.Index([text for _, text in candidates])
    scores = [_scores(index.scores(text), cited, candidates) for text, cited in asked]
    best = max((max(row) for row in scores), default=0.0)
    taken: set[int] = set()
    found: list[tuple[float, int, Group]] = []
    for number in sorted(range(len(asked)), key=lambda n: -max(scores[n])):
        row = scores[number]
        fitting = [n for n in range(len(row)) if n not in taken and row[n] > _WEAK * best]
        ranked = sorted(fitting, key=lambda n: (-row[n], n))[:CHOICES]
        chosen = [n for n in ranked if row[n] >= _NEAR * row[ranked[0]]]
        if chosen:
            taken.update(chosen)
            found.append((row[chosen[0]], number, tuple(candidates[n] for n in chosen)))
    if not found:
        return (tuple(candidates[:CHOICES]),)
    return _affordable(found, count, room)


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
    ranked: Sequence[float], cited: frozenset[str], candidates: Sequence[tuple[str, str]]
) -> list[float]:
    return [
        score * (_CITED if one in cited else 1.0) * (_LEANING if _LEANS.match(text) else 1.0)
        for score, (one, text) in zip(ranked, candidates, strict=True)
    ]


def _affordable(
    found: Sequence[tuple[float, int, Group]], count: Callable[[Sequence[str]], list[int]], room: int
) -> tuple[Group, ...]:
    """The groups that fit, by the cost of their dearest candidate, back in the draft's order."""
    kept: list[tuple[int, Group]] = []
    for _, number, group in sorted(found, key=lambda one: (-one[0], one[1])):
        cost = max(count([f" <snippet id={one}>{text}</snippet>" for one, text in group]))
        if cost <= room or not kept:
            room -= cost
            kept.append((number, group))
    return tuple(group for _, group in sorted(kept, key=lambda one: one[0]))
