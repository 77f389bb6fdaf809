"""A source as it was found in a text, before its id is made safe."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FoundSource:
    """A source as it was found at a line. A source with an empty ``id`` will be numbered."""

    line: int
    id: str
    text: str
    title: str = ""
    url: str = ""


class LineCounter:
    """The lines of positions that are asked for in rising order. Every line break is counted once."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._line = text, 0, 1

    def at(self, place: int) -> int:
        """The line of a position that is not before the last one asked for."""
        self._line += self._text.count("\n", self._at, place)
        self._at = place
        return self._line
