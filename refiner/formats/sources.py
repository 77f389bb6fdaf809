"""Reads sources from what people paste: tool output, numbered lists, JSON, JSON lines, a table, plain text.

Raises on no text. Everything odd is a finding that names its line: ``no_shape`` (plain paragraphs), ``unknown_shape``,
``broken_json``, ``empty_text``, ``duplicate``, ``renamed``, ``unclosed_source``, ``outside_sources``, ``no_sources``,
``more`` (above fifty findings).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from refiner.domain import Finding, Source
from refiner.formats import tool_output
from refiner.formats.tags import MAX_ID_LENGTH, line_of, safe_id
from refiner.formats.tool_output import Block
from refiner.text import sentences

_TEXT_KEYS = ("text", "content", "snippet", "abstract", "passage")
_BRACKETED = re.compile(r"[ \t]*+\[([^\[\]\s]{1,64})\][:.]?(?=\s|[^\W\d_]|$)[ \t]*+")
_NUMBERED = re.compile(r"[ \t]*+([0-9]{1,3})[.)](?=\s|$)[ \t]*+")
_HEADING = re.compile(
    r"[#*\s]*+(?:sources|references|bibliography|literature|.{0,60}:)[#*:\s]*+", re.IGNORECASE
)
_MAX_TITLE = 200
_MAX_FINDINGS = 50

Result = tuple[tuple[Source, ...], tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class _FoundSource:
    """A source as it was found at a line. A source with an empty ``id`` will be numbered."""

    line: int
    id: str
    text: str
    title: str = ""
    url: str = ""


def read(text: str) -> Result:
    """The sources in a pasted text of any shape that is read, and what was odd about it."""
    findings: list[Finding] = []
    text = text.removeprefix("\ufeff")
    raws: Iterable[_FoundSource] | None = None
    if text.lstrip()[:1] in {"{", "["}:
        raws = _json(text, findings)
    if raws is None and tool_output.holds_sources(text):
        raws = _tagged(text, findings)
    if raws is None:
        raws = _list(text)
    if raws is None:
        raws = _paragraphs(text, findings)
    return _finish(raws, findings)


def from_rows(rows: Sequence[Sequence[str]]) -> Result:
    """The sources of a table with the columns id, title, text, url. Blank rows are skipped."""
    raws = []
    for line, row in enumerate(rows, 1):
        cells = ["" if cell is None else str(cell).strip() for cell in (*row, "", "", "", "")]
        if any(cells):
            raws.append(_FoundSource(line, cells[0], cells[2], cells[1], cells[3]))
    return _finish(raws, [])


def from_objects(objects: Sequence[Mapping[str, object]]) -> Result:
    """The sources of objects with ``id``, ``title``, ``text`` and ``url``. A finding's line is the object's number.

    ``content``, ``snippet``, ``abstract`` or ``passage`` can stand for ``text``. A source without an id is numbered.
    """
    findings: list[Finding] = []
    return _finish(_objects(enumerate(objects, 1), findings), findings)


def split_draft(draft: str) -> tuple[str, tuple[Source, ...], tuple[Finding, ...]]:
    """Split a draft that carries its own tool output into prose and sources, and say what was odd.

    Sources come from raw tool output only, never from what a model wrote: not from ``<think>`` or ``<answer>``. A bare
    ``<snippet id=…>`` is a source only if the draft has an answer block besides, or the snippet holds metadata lines.
    Otherwise it is the draft's own claim. The prose is the last answer block, tags included, if there is one. A draft
    without tool output comes back as it is.
    """
    findings: list[Finding] = []
    parted = tool_output.split_draft(draft)
    raws = _from_blocks(draft, parted.blocks, findings)
    if parted.left_out is not None:
        line = line_of(draft, parted.left_out)
        findings.append(
            Finding("outside_answer", "The draft has an answer block; text around it was left out.", line)
        )
    return (parted.prose, *_finish(raws, findings))


# --- shapes ----------------------------------------------------------------------------------------


def _tagged(text: str, findings: list[Finding]) -> list[_FoundSource]:
    scan = tool_output.scan(text)
    raws = _from_blocks(text, scan.blocks, findings)
    outside = tool_output.first_outside(text, scan)
    if outside is not None:
        line = line_of(text, outside)
        findings.append(Finding("outside_sources", "Text outside the source blocks was left out.", line))
    if not scan.blocks:
        message = "No source was found: what a model thinks or answers is not one."
        findings.append(Finding("no_sources", message, 1))
    return raws


def _from_blocks(text: str, blocks: Iterable[Block], findings: list[Finding]) -> list[_FoundSource]:
    raws = []
    lines = _Lines(text)
    for block in blocks:
        line = lines.at(block.start)
        if not block.closed:
            message = "A source block is not closed; it was ended at the next tag."
            findings.append(Finding("unclosed_source", message, line))
        raws += [_FoundSource(line, one, block.text, block.title, block.url) for one in block.ids or ("",)]
    return raws


def _json(text: str, findings: list[Finding]) -> list[_FoundSource] | None:
    """The objects of a JSON document or of JSON lines. None if the text is neither, whole or broken."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        if re.match(r'\s*+\{\s*+["}]', text):
            return _json_lines(text, error, findings)
        if re.match(r'\s*+\[\s*+[{"]', text):
            return list(_objects(_elements(text, findings), findings))
        return None
    items = _elements(text, findings) if isinstance(whole, list) else [(1, whole)]
    return list(_objects(items, findings))


