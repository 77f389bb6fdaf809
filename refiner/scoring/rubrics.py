"""Criteria: the static rubric, rubrics of one's own as JSON in any form in use, and suggested ones.

The three static titles are the refiner family's (model cards); their wording is ours, versioned, and not that
of the training. Weights are relative: only their ratios count.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from refiner.domain import Criterion, Finding, Polarity, Request
from refiner.errors import InputError
from refiner.text import sentences

VERSION = "static-1"

STATIC = (
    Criterion(
        "citation-discipline",
        "Citation Discipline",
        "Every factual claim cites a source that supports it; nothing is cited that says something else.",
        origin="static",
    ),
    Criterion(
        "off-query-padding",
        "Off-Query Padding",
        "The answer spends words on what the question does not ask.",
        polarity="negative",
        origin="static",
    ),
    Criterion(
        "wrong-entity-confabulation",
        "Wrong-Entity Confabulation",
        "The answer attributes a fact, number or finding to the wrong person, thing, study or place, "
        "or makes one up.",
        polarity="negative",
        origin="static",
    ),
)

MOST = 100
"""Criteria of one rubric that are read."""

HEAVIEST = 1000.0
"""Weights lie under it, here as in the page's table."""

SUGGESTED = 5
"""The most criteria that are suggested beside the static rubric."""

_AND_WHAT = re.compile(r"[,;]?\s+(?:and|or)\s+(?=(?:how|what|why|when|where|whether)\b)", re.IGNORECASE)
_QUANTITY = re.compile(
    r"\bhow (?:many|much|long|often|far|large|big|fast|high)\b|\b(?:percent(?:age)?|rates?|costs?|doses?|number of)\b",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"\b(?:only|without|except|excluding|at (?:least|most)|between (?=\d)|since|before|after|during|until)\b|\b\d{4}\b|[\"“]",
    re.IGNORECASE,
)
_NUMBERS = ("Key Numbers", "The answer gives the numbers that the question asks for, with their units.")
_LIMITS = (
    "Named Limits",
    "The answer keeps to the limits that the question names: times, places, kinds, exceptions.",
)
_OPEN = ("Open Points", "The answer says what the sources leave open or where they disagree.")

_SHOWN = 40
"""Characters of an odd value that a finding repeats."""

_FORM = (
    'Give JSON such as {"positive_rubrics": [{"title": "…", "description": "…", "weight": 1}], '
    '"negative_rubrics": []}.'
)
Result = tuple[tuple[Criterion, ...], tuple[Finding, ...]]


def for_request(request: Request) -> tuple[Criterion, ...]:
    """The static rubric and the request's own criteria; one of its own replaces a static one of its title.

    Ids are unique: one that came before gets a number behind it.
    """
    own = {criterion.title.casefold() for criterion in request.criteria}
    return _distinct((*(one for one in STATIC if one.title.casefold() not in own), *request.criteria))


def suggested(question: str) -> tuple[Criterion, ...]:
    """At most `SUGGESTED` criteria from the question's words alone, by rule; none sees the answer that it will score."""
    whole = sentences.split(" ".join(question.split()))
    asked = [part for one in whole if one.text.endswith("?") for part in _AND_WHAT.split(one.text)]
    parts = [
        ("Answers a Part of the Question", f"The answer addresses this part of the question: {part}")
        for part in asked
        if part.strip(" ?")
    ]
    found = [
        ("Direct Answer", "The answer says directly, and near its beginning, what the question asks for."),
        *(parts if len(parts) > 1 else ()),
        *([_NUMBERS] if _QUANTITY.search(question) else ()),
        *([_LIMITS] if _LIMIT.search(question) else ()),
    ][: SUGGESTED - 1]
    return tuple(
        Criterion(f"suggested-{number}", title, description, origin="generated")
        for number, (title, description) in enumerate((*found, _OPEN), 1)
    )


