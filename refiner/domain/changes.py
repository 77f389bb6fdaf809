"""What changed between two answers."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Token:
    """A word with the white space after it, or one whole citation. A citation has ``ids`` and no ``text``.

    ``claim`` is the number of a citation's claim in its answer, from 0.
    """

    text: str
    ids: tuple[str, ...] = ()
    changed: bool = False
    claim: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A pair of aligned sentences, or one alone: ``draft`` is empty if it was added, ``refined`` if it was removed.

    ``changed`` on a token marks words that only this side has. ``moved`` says that the sentence stands elsewhere in the
    order than its partner did. It may be edited as well. ``paragraph`` says that the sentence begins a new line of its
    side's text.
    """

    kind: Literal["same", "edited", "added", "removed"]
    draft: tuple[Token, ...]
    refined: tuple[Token, ...]
    moved: bool = False
    paragraph: bool = False
