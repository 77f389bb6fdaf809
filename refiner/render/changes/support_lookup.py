"""Finds what was judged of a claim by its place, and of a sentence without citation by its words."""

from collections.abc import Iterable, Sequence

from refiner.diff import words
from refiner.domain import ClaimSupport, Token


class SupportLookup:
    """The supports of one answer. They come in the order of its claims."""

    def __init__(self, supports: Iterable[ClaimSupport] = ()) -> None:
        given = tuple(supports)
        self._cited = [one for one in given if one.ids]
        self._uncited = {_key(one.text): one for one in given if not one.ids}

    def of_claim(self, place: int | None) -> ClaimSupport | None:
        """What was judged of the claim in this place, counted from 0 among the claims that cite."""
        return self._cited[place] if place is not None and place < len(self._cited) else None

    def of_sentence(self, sentence: Sequence[Token]) -> tuple[ClaimSupport, ...]:
        """What was judged of each claim that ends in a sentence, or of the sentence if it cites nothing."""
        cited = [token.claim for token in sentence if token.ids]
        text = "".join(token.text for token in sentence)
        found = [self.of_claim(place) for place in cited] or [self.of_uncited(text)]
        return tuple(one for one in found if one is not None)

    def of_uncited(self, sentence: str) -> ClaimSupport | None:
        """What was judged of a sentence that should cite something but does not. None for other sentences."""
        return self._uncited.get(_key(sentence)) if self._uncited else None


def _key(text: str) -> str:
    return " ".join(words(text))
