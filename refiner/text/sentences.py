"""Where sentences begin and end. The one place that knows the segmenter (sentencex, rule-based)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import sentencex

_LINE = re.compile(r"[^\r\n]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_WINDOW = 4000
"""Characters that the segmenter reads at a time, because it takes quadratic time on unbalanced quotes."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence without surrounding white space: ``text == whole[start:end]``."""

    text: str
    start: int
    end: int


def split(text: str) -> tuple[Sentence, ...]:
    """The sentences of ``text`` in order. None crosses a line break, and white space between them is left out.

    A bracketed citation after the full stop (``… found. [1]``) stays with its sentence. The rules are English's, plus
    every script's own full stops, so German and Chinese split too.
    """
    found = []
    for line in _LINE.finditer(text):
        for start, end in _boundaries(text, line.start(), line.end()):
            inner = text[start:end].strip()
            if inner:
                first = start + text[start:end].index(inner)
                found.append(Sentence(inner, first, first + len(inner)))
    return tuple(found)


def _boundaries(text: str, at: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentences of one line. A window's edge may cut its last sentence, so the next window begins with it."""
    while at < end:
        window = _SURROGATE.sub(
            "?", text[at : min(at + _WINDOW, end)]
        )  # the segmenter takes valid UTF-8 only
        pieces = [
            (one["start_index"], one["end_index"]) for one in sentencex.get_sentence_boundaries("en", window)
        ]
        if at + _WINDOW < end and len(pieces) > 1:
            pieces.pop()
        yield from ((at + first, at + last) for first, last in pieces)
        at = at + pieces[-1][1] if pieces and pieces[-1][1] > 0 else end