def read(text: str) -> Result:
    """Criteria of a JSON text, and what was left out or mended, a finding each.

    Read are ``positive_rubrics`` and ``negative_rubrics``, DR Tulu's ``rubrics`` (a negative weight is a fault),
    ScholarQABench's ``ingredients`` (the most important weigh 2, the nice to have 1, as there), and a plain list
    whose items may say ``polarity``. `InputError` where the text is none of these.
    """
    try:
        data = json.loads(text.removeprefix("\ufeff"))  # editors on Windows put a byte order mark first
    except (ValueError, RecursionError) as error:
        raise InputError(f"The rubric is not JSON: {error}. {_FORM}") from error
    items = list(_items(data))
    if not items:
        raise InputError(f"There is no criterion in the rubric. {_FORM}")
    findings: list[Finding] = []
    criteria = [
        criterion
        for number, (polarity, item) in enumerate(items[:MOST], 1)
        if (criterion := _criterion(number, polarity, item, findings)) is not None
    ]
    if len(items) > MOST:
        findings.append(Finding("more", f"Only the first {MOST} criteria were read."))
    if not criteria:
        raise InputError(f"No criterion in the rubric has a title or a description. {_FORM}")
    return tuple(criteria), tuple(findings)


def to_json(criteria: Sequence[Criterion]) -> str:
    """The criteria as JSON in the positive and negative form, which `read` reads back, the positive ones first."""
    kinds: dict[Polarity, str] = {"positive": "positive_rubrics", "negative": "negative_rubrics"}
    data = {
        key: [
            {"title": one.title, "description": one.description, "weight": one.weight}
            for one in criteria
            if one.polarity == polarity
        ]
        for polarity, key in kinds.items()
    }
    return json.dumps(data, ensure_ascii=False, indent=2)


def _items(data: object) -> Iterable[tuple[Polarity, object]]:
    """Each item with the polarity of the list where it stands."""
    lists: dict[str, Polarity] = {
        "positive_rubrics": "positive",
        "negative_rubrics": "negative",
        "rubrics": "positive",
        "rubric": "positive",
    }
    if isinstance(data, list):
        yield from (("positive", item) for item in data)
    elif isinstance(data, dict):
        for key, polarity in lists.items():
            if isinstance(data.get(key), list):
                yield from ((polarity, item) for item in data[key])
        if isinstance(data.get("ingredients"), dict):
            yield from _ingredients(data["ingredients"])


def _ingredients(data: Mapping[str, object]) -> Iterable[tuple[Polarity, object]]:
    for key, weight in (("most_important", 2), ("nice_to_have", 1)):
        items = data.get(key)
        if isinstance(items, list):
            yield from (("positive", {"description": item, "weight": weight}) for item in items)


def _criterion(number: int, polarity: Polarity, item: object, findings: list[Finding]) -> Criterion | None:
    if isinstance(item, str):
        item = {"description": item}
    if not isinstance(item, Mapping):
        findings.append(
            Finding("no_criterion", f"Criterion {number} is neither a text nor an object.", number)
        )
        return None
    title, description = (str(item.get(key) or "").strip() for key in ("title", "description"))
    if not title and not description:
        findings.append(Finding("empty_criterion", f"Criterion {number} has no words.", number))
        return None
    weight = _number(item.get("weight", 1))
    named = str(item.get("polarity") or polarity).strip().casefold()
    if named not in {"positive", "negative"}:
        message = f"Criterion {number} has the polarity {named[:_SHOWN]!r}; it was taken as {polarity}."
        findings.append(Finding("odd_polarity", message, number))
    if weight < 0 or named == "negative":
        polarity = "negative"
    if not 0 < abs(weight) < HEAVIEST:
        message = (
            f"Criterion {number} has the weight {str(item.get('weight'))[:_SHOWN]!r}; it was taken as 1."
        )
        findings.append(Finding("odd_weight", message, number))
        weight = 1.0
    return Criterion(f"c{number}", title or description[:60], description or title, abs(weight), polarity)


def _distinct(criteria: Iterable[Criterion]) -> tuple[Criterion, ...]:
    found: dict[str, Criterion] = {}
    for one in criteria:
        name, count = one.id, 1
        while name in found:
            name, count = f"{one.id}-{count + 1}", count + 1
        found[name] = one if name == one.id else replace(one, id=name)
    return tuple(found.values())


def _number(value: object) -> float:
    """The number, or NaN where it is none."""
    try:
        return math.nan if isinstance(value, bool) else float(str(value))
    except ValueError:
        return math.nan
