"""Finds tags as models and tools write them, and reads their attributes and ids. Does not know what they mean.

The texts come from models and web pages, so everything is linear in their length and raises on nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_QUOTES = "\"'“”„‘’‚"
_CLOSERS = {'"': '"', "'": "'"} | dict.fromkeys("“”„‘’‚", _QUOTES)
_NAME = re.compile(rf"(?<![^\s{_QUOTES}])([A-Za-z_][\w:-]*+)\s*+=\s*+")
_BETWEEN = re.compile(rf"[\s,;]*+(?=[{_QUOTES}])")
_SEPARATORS = re.compile(rf"[\s,;\[\]`{_QUOTES}]+")
_UNSAFE = re.compile(
    rf"[\s,;<>=\[\]`{_QUOTES}\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff]"
)
MAX_ID_LENGTH = 64
"""Characters of an id."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag at ``[start, end)`` of its text. ``name`` is in lower case. ``empty`` is for ``<name …/>``."""

    name: str
    closing: bool
    empty: bool
    attributes: str
    start: int
    end: int


def pattern(*names: str) -> re.Pattern[str]:
    """The pattern that `find` takes: opening and closing tags of these names (regular expressions), in any case."""
    return re.compile(rf"<\s*+(?:(/)\s*+)?({'|'.join(names)})(?![^\s/>])([^<>]*+)>", re.IGNORECASE | re.ASCII)


def find(tag: re.Pattern[str], text: str) -> Iterator[Tag]:
    """The tags in order. None spans another's ``<``."""
    for match in tag.finditer(text):
        inner = match[3].strip()
        empty = inner.endswith("/") and not match[1]
        yield Tag(
            match[2].lower(), bool(match[1]), empty, inner.removesuffix("/"), match.start(), match.end()
        )


def attributes(text: str) -> dict[str, str]:
    """Names, in lower case, and values, quoted in any way or bare. The first value of a name counts.

    A bare value reaches to the next ``name=``. A list of quoted values is joined by commas.
    """
    found: dict[str, str] = {}
    at = 0
    while name := _NAME.search(text, at):
        value, at = _value(text, name.end())
        found.setdefault(name[1].lower(), value.strip())
    return found


def _value(text: str, at: int) -> tuple[str, int]:
    quoted = []
    while text[at : at + 1] in _CLOSERS:
        closers = _CLOSERS[text[at]]
        end = next((i for i in range(at + 1, len(text)) if text[i] in closers), len(text))
        quoted.append(text[at + 1 : end])
        more = _BETWEEN.match(text, end + 1)
        at = more.end() if more else end + 1
    if quoted:
        return ",".join(quoted), at
    following = _NAME.search(text, at)
    end = following.start() if following else len(text)
    return text[at:end], end


def ids(tag: Tag) -> tuple[str, ...]:
    """The ids in ``id`` or ``ids``, in the order written, with repeats, each as `safe_id` makes it."""
    named = attributes(tag.attributes)
    value = named.get("id") or named.get("ids", "")
    return tuple(safe_id(one) for one in _SEPARATORS.split(value) if one)


def safe_id(text: str) -> str:
    """``text`` as an id that the format can carry.

    It has at most `MAX_ID_LENGTH` characters, and ``_`` for every character that would end a tag. A slash is replaced
    only at the end, where ``<snippet id=a/>`` would read as an empty tag.
    """
    safe = _UNSAFE.sub("_", text.strip())[:MAX_ID_LENGTH]
    return safe[:-1] + "_" if safe.endswith("/") else safe


_FLOW = pattern("think", "tool_output", "answer")


def thinking(text: str) -> tuple[tuple[tuple[int, int], ...], int | None]:
    """The spans of a model's thinking, in order, and where the first unclosed one begins.

    Thinking runs from ``<think>`` to ``</think>``. If it is not closed, it runs to the next answer tag or the end. A
    ``</think>`` alone closes thinking that the prompt had opened: that runs from the last tool output or answer, or
    from the beginning. Inside ``<tool_output>`` the tag is a page's own text.
    """
    found = list(find(_FLOW, text))
    spans: list[tuple[int, int]] = []
    unclosed = None
    since, inside, at = 0, False, 0
    partner, thought_end = partners(found), _thought_ends(found, len(text))
    while at < len(found):
        tag = found[at]
        if tag.name == "think" and not tag.closing:
            end = found[partner[at]].end if at in partner else thought_end[at]
            unclosed = tag.start if at not in partner and unclosed is None else unclosed
            spans.append((tag.start, end))
        elif tag.name == "think":
            end = tag.end
            if not inside:
                spans.append((since, end))
        else:
            end = found[partner[at]].end if tag.name == "tool_output" and at in partner else tag.end
            inside = not tag.closing if tag.name == "answer" else inside
        since = end
        while at < len(found) and found[at].start < end:
            at += 1
    return tuple(spans), unclosed


def partners(found: Sequence[Tag]) -> dict[int, int]:
    """The closing tag of each opening tag that is closed before its name opens again."""
    opened: dict[str, int] = {}
    partner = {}
    for at, tag in enumerate(found):
        if not tag.closing:
            opened[tag.name] = at
        elif tag.name in opened:
            partner[opened.pop(tag.name)] = at
    return partner


def _thought_ends(found: Sequence[Tag], end: int) -> dict[int, int]:
    """Where each thinking ends if it is not closed: at the next answer or thinking."""
    ends = {}
    for at in reversed(range(len(found))):
        tag = found[at]
        opens = tag.name == "think" and not tag.closing
        if opens:
            ends[at] = end
        if opens or tag.name == "answer":
            end = tag.start
    return ends


def line_of(text: str, at: int) -> int:
    """The line of a position in ``text``, from 1."""
    return text.count("\n", 0, at) + 1
