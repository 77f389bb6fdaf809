"""Reads sources from what people paste: tool output, numbered lists, JSON, JSON lines, a table, plain text.

Raises on no text. Everything odd is a finding that names its line: ``no_shape`` (plain paragraphs), ``unknown_shape``,
``broken_json``, ``empty_text``, ``duplicate``, ``renamed``, ``unclosed_source``, ``outside_sources``, ``no_sources``,
``more`` (above fifty findings).
"""

from collections.abc import Iterable, Mapping, Sequence

from refiner.domain import Finding, Source
from refiner.formats import tool_output
from refiner.formats.sources.found_source import FoundSource, LineCounter
from refiner.formats.sources.json_shapes import json_sources, object_sources
from refiner.formats.sources.text_shapes import listed_sources, paragraph_sources
from refiner.formats.tags import MAX_ID_LENGTH, line_of, safe_id
from refiner.formats.tool_output import Block

_MAX_FINDINGS = 50

Result = tuple[tuple[Source, ...], tuple[Finding, ...]]


def parse(text: str) -> Result:
    """The sources in a pasted text of any shape that is read, and what was odd about it."""
    findings: list[Finding] = []
    text = text.removeprefix("\ufeff")
    raws: Iterable[FoundSource] | None = None
    if text.lstrip()[:1] in {"{", "["}:
        raws = json_sources(text, findings)
    if raws is None and tool_output.holds_sources(text):
        raws = _tagged(text, findings)
    if raws is None:
        raws = listed_sources(text)
    if raws is None:
        raws = paragraph_sources(text, findings)
    return _finish(raws, findings)


def from_rows(rows: Sequence[Sequence[str]]) -> Result:
    """The sources of a table with the columns id, title, text, url. Blank rows are skipped."""
    raws = []
    for line, row in enumerate(rows, 1):
        cells = ["" if cell is None else str(cell).strip() for cell in (*row, "", "", "", "")]
        if any(cells):
            raws.append(FoundSource(line, cells[0], cells[2], cells[1], cells[3]))
    return _finish(raws, [])


def from_objects(objects: Sequence[Mapping[str, object]]) -> Result:
    """The sources of objects with ``id``, ``title``, ``text`` and ``url``. A finding's line is the object's number.

    ``content``, ``snippet``, ``abstract`` or ``passage`` can stand for ``text``. A source without an id is numbered.
    """
    findings: list[Finding] = []
    return _finish(object_sources(enumerate(objects, 1), findings), findings)


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


def _tagged(text: str, findings: list[Finding]) -> list[FoundSource]:
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


def _from_blocks(text: str, blocks: Iterable[Block], findings: list[Finding]) -> list[FoundSource]:
    raws = []
    lines = LineCounter(text)
    for block in blocks:
        line = lines.at(block.start)
        if not block.closed:
            message = "A source block is not closed; it was ended at the next tag."
            findings.append(Finding("unclosed_source", message, line))
        raws += [FoundSource(line, one, block.text, block.title, block.url) for one in block.ids or ("",)]
    return raws


def _finish(raws: Iterable[FoundSource], findings: list[Finding]) -> Result:
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
