"""Where in the evidence a word would stand: the words around it in the statement, looked for around a place there."""

from bisect import bisect_left
from collections.abc import Callable, Mapping

from refiner.judges.prepared import COMMON, Prepared

Rarity = Callable[[str], float]

NEAR = 12  # words on each side that are a word's context
_DECAY = 3  # words after which a neighbour counts half
_FAR = 99


def context(text: Prepared, at: int, rarity: Rarity) -> dict[str, float]:
    """The stems around the word ``at``, common ones left out; rare and near ones weigh more."""
    near: dict[str, float] = {}
    for other in range(max(0, at - NEAR), min(len(text.words), at + NEAR + 1)):
        word = text.words[other]
        if word.stem != text.words[at].stem and word.folded not in COMMON:
            weight = rarity(word.stem) / (1 + abs(other - at) / _DECAY)
            near[word.stem] = max(near.get(word.stem, 0.0), weight)
    return near


def fit(near: Mapping[str, float], evidence: Prepared, at: int) -> float:
    """The weight of ``near`` that stands around the word ``at`` of the evidence, nearer words counting more."""
    total = 0.0
    for stem, weight in near.items():
        distance = _distance(evidence.places.get(stem, ()), at)
        if distance <= 2 * NEAR:
            total += weight / (1 + distance / _DECAY)
    return total


def _distance(places: tuple[int, ...], at: int) -> int:
    found = bisect_left(places, at)
    around = [abs(places[one] - at) for one in (found - 1, found, found + 1) if 0 <= one < len(places)]
    return min((one for one in around if one), default=_FAR)
