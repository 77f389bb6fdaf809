"""Sources in JSON: a document, a list, or JSON lines."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from refiner.domain import Finding
from refiner.formats.sources.found_source import FoundSource, LineCounter

_TEXT_KEYS = ("text", "content", "snippet", "abstract", "passage")


def json_sources(text: str, findings: list[Finding]) -> list[FoundSource] | None:
    """The objects of a JSON document or of JSON lines. None if the text is neither, whole or broken."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        if re.match(r'\s*+\{\s*+["}]', text):
            return _json_lines(text, error, findings)
        if re.match(r'\s*+\[\s*+[{"]', text):
            return list(object_sources(_elements(text, findings), findings))
        return None
    items = _elements(text, findings) if isinstance(whole, list) else [(1, whole)]
    return list(object_sources(items, findings))


def _json_lines(text: str, whole: Exception, findings: list[Finding]) -> list[FoundSource]:
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
    return list(object_sources(items, findings))


def _elements(text: str, findings: list[Finding]) -> Iterator[tuple[int, object]]:
    """The elements of a JSON list with their lines, up to the first broken one."""
    decode = json.JSONDecoder().raw_decode
    skip = re.compile(r"[\s,]*+")
    lines = LineCounter(text)
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


def object_sources(items: Iterable[tuple[int, object]], findings: list[Finding]) -> Iterator[FoundSource]:
    """The sources of objects with their lines. An object that holds no text is a finding."""
    for line, item in items:
        nested = item.get("sources") if isinstance(item, Mapping) else None
        for one in nested if isinstance(nested, list) else [item]:
            raw = _object(line, one)
            if raw:
                yield raw
            else:
                message = f"This has no text under any of the names {', '.join(_TEXT_KEYS)}."
                findings.append(Finding("unknown_shape", message, line))


def _object(line: int, item: object) -> FoundSource | None:
    if isinstance(item, str):
        return FoundSource(line, "", item)
    if not isinstance(item, Mapping):
        return None
    for key in _TEXT_KEYS:
        if key in item and isinstance(item[key], str | None):
            text = item[key] or ""
            return FoundSource(
                line,
                _scalar_text(item.get("id")),
                text,
                _scalar_text(item.get("title")),
                _scalar_text(item.get("url")),
            )
    return None


def _scalar_text(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int | float) else ""
