"""Sources in plain text: a numbered list, or paragraphs."""

import re

from refiner.domain import Finding
from refiner.formats import tool_output
from refiner.formats.sources.found_source import FoundSource
from refiner.text import sentences

_BRACKETED = re.compile(r"[ \t]*+\[([^\[\]\s]{1,64})\][:.]?(?=\s|[^\W\d_]|$)[ \t]*+")
_NUMBERED = re.compile(r"[ \t]*+([0-9]{1,3})[.)](?=\s|$)[ \t]*+")
_HEADING = re.compile(
    r"[#*\s]*+(?:sources|references|bibliography|literature|.{0,60}:)[#*:\s]*+", re.IGNORECASE
)
_MAX_TITLE = 200


def listed_sources(text: str) -> list[FoundSource] | None:
    """The items of ``[1] …`` or ``1. …``. None unless the text begins with one, or with a heading for them."""
    rows = text.splitlines()
    filled = [index for index, row in enumerate(rows) if row.strip()]
    heading = bool(filled) and _HEADING.fullmatch(rows[filled[0]]) is not None
    marker = begin = None
    for index in filled[: 1 + heading]:
        for shape in (_BRACKETED, _NUMBERED):
            if marker is None and shape.match(rows[index]):
                marker, begin = shape, index
    if marker is None or begin is None:
        return None
    items: list[tuple[int, str, list[str]]] = []
    for line, row in enumerate(rows[begin:], begin + 1):
        match = marker.match(row)
        if match:
            items.append((line, match[1], [row[match.end() :]]))
        else:
            items[-1][2].append(row)
    return [_item(line, one, "\n".join(body).strip()) for line, one, body in items]


def _item(line: int, one: str, body: str) -> FoundSource:
    title, url, text, labelled = tool_output.labelled_fields(body)
    if not labelled:
        title, text = _split_title(body)
    return FoundSource(line, one, text, title, url)


def _split_title(body: str) -> tuple[str, str]:
    """``Title. text``, or a title on its own line. There is no title if nothing would be left for the text."""
    first, _, rest = body.partition("\n")
    if len(first) < _MAX_TITLE and first[-1:].isalnum() and rest.lstrip()[:1].isupper():
        return first.strip(), rest.strip()
    begun = sentences.split(body[: 2 * _MAX_TITLE].replace("\n", " "))
    end = begun[0].end if begun else 0
    text = body[end:].strip()
    if not text or end > _MAX_TITLE:
        return "", body
    return body[:end].strip().removesuffix(".").replace("\n", " "), text


def paragraph_sources(text: str, findings: list[Finding]) -> list[FoundSource]:
    """Each paragraph as a source, with a finding that says so."""
    raws: list[FoundSource] = []
    paragraph: list[str] = []
    for line, row in enumerate((*text.splitlines(), ""), 1):
        if row.strip():
            paragraph.append(row)
        elif paragraph:
            raws.append(FoundSource(line - len(paragraph), "", "\n".join(paragraph)))
            paragraph = []
    if raws:
        message = "No shape was recognised: each paragraph was read as one source."
        findings.append(Finding("no_shape", message, raws[0].line))
    return raws
