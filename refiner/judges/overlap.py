"""What a statement shares with its evidence, in figures from 0 to 1: words, runs of words, numbers, names.

Plain overlap, no meaning: a negation or a swapped name passes unseen. The lexical judge weighs these figures.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from refiner import sentences
from refiner.evidence import words

FEATURES = (
    "recall",
    "weighted_recall",
    "bigram_recall",
    "best_sentence",
    "best_window",
    "order",
    "fuzzy",
    "numbers_absent",
    "names_absent",
    "statement_length",
    "evidence_length",
)
_LONGEST = 20_000  # characters of a text that are looked at
_MOST_SENTENCES = 400
_WINDOW = 3  # sentences in which a claim's words may be spread
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<![.!?:]\s)(?<!^)\b[A-Z][\w'-]+|\b[A-Z]{2,}\w*|\b\w*\d\w*[A-Z]\w*")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by can could did do does for from had has have he her his how i if in "
        "into is it its may might more most no not of on or our she should so some such than that the their them "
        "then there these they this those to was we were what when where which while who will with would you your",
    )
)


@dataclass(frozen=True, slots=True)
class Overlap:
    """The figures in the order of `FEATURES`, and what was missing."""

    figures: tuple[float, ...]
    recall: float
    absent_numbers: tuple[str, ...]
    absent_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Evidence:
    """A text prepared once for all the statements that cite it."""

    stems: frozenset[str]
    bigrams: frozenset[tuple[str, str]]
    sequence: tuple[str, ...]
    parts: tuple[frozenset[str], ...]
    texts: tuple[str, ...]
    numbers: frozenset[str]
    folded: str


def overlap(statement: str, evidence: Sequence[str]) -> Overlap:
    """Compare a statement with all of its evidence together. Raises on no text."""
    statement = statement[:_LONGEST]
    found = _prepare("\n".join(evidence)[:_LONGEST])
    sequence = [_stem(word) for word in words(statement)]
    content = [word for word in sequence if word not in _COMMON] or sequence
    pairs = set(pairwise(sequence))
    numbers = tuple(dict.fromkeys(_plain(match) for match in _NUMBER.findall(statement)))
    names = tuple(dict.fromkeys(_NAME.findall(statement)))
    absent_numbers = tuple(one for one in numbers if one not in found.numbers)
    absent_names = tuple(one for one in names if one.casefold() not in found.folded)
    wanted = set(content)
    shares = [len(wanted & part) / len(wanted) if wanted else 0.0 for part in found.parts]
    windows = [
        frozenset().union(*found.parts[at : at + _WINDOW])
        for at in range(max(1, len(found.parts) - _WINDOW + 1))
    ]
    best = max(range(len(shares)), key=shares.__getitem__, default=None)
    recall = _share(content, found.stems)
    weights = [len(word) for word in content]
    figures = (
        recall,
        sum(w for w, word in zip(weights, content, strict=True) if word in found.stems)
        / max(1, sum(weights)),
        len(pairs & found.bigrams) / len(pairs) if pairs else recall,
        max(shares, default=0.0),
        max((len(wanted & window) / len(wanted) for window in windows), default=0.0) if wanted else 0.0,
        LCSseq.normalized_similarity(sequence, found.sequence)
        * max(1.0, len(found.sequence) / max(1, len(sequence))),
        fuzz.partial_ratio(statement, found.texts[best]) / 100 if best is not None else 0.0,
        len(absent_numbers) / len(numbers) if numbers else 0.0,
        len(absent_names) / len(names) if names else 0.0,
        min(1.0, math.log1p(len(sequence)) / 6),
        min(1.0, math.log1p(len(found.sequence)) / 8),
    )
    return Overlap(figures, recall, absent_numbers, absent_names)


@lru_cache(maxsize=512)
def _prepare(text: str) -> _Evidence:
    split = sentences.split(text)[:_MOST_SENTENCES]
    sequence = tuple(_stem(word) for word in words(text))
    return _Evidence(
        stems=frozenset(sequence),
        bigrams=frozenset(pairwise(sequence)),
        sequence=sequence,
        parts=tuple(frozenset(map(_stem, words(one.text))) for one in split),
        texts=tuple(one.text for one in split),
        numbers=frozenset(map(_plain, _NUMBER.findall(text))),
        folded=text.casefold(),
    )


def _share(wanted: Sequence[str], there: frozenset[str]) -> float:
    return sum(word in there for word in wanted) / len(wanted) if wanted else 0.0


def _stem(word: str) -> str:
    """Without the commonest English endings; the same for both sides is what counts."""
    for ending in ("ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) > 3:  # noqa: PLR2004 - a stem that still tells words apart
            return word[: -len(ending)]
    return word


def _plain(number: str) -> str:
    """1,000 and 1000 are one number; so are 2.0 and 2."""
    whole = re.sub(r",(?=\d{3}\b)", "", number)
    return whole.rstrip("0").rstrip(".") if "." in whole else whole
