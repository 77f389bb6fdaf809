"""What changed between two answers."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Token:
    """A word with the blanks after it, or one whole citation (then ``ids`` is not empty, ``text`` is '').

    ``claim`` is the place of a citation's claim among those of its answer.
    """

    text: str
    ids: tuple[str, ...] = ()
    changed: bool = False
    claim: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A pair of aligned sentences, or one alone: ``draft`` is empty when added, ``refined`` when removed.

    ``changed`` on a token marks words only that side has. ``moved`` says the sentence stands elsewhere
    in the order than its partner did; it may be edited as well. ``paragraph`` is true where the
    sentence begins a new line of its side's text.
    """

    kind: Literal["same", "edited", "added", "removed"]
    draft: tuple[Token, ...]
    refined: tuple[Token, ...]
    moved: bool = False
    paragraph: bool = False
