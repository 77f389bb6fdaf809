"""Where an answer is in its format: the states of the grammar's automaton. They are immutable."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InText:
    """In running text, inside a claim or outside.

    ``pending`` are the bytes of an unfinished character. ``filled`` says that more than white space stands here.
    ``sentence_ended`` says that the text so far ends a sentence.
    """

    claim: bool
    pending: bytes = b""
    filled: bool = False
    sentence_ended: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of ``options`` is being written, ``at`` bytes of it so far. A finished option leads to its state."""

    options: "tuple[tuple[bytes, State], ...]"
    at: int = 0


@dataclass(frozen=True, slots=True)
class NextIds:
    """A claim's next id is due. The claim has the ids in ``used`` already."""

    used: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NextQuote:
    """The next quoted sentence is due (extractive form), from the groups at ``group`` and after."""

    group: int = 0


@dataclass(frozen=True, slots=True)
class Closed:
    """The answer is closed."""


State = InText | OneOf | NextIds | NextQuote | Closed
