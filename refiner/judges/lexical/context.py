"""Where in the evidence a word would stand: the words around it in the statement, looked for around a place there."""

from bisect import bisect_left
from collections.abc import Callable, Mapping

from refiner.judges.lexical.prepared import COMMON, Prepared

Rarity = Callable[[str], float]
Context = Mapping[str, tuple[float, int]]
"""A stem around a word → its weight and its distance in words."""

_NEAR = 12  # words on each side that are a word's context
_DECAY = 3  # words after which a neighbour counts half
_FAR = 99


def context(text: Prepared, at: int, rarity: Rarity) -> Context:
    """The stems around the word ``at`` in its sentence, common ones left out; rare and near ones weigh more."""
    near: dict[str, tuple[float, int]] = {}
    for other in range(max(0, at - _NEAR), min(len(text.words), at + _NEAR + 1)):
        word, distance = text.words[other], abs(other - at)
        same = word.sentence == text.words[at].sentence and word.stem != text.words[at].stem
        if same and word.folded not in COMMON:
            weight = rarity(word.stem) / (1 + distance / _DECAY)
            near[word.stem] = max(near.get(word.stem, (0.0, 0)), (weight, distance))
    return near


def fit(near: Context, evidence: Prepared, at: int) -> float:
    """From 0 to 1: 1 where all of ``near`` stands around the word ``at`` of the evidence, as close as it does there."""
    total = sum(weight for weight, _ in near.values())
    found = sum(
        weight / (1 + max(0, beside - distance) / _DECAY)
        for stem, (weight, distance) in near.items()
        if (beside := _distance(evidence.places.get(stem, ()), at)) < _FAR
    )
    return found / total if total else 0.0


def _distance(places: tuple[int, ...], at: int) -> int:
    found = bisect_left(places, at)
    around = [abs(places[one] - at) for one in (found - 1, found, found + 1) if 0 <= one < len(places)]
    return min((one for one in around if one), default=_FAR)
