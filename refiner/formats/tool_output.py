"""Finds raw tool output in a text: where its source blocks lie, and what of the text a model wrote itself.

The form is DR Tulu's: ``<tool_output>`` around ``<snippet id=…>`` or ``<webpage id=…>`` blocks, which begin with the
lines ``Title:``, ``URL:`` and ``Snippet:``. Older traces write ``<snippets id=…>``. A page's text is hostile, so inside a
closed block every other tag is text. Raises on nothing, and is linear in the text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from refiner.formats import tags
from refiner.formats.tags import Tag

Span = tuple[int, int]

_SOURCE = frozenset({"snippet", "snippets", "webpage"})
_TAG = tags.pattern("snippets?", "webpage", "tool_output", "answer")
_LABEL = re.compile(
    r"[ \t]*+(?:(title)|(url|link)|(?:search )?snippet|(?:full )?text|content|abstract|summary)[ \t]*+:[ \t]*+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Block:
    """One source block at ``[start, end)``, tags included. Several ``ids`` name the same text."""

    name: str
    ids: tuple[str, ...]
    title: str
    url: str
    text: str
    start: int
    end: int
    labelled: bool
    in_tool: bool
    closed: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """What a text holds, each kind in order: source blocks, tool outputs, answer blocks, thinking."""

    blocks: tuple[Block, ...]
    tools: tuple[Span, ...]
    answers: tuple[Span, ...]
    thoughts: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class SplitDraft:
    """A draft's prose and its source blocks. ``left_out`` is where prose beside an answer block was dropped."""

    prose: str
    blocks: tuple[Block, ...]
    left_out: int | None


def holds_sources(text: str) -> bool:
    """Whether any source block is opened in the text, even in thinking."""
    return any(tag.name in _SOURCE and not tag.closing for tag in tags.find(_TAG, text))


def split_draft(draft: str) -> SplitDraft:
    """Take the tool output out of a draft. Which blocks are sources depends on where they stand."""
    found = scan(draft)
    blocks = tuple(
        block
        for block in found.blocks
        if block.in_tool or block.name == "webpage" or block.labelled or found.answers
    )
    removed = [*found.tools, *found.thoughts, *((block.start, block.end) for block in blocks)]
    if found.answers:
        start, end = found.answers[-1]
        rest = _gaps(draft, [*removed, *found.answers])
        return SplitDraft(draft[start:end], blocks, rest[0][0] if rest else None)
    if not removed:
        return SplitDraft(draft, (), None)
    pieces = (draft[start:end].strip() for start, end in _gaps(draft, removed))
    return SplitDraft("\n\n".join(pieces), blocks, None)


def first_outside(text: str, found: Scan) -> int | None:
    """Where the first words stand that are in no block, tool output, answer or thought."""
    blocks = [(block.start, block.end) for block in found.blocks]
    gaps = _gaps(text, [*blocks, *found.tools, *found.answers, *found.thoughts])
    return next((start for start, end in gaps if _TAG.sub("", text[start:end]).strip()), None)


def _gaps(text: str, spans: Sequence[Span]) -> list[Span]:
    """The stretches with words between the spans, which may overlap."""
    gaps = []
    at = 0
    for start, end in sorted([*spans, (len(text), len(text))]):
        if at < start and text[at:start].strip():
            gaps.append((at, start))
        at = max(at, end)
    return gaps


def scan(text: str) -> Scan:
    """Find blocks, tool outputs and answers from left to right. What opens first decides what is inside."""
    thoughts, _ = tags.thinking(text)
    begins = [start for start, _ in thoughts]
    found = [tag for tag in tags.find(_TAG, text) if not _within(tag.start, thoughts, begins)]
    partner = tags.partners(found)
    blocks: list[Block] = []
    tools: list[Span] = []
    answers: list[Span] = []
    at = 0
    while at < len(found):
        tag = found[at]
        if _opens(tag):
            stop = partner.get(at)
            after = _next_opening(found, at + 1) if stop is None else stop
            end = _start(found, after, text) if stop is None else found[stop].end
            if tag.name == "tool_output":
                blocks += _blocks(text, found, partner, (at + 1, after), in_tool=True)
                tools.append((tag.start, end))
            else:
                answers.append((tag.start, end))
            at = after if stop is None else after + 1
        else:
            after = _next_opening(found, at)
            blocks += _blocks(text, found, partner, (at, after), in_tool=False)
            at = after
    return Scan(tuple(blocks), tuple(tools), tuple(answers), thoughts)


def _within(place: int, spans: Sequence[Span], begins: Sequence[int]) -> bool:
    index = bisect_right(begins, place) - 1
    return index >= 0 and place < spans[index][1]


def _opens(tag: Tag) -> bool:
    return tag.name not in _SOURCE and not tag.closing


def _next_opening(found: Sequence[Tag], at: int) -> int:
    """The next tag that opens a tool output or an answer, or the number of tags if there is none."""
    return next((index for index in range(at, len(found)) if _opens(found[index])), len(found))


def _start(found: Sequence[Tag], at: int, text: str) -> int:
    return found[at].start if at < len(found) else len(text)


def _blocks(
    text: str, found: Sequence[Tag], partner: Mapping[int, int], within: Span, *, in_tool: bool
) -> Iterator[Block]:
    """The source blocks among ``found[within]``. An unclosed block ends at the next tag."""
    at, stop = within
    while at < stop:
        tag, close = found[at], partner.get(at)
        closed = close is not None and close < stop
        last = close if close is not None and closed else at + 1
        at += 1
        if tag.closing or tag.empty or (closed and _is_container(found, at - 1, last)):
            continue
        inner = text[tag.end : _start(found, last, text)]
        if closed or inner.strip():
            end = found[last].end if closed else _start(found, last, text)
            yield _block(tag, inner, end, in_tool=in_tool, closed=closed)
        at = last + closed


def _is_container(found: Sequence[Tag], at: int, close: int) -> bool:
    inside = (found[index] for index in range(at + 1, close))
    return found[at].name == "snippets" and any(one.name == "snippet" and not one.closing for one in inside)


def _block(tag: Tag, inner: str, end: int, *, in_tool: bool, closed: bool) -> Block:
    title, url, text, labelled = labelled_fields(inner)
    named = tags.attributes(tag.attributes)
    return Block(
        name=tag.name,
        ids=tuple(dict.fromkeys(tags.ids(tag))),
        title=title or named.get("title", ""),
        url=url or named.get("url", ""),
        text=text,
        start=tag.start,
        end=end,
        labelled=labelled,
        in_tool=in_tool,
        closed=closed,
    )


def labelled_fields(body: str) -> tuple[str, str, str, bool]:
    """Title, URL and text of a block's lines ``Title:``, ``URL:`` and ``Snippet:``, and whether it has such lines.

    They count only at the beginning. From the first other line on, or the first that begins the text, everything is
    text.
    """
    title = url = ""
    labelled = False
    at = 0
    body = body.strip()
    while label := _LABEL.match(body, at):
        labelled = True
        end = body.find("\n", label.end())
        end = len(body) if end < 0 else end
        if not (label[1] or label[2]):
            return title, url, body[label.end() :].strip(), labelled
        value = body[label.end() : end].strip()
        title, url = (title or value, url) if label[1] else (title, url or value)
        at = end + 1
    return title, url, body[at:].strip(), labelled
