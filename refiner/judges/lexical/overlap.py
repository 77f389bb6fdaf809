"""Figures of what a statement shares with its evidence: words, pairs of words, their order, what is missing.

This is plain overlap and reads no meaning. The lexical judge weighs these figures.
"""

import math
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

from rapidfuzz.distance import LCSseq

from refiner.judges.lexical.context import Rarity
from refiner.judges.lexical.prepared_text import COMMON, PreparedText

FEATURES = (
    "recall",
    "pairs",
    "window",
    "order",
    "numbers_absent",
    "names_absent",
    "statement_length",
    "evidence_length",
    "evidence_long",
)

_WINDOW_WORDS = 60  # words of the evidence over which a statement's words may be spread
_LONG_EVIDENCE = 300  # words; longer evidence shares many words by chance


def figures(
    statement: PreparedText, evidence: PreparedText, rarity: Rarity, numbers_absent: int, names_absent: int
) -> tuple[float, ...]:
    """The figures in the order of `FEATURES`. Two are counts of what `details` found absent."""
    stems = [word.stem for word in statement.words]
    content = [word.stem for word in statement.words if word.folded not in COMMON] or stems
    pairs = set(pairwise(stems))
    there = set(pairwise(word.stem for word in evidence.words))
    recall = sum(stem in evidence.places for stem in content) / len(content)
    wanted = {stem: rarity(stem) for stem in content}
    start, end = best_window(wanted, evidence)
    near = {word.stem for word in evidence.words[start:end]}
    size = len(evidence.words)
    return (
        recall,
        len(pairs & there) / len(pairs) if pairs else recall,
        sum(weight for stem, weight in wanted.items() if stem in near) / sum(wanted.values()),
        LCSseq.similarity(stems, [word.stem for word in evidence.words]) / len(stems),
        float(numbers_absent > 0),
        math.log1p(names_absent),
        math.log1p(len(stems)),
        math.log1p(size),
        max(0.0, math.log(max(1, size) / _LONG_EVIDENCE)),
    )


def best_window(wanted: Mapping[str, float], evidence: PreparedText) -> tuple[int, int]:
    """The stretch of 60 words or less of the evidence that has most of the weight of ``wanted``."""
    marks = sorted((at, stem) for stem in wanted for at in evidence.places.get(stem, ()))
    inside: Counter[str] = Counter()
    held, first, best = 0.0, 0, (0.0, 0, 0)
    for at, stem in marks:
        held += wanted[stem] * (not inside[stem])
        inside[stem] += 1
        while marks[first][0] <= at - _WINDOW_WORDS:
            left = marks[first][1]
            inside[left] -= 1
            held -= wanted[left] * (not inside[left])
            first += 1
        if held > best[0]:
            best = (held, marks[first][0], at + 1)
    return best[1:]
