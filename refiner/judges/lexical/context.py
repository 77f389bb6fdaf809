"""How well a position in the evidence fits a word of the statement: whether the same words stand around both."""

from bisect import bisect_left
from collections.abc import Callable, Mapping

from refiner.judges.lexical.prepared_text import COMMON, PreparedText

Rarity = Callable[[str], float]
Context = Mapping[str, tuple[float, int]]
"""A stem around a word → its weight and its distance in words."""

_CONTEXT_WORDS = 12  # words on each side that are a word's context
_HALF_WEIGHT_DISTANCE = 3  # words of distance at which a neighbour counts half
_OUT_OF_REACH = 99


def context(text: PreparedText, at: int, rarity: Rarity) -> Context:
    """The stems around the word ``at`` in its sentence, common ones left out; rare and near ones weigh more."""
    near: dict[str, tuple[float, int]] = {}
    for other in range(max(0, at - _CONTEXT_WORDS), min(len(text.words), at + _CONTEXT_WORDS + 1)):
        word, distance = text.words[other], abs(other - at)
        same = word.sentence == text.words[at].sentence and word.stem != text.words[at].stem
        if same and word.folded not in COMMON:
            weight = rarity(word.stem) / (1 + distance / _HALF_WEIGHT_DISTANCE)
            near[word.stem] = max(near.get(word.stem, (0.0, 0)), (weight, distance))
    return near


def fit(near: Context, evidence: PreparedText, at: int) -> float:
    """From 0 to 1: 1 where all of ``near`` stands around the word ``at`` of the evidence, as close as it does there."""
    total = sum(weight for weight, _ in near.values())
    found = sum(
        weight / (1 + max(0, beside - distance) / _HALF_WEIGHT_DISTANCE)
        for stem, (weight, distance) in near.items()
        if (beside := _distance(evidence.places.get(stem, ()), at)) < _OUT_OF_REACH
    )
    return found / total if total else 0.0


def _distance(places: tuple[int, ...], at: int) -> int:
    found = bisect_left(places, at)
    around = [abs(places[one] - at) for one in (found - 1, found, found + 1) if 0 <= one < len(places)]
    return min((one for one in around if one), default=_OUT_OF_REACH)
