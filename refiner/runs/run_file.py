"""A run as a file, and read back: JSON, alone or inside a page that was saved (`render.export.html_page`).

Nothing is lost. What is read may have been made by anybody: it is refused with what is wrong with it, or it is a
run that every function of `render` takes. What changed is not in the file but compared anew, so that no file can
show a change that is not there; that its figures were earned cannot be seen in it.
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

VERSION = 1
"""Of the form. A field that gets a default is no new version: files without it are still read."""

OPENING = '<script type="application/json" id="run">'
"""What stands before the run in a page; there its ``<`` are written as escapes."""

LONGEST = 20_000_000
"""Characters of JSON that are read; a page around it may have more."""

_MAX_LIST_LENGTH = 50_000
"""Elements of one list that are read."""

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_AGAIN = "Save the run again on Refiner's page, or open another file."
_NAMES: dict[object, str] = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class Saved:
    """A run, and when it was made, in UTC."""

    run: Refinement
    made: datetime


def dump(run: Refinement, made: datetime) -> str:
    """The run as JSON that `load` reads back equal.

    Half a character (a lone surrogate) is written as an escape, as no UTF-8 holds it.
    """
    whole = asdict(replace(run, changes=()))
    del whole["changes"]
    data = {"refiner": "run", "version": VERSION, "made": made.astimezone(UTC).isoformat(), "run": whole}
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _LONE_SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def embed(run: Refinement, made: datetime) -> str:
    """The run as an element of a page, which shows nothing and runs nothing."""
    return OPENING + dump(run, made).replace("<", "\\u003c") + "</script>"


def load(text: str) -> Saved:
    """The run in a file's text, or in that of a page. `InputError` says why it cannot be read and what to do."""
    _, page, inside = text.partition(OPENING)
    data = _json(inside.partition("</script>")[0] if page else text.removeprefix("\ufeff"))
    if not isinstance(data, dict) or data.get("refiner") != "run":
        raise InputError(f"The file holds no run of Refiner. {_AGAIN}")
    if data.get("version") != VERSION:
        raise InputError(
            f"The run was saved in form {str(data.get('version'))[:20]}; this Refiner reads form {VERSION}. "
            "Open it with the Refiner that saved it, or refine again."
        )
    whole = data.get("run")
    run: Refinement = _read(Refinement, {**whole, "changes": []} if isinstance(whole, dict) else whole, "run")
    wrong = find_inconsistency(run)
    if wrong:
        _refuse("run", wrong)
    return Saved(replace(run, changes=diff.compare(run.draft, run.answer)), _time(data.get("made")))


def _json(text: str) -> Any:
    if len(text) > LONGEST:
        raise InputError(
            f"The run is too large: {len(text):,} characters of at most {LONGEST:,}. Open another."
        )
    try:
        return json.loads(text, parse_constant=float)
    except (ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else "too deep or too large"
        raise InputError(f"The file is not JSON: {why}. {_AGAIN}") from error


def _time(value: object) -> datetime:
    try:
        made = datetime.fromisoformat(str(value))
        return made.astimezone(UTC) if made.tzinfo else _refuse("made", "names no time zone")
    except (ValueError, OverflowError):
        _refuse("made", "is no time")


def _refuse(at: str, wrong: str) -> NoReturn:
    raise InputError(f"The run cannot be read: {at} {wrong}. {_AGAIN}")


def _read(kind: Any, value: Any, at: str) -> Any:
    """``value`` as a ``kind``, which is a dataclass, tuple, union or Literal of such, or a plain type."""
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
        _refuse(at, f"is not {_NAMES[kind]}")
    if isinstance(value, int | float) and not abs(value) < 2**64:  # nor NaN
        _refuse(at, "is out of range")
    return kind(value)


def _object(kind: Any, value: object, at: str) -> Any:
    if not isinstance(value, dict):
        _refuse(at, "is not an object")
    known = {field.name: field for field in fields(kind)}
    strange = next((name for name in value if name not in known), None)
    if strange is not None:
        _refuse(at, f"has a field that is not known, {strange[:40]!r}")
    lacks = [name for name, field in known.items() if name not in value and field.default is MISSING]
    if lacks:
        _refuse(at, f"lacks {lacks[0]}")
    made = kind(**{name: _read(known[name].type, one, f"{at}.{name}") for name, one in value.items()})
    wrong = find_value_error(made)
    return _refuse(at, wrong) if wrong else made


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
    """The kind that is told by its fields' names; of a type and None, the type."""
    if value is None and NoneType in kinds:
        return None
    named = set(value) if isinstance(value, dict) else None
    alike = (one for one in kinds if is_dataclass(one) and {field.name for field in fields(one)} == named)
    return _read(next(alike, kinds[0]), value, at)
