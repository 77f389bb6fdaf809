"""Finds what was said of a claim by its citation and the words around it."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from refiner.domain import ClaimSupport, Token


class Lookup:
    """The supports of one answer."""

    def __init__(self, supports: Iterable[ClaimSupport]) -> None:
        self._known: dict[tuple[str, ...], list[tuple[str, int, ClaimSupport]]] = {}
        for row, support in enumerate(supports, 1):
            self._known.setdefault(support.ids, []).append((_words(support.text), row, support))

    def find(self, ids: Sequence[str], sentence: str) -> ClaimSupport | None:
        """The support of the claim with these ids that lies in the sentence, or around it."""
        words = _words(sentence)
        return next((one for text, _, one in self._known.get(tuple(ids), ()) if _meet(text, words)), None)

    def of(self, sentence: Sequence[Token]) -> tuple[ClaimSupport, ...]:
        """What was said of a sentence: of each claim that ends in it, or of the whole where it cites nothing."""
        text = "".join(token.text for token in sentence)
        cited = [self.find(token.ids, text) for token in sentence if token.ids]
        found = cited or [self.uncited(text)]
        return tuple(one for one in found if one is not None)

    def uncited(self, sentence: str) -> ClaimSupport | None:
        """The sentence as one that should cite something, and does not."""
        return self.find((), sentence)

    def bare(self) -> tuple[ClaimSupport, ...]:
        """Every sentence that should cite something, and does not."""
        return tuple(one for _, _, one in self._known.get((), ()))


def _meet(text: str, words: str) -> bool:
    return bool(text and words) and (text in words or words in text)


@lru_cache(maxsize=1024)  # the same sentence is asked about for each of its citations
def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