def _json_lines(text: str, whole: Exception, findings: list[Finding]) -> list[_FoundSource]:
    items: list[tuple[int, object]] = []
    broken = []
    for line, row in enumerate(text.split("\n"), 1):
        if row.strip():
            try:
                items.append((line, json.loads(row)))
            except (ValueError, RecursionError) as error:
                broken.append(_broken(line, error))
    if not items:  # one broken document, not lines: name the place where it breaks
        broken = [_broken(getattr(whole, "lineno", 1), whole)]
    findings += broken
    return list(_objects(items, findings))


def _elements(text: str, findings: list[Finding]) -> Iterator[tuple[int, object]]:
    """The elements of a JSON list with their lines, up to the first broken one."""
    decode = json.JSONDecoder().raw_decode
    skip = re.compile(r"[\s,]*+")
    lines = _Lines(text)
    at = text.index("[") + 1
    while True:
        blank = skip.match(text, at)
        at = blank.end() if blank else at
        if text[at : at + 1] in {"]", ""}:
            return
        line = lines.at(at)
        try:
            value, at = decode(text, at)
        except (ValueError, RecursionError) as error:
            findings.append(_broken(getattr(error, "lineno", line), error))
            return
        yield line, value


def _broken(line: int, error: Exception) -> Finding:
    why = error.msg if isinstance(error, json.JSONDecodeError) else "too deep or too large"
    return Finding("broken_json", f"This is not valid JSON: {why}.", line)


def _objects(items: Iterable[tuple[int, object]], findings: list[Finding]) -> Iterator[_FoundSource]:
    for line, item in items:
        nested = item.get("sources") if isinstance(item, Mapping) else None
        for one in nested if isinstance(nested, list) else [item]:
            raw = _object(line, one)
            if raw:
                yield raw
            else:
                message = f"This has no text under any of the names {', '.join(_TEXT_KEYS)}."
                findings.append(Finding("unknown_shape", message, line))


def _object(line: int, item: object) -> _FoundSource | None:
    if isinstance(item, str):
        return _FoundSource(line, "", item)
    if not isinstance(item, Mapping):
        return None
    for key in _TEXT_KEYS:
        if key in item and isinstance(item[key], str | None):
            text = item[key] or ""
            return _FoundSource(
                line,
                _scalar_text(item.get("id")),
                text,
                _scalar_text(item.get("title")),
                _scalar_text(item.get("url")),
            )
    return None


def _scalar_text(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _list(text: str) -> list[_FoundSource] | None:
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


def _item(line: int, one: str, body: str) -> _FoundSource:
    title, url, text, labelled = tool_output.labelled_fields(body)
    if not labelled:
        title, text = _split_title(body)
    return _FoundSource(line, one, text, title, url)


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


def _paragraphs(text: str, findings: list[Finding]) -> list[_FoundSource]:
    raws: list[_FoundSource] = []
    paragraph: list[str] = []
    for line, row in enumerate((*text.splitlines(), ""), 1):
        if row.strip():
            paragraph.append(row)
        elif paragraph:
            raws.append(_FoundSource(line - len(paragraph), "", "\n".join(paragraph)))
            paragraph = []
    if raws:
        message = "No shape was recognised: each paragraph was read as one source."
        findings.append(Finding("no_shape", message, raws[0].line))
    return raws


# --- what holds for every shape --------------------------------------------------------------------


class _Lines:
    """The lines of positions that are asked for in rising order. Every line break is counted once."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._line = text, 0, 1

    def at(self, place: int) -> int:
        """The line of a position that is not before the last one asked for."""
        self._line += self._text.count("\n", self._at, place)
        self._at = place
        return self._line


def _finish(raws: Iterable[_FoundSource], findings: list[Finding]) -> Result:
    """Sources with safe ids, each once, none empty, and findings in the order of their lines."""
    found: dict[str, Source] = {}
    counts: dict[str, int] = {}
    for number, raw in enumerate(raws, 1):
        text = raw.text.strip()
        if not text:
            name = f"Source {raw.id!r}" if raw.id else "A source"
            findings.append(Finding("empty_text", f"{name} has no text; it was left out.", raw.line))
            continue
        one = safe_id(raw.id) or str(number)
        if raw.id and one != raw.id:
            findings.append(Finding("renamed", f"The id {raw.id!r} was changed to {one!r}.", raw.line))
        if one in found:
            if found[one].text == text:
                message = f"Source {one!r} is given twice; it was kept once."
                findings.append(Finding("duplicate", message, raw.line))
                continue
            free = _free_id(one, found, counts)
            if raw.id:
                message = f"Another source has the id {one!r}; this one was named {free!r}."
                findings.append(Finding("duplicate", message, raw.line))
            one = free
        found[one] = Source(one, text, raw.title.strip(), raw.url.strip())
    findings.sort(key=lambda finding: finding.line or 0)
    if len(findings) > _MAX_FINDINGS:
        left = len(findings) - _MAX_FINDINGS
        findings[_MAX_FINDINGS:] = [Finding("more", f"There are {left} more oddities.")]
    return tuple(found.values()), tuple(findings)


def _free_id(one: str, found: Mapping[str, Source], counts: dict[str, int]) -> str:
    """``id-2``, ``id-3`` …: the first that no source has, within an id's length."""
    while True:
        counts[one] = counts.get(one, 1) + 1
        ending = f"-{counts[one]}"
        free = one[: MAX_ID_LENGTH - len(ending)] + ending
        if free not in found:
            return free
