"""Where sentences begin and end; the one place that knows the segmenter (sentencex, rule-based)."""

import re
from dataclasses import dataclass

import sentencex

_LINE = re.compile(r"[^\r\n]+")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence without surrounding blanks: ``text == whole[start:end]``."""

    text: str
    start: int
    end: int


def split(text: str) -> tuple[Sentence, ...]:
    """The sentences of ``text`` in order, never across a line break, blanks between them left out.

    A bracketed citation after the full stop (``… found. [1]``) stays with its sentence. The rules
    are English's plus every script's own full stops, so German and Chinese split too.
    """
    found = []
    for line in _LINE.finditer(text):
        for piece in sentencex.get_sentence_boundaries("en", line[0]):
            start, end = line.start() + piece["start_index"], line.start() + piece["end_index"]
            inner = text[start:end].strip()
            if inner:
                start += text[start:end].index(inner)
                found.append(Sentence(inner, start, start + len(inner)))
    return tuple(found)
