"""The criteria of a rubric: the static ones, a person's own as JSON in any form in use, and suggested ones.

The three static titles are the refiner family's (model cards). Their wording is ours and not that of the training.
Weights are relative: only their ratios count.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from refiner.domain import Criterion, Finding, Polarity, Request
from refiner.errors import InputError
from refiner.text import sentences

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

MAX_CRITERIA = 100
"""Criteria of one rubric that are read."""

MAX_WEIGHT = 1000.0
"""Weights lie between 0 and this, both excluded, here and in the page's table."""

MAX_SUGGESTED = 5
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

_MAX_REPEATED = 40
"""Characters of an odd value that a finding repeats."""

_FORM = (
    'Give JSON such as {"positive_rubrics": [{"title": "…", "description": "…", "weight": 1}], '
    '"negative_rubrics": []}.'
)
Result = tuple[tuple[Criterion, ...], tuple[Finding, ...]]


def for_request(request: Request) -> tuple[Criterion, ...]:
    """The static rubric and the request's own criteria. An own criterion replaces a static one of the same title.

    Ids are unique: an id that came before gets a number behind it.
    """
    own = {criterion.title.casefold() for criterion in request.criteria}
    return _with_unique_ids((*(one for one in STATIC if one.title.casefold() not in own), *request.criteria))


def suggested(question: str) -> tuple[Criterion, ...]:
    """At most `MAX_SUGGESTED` criteria, by rule, from the question's words alone. No rule sees the answer that it scores."""
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
    ][: MAX_SUGGESTED - 1]
    return tuple(
        Criterion(f"suggested-{number}", title, description, origin="generated")
        for number, (title, description) in enumerate((*found, _OPEN), 1)
    )


def parse(text: str) -> Result:
    """The criteria of a JSON text, and a finding for everything that was left out or mended.

    These forms are read: ``positive_rubrics`` and ``negative_rubrics``; DR Tulu's ``rubrics``, where a negative weight
    is a fault; ScholarQABench's ``ingredients``, where the most important weigh 2 and the nice to have 1, as there; and
    a plain list whose items may say ``polarity``. `InputError` if the text is none of these.
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
        for number, (polarity, item) in enumerate(items[:MAX_CRITERIA], 1)
        if (criterion := _criterion(number, polarity, item, findings)) is not None
    ]
    if len(items) > MAX_CRITERIA:
        findings.append(Finding("more", f"Only the first {MAX_CRITERIA} criteria were read."))
    if not criteria:
        raise InputError(f"No criterion in the rubric has a title or a description. {_FORM}")
    return tuple(criteria), tuple(findings)


def to_json(criteria: Sequence[Criterion]) -> str:
    """The criteria as JSON with ``positive_rubrics`` and ``negative_rubrics``, which `parse` reads back, positive ones first."""
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
        message = (
            f"Criterion {number} has the polarity {named[:_MAX_REPEATED]!r}; it was taken as {polarity}."
        )
        findings.append(Finding("odd_polarity", message, number))
    if weight < 0 or named == "negative":
        polarity = "negative"
    if not 0 < abs(weight) < MAX_WEIGHT:
        message = f"Criterion {number} has the weight {str(item.get('weight'))[:_MAX_REPEATED]!r}; it was taken as 1."
        findings.append(Finding("odd_weight", message, number))
        weight = 1.0
    return Criterion(f"c{number}", title or description[:60], description or title, abs(weight), polarity)


def _with_unique_ids(criteria: Iterable[Criterion]) -> tuple[Criterion, ...]:
    found: dict[str, Criterion] = {}
    for one in criteria:
        name, count = one.id, 1
        while name in found:
            name, count = f"{one.id}-{count + 1}", count + 1
        found[name] = one if name == one.id else replace(one, id=name)
    return tuple(found.values())


def _number(value: object) -> float:
    """The number, or NaN if it is none."""
    try:
        return math.nan if isinstance(value, bool) else float(str(value))
    except ValueError:
        return math.nan
