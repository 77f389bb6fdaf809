"""Writes a run to a file and reads it back. The file is JSON, alone or inside a saved page (`render.export.html_page`).

Nothing is lost. Anybody may have made the file that is read. A bad file is refused with the reason. A run that is
accepted can be shown by every function of `render`. The file does not hold the changes. They are compared again on
loading, so no file can show a change that is not there. This module cannot tell whether the scores are genuine.
"""

import json
import re
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from types import NoneType, UnionType
from typing import Any, Literal, NoReturn, get_args, get_origin

from refiner import diff
from refiner.domain import Refinement
from refiner.errors import InputError
from refiner.runs.validation import find_inconsistency, find_value_error

FORMAT_VERSION = 1
"""The version of the file format. A new field with a default needs no new version: files without it are still read."""

OPENING_TAG = '<script type="application/json" id="run">'
"""The tag before the run in a page. Inside the tag every ``<`` of the run is written as an escape."""

MAX_JSON_LENGTH = 20_000_000
"""The most characters of JSON that are read. The page around the JSON is not counted."""

_MAX_LIST_LENGTH = 50_000
"""The most elements of one list that are read."""

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SAVE_AGAIN = "Save the run again on Refiner's page, or open another file."
_TYPE_NAMES: dict[object, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A run and the time it was made, in UTC."""

    run: Refinement
    made: datetime


def dump_run(run: Refinement, made: datetime) -> str:
    """The run as JSON that `load_run` reads back equal.

    A lone surrogate is written as an escape, because UTF-8 cannot hold it.
    """
    whole = asdict(replace(run, changes=()))
    del whole["changes"]
    data = {
        "refiner": "run",
        "version": FORMAT_VERSION,
        "made": made.astimezone(UTC).isoformat(),
        "run": whole,
    }
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _LONE_SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def embed_run(run: Refinement, made: datetime) -> str:
    """The run as an HTML script element. The browser neither shows nor runs it."""
    return OPENING_TAG + dump_run(run, made).replace("<", "\\u003c") + "</script>"


def load_run(text: str) -> SavedRun:
    """Read the run from the text of a JSON file or of a saved page.

    Raises `InputError`, which says why the run cannot be read and what to do.
    """
    _, page, inside = text.partition(OPENING_TAG)
    data = _json(inside.partition("</script>")[0] if page else text.removeprefix("\ufeff"))
    if not isinstance(data, dict) or data.get("refiner") != "run":
        raise InputError(f"The file holds no run of Refiner. {_SAVE_AGAIN}")
    if data.get("version") != FORMAT_VERSION:
        raise InputError(
            f"The run was saved in form {str(data.get('version'))[:20]}; this Refiner reads form {FORMAT_VERSION}. "
            "Open it with the Refiner that saved it, or refine again."
        )
    whole = data.get("run")
    run: Refinement = _read(Refinement, {**whole, "changes": []} if isinstance(whole, dict) else whole, "run")
    problem = find_inconsistency(run)
    if problem:
        _refuse("run", problem)
    return SavedRun(replace(run, changes=diff.compare(run.draft, run.answer)), _time(data.get("made")))


def _json(text: str) -> Any:
    if len(text) > MAX_JSON_LENGTH:
        raise InputError(
            f"The run is too large: {len(text):,} characters of at most {MAX_JSON_LENGTH:,}. Open another."
        )
    try:
        return json.loads(text, parse_constant=float)
    except (ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else "too deep or too large"
        raise InputError(f"The file is not JSON: {why}. {_SAVE_AGAIN}") from error


def _time(value: object) -> datetime:
    try:
        made = datetime.fromisoformat(str(value))
        return made.astimezone(UTC) if made.tzinfo else _refuse("made", "names no time zone")
    except (ValueError, OverflowError):
        _refuse("made", "is no time")


def _refuse(at: str, problem: str) -> NoReturn:
    raise InputError(f"The run cannot be read: {at} {problem}. {_SAVE_AGAIN}")


def _read(kind: Any, value: Any, at: str) -> Any:
    """Read ``value`` as a ``kind``: a plain type, a dataclass, a Literal, or a tuple or union of these."""
    origin = get_origin(kind)
    if is_dataclass(kind):
        return _object(kind, value, at)
    if origin is tuple:
        return _tuple(get_args(kind), value, at)
    if origin is UnionType:
        return _one_of(get_args(kind), value, at)
    if origin is Literal:
        return value if value in get_args(kind) else _refuse(at, f"is none of {', '.join(get_args(kind))}")
    if type(value) is not kind and not (kind is float and type(value) is int):
        _refuse(at, f"is not {_TYPE_NAMES[kind]}")
    if isinstance(value, int | float) and not abs(value) < 2**64:  # NaN fails this comparison too
        _refuse(at, "is out of range")
    return kind(value)


def _object(kind: Any, value: object, at: str) -> Any:
    if not isinstance(value, dict):
        _refuse(at, "is not an object")
    known = {field.name: field for field in fields(kind)}
    unknown = next((name for name in value if name not in known), None)
    if unknown is not None:
        _refuse(at, f"has a field that is not known, {unknown[:40]!r}")
    missing = [name for name, field in known.items() if name not in value and field.default is MISSING]
    if missing:
        _refuse(at, f"lacks {missing[0]}")
    made = kind(**{name: _read(known[name].type, one, f"{at}.{name}") for name, one in value.items()})
    problem = find_value_error(made)
    return _refuse(at, problem) if problem else made


def _tuple(kinds: tuple[Any, ...], value: object, at: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        _refuse(at, "is not a list")
    if len(value) > _MAX_LIST_LENGTH:
        _refuse(at, f"has more than {_MAX_LIST_LENGTH:,} elements")
    each = [kinds[0]] * len(value) if kinds[-1] is Ellipsis else kinds
    if len(each) != len(value):
        _refuse(at, f"has not {len(each)} elements")
    return tuple(
        _read(kind, one, f"{at}[{place}]") for place, (kind, one) in enumerate(zip(each, value, strict=True))
    )


def _one_of(kinds: tuple[Any, ...], value: Any, at: str) -> Any:
    """Read ``value`` as the dataclass whose field names match it, otherwise as the first kind. None stays None."""
    if value is None and NoneType in kinds:
        return None
    named = set(value) if isinstance(value, dict) else None
    alike = (one for one in kinds if is_dataclass(one) and {field.name for field in fields(one)} == named)
    return _read(next(alike, kinds[0]), value, at)
