"""What stands in the page's fields, read into a `Request` and `Options`; and an example, written into them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from refiner import pipeline
from refiner.domain import MAX_NEW_TOKENS, MIN_NEW_TOKENS, Criterion, Finding, Form, Options, Request, Source
from refiner.errors import InputError
from refiner.formats import sources
from refiner.ui.assets import read_asset

RUBRIC_HEADERS = ("title", "description", "kind", "weight")
SOURCE_HEADERS = ("id", "title", "text", "url")
KINDS = {
    "asks for": "positive",
    "": "positive",
    "positive": "positive",
    "fault": "negative",
    "negative": "negative",
}
FORMS: dict[str, Form | None] = {
    "As the model does best": None,
    "Free: prose with cited claims": "free",
    "Strict: every word in a cited claim": "strict",
    "Extractive: sentences of the sources": "extractive",
    "Off: unguarded": "off",
}

Rows = Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Example:
    """A real case; ``sources`` as they are pasted."""

    name: str
    question: str
    draft: str
    sources: str


def examples() -> tuple[Example, ...]:
    """The cases that ship with the page (ScholarQABench, ODC-BY 1.0)."""
    rows = read_asset("examples.jsonl").splitlines()
    return tuple(
        Example(row["name"], row["question"], row["draft"], "\n".join(map(_block, row["sources"])))
        for row in map(json.loads, rows)
    )


def _block(source: dict[str, str]) -> str:
    return (
        f"<snippet id={source['id']}>\nTitle: {source['title']}\nURL: {source['url']}\n"
        f"Snippet: {source['text']}\n</snippet>"
    )


def request(question: str, draft: str, given: Sequence[Source], rubric: Rows) -> Request:
    """The request, complete; `InputError` says which field lacks what."""
    return pipeline.request(question, draft, given, criteria(rubric))


def read_sources(mode: str, pasted: str, rows: Rows) -> tuple[tuple[Source, ...], tuple[Finding, ...]]:
    """The sources of whichever way of giving them is switched on."""
    if mode == "Table":
        return sources.from_rows([[_cell(cell) for cell in row] for row in rows])
    return sources.read(pasted) if pasted.strip() else ((), ())


def source_rows(given: Sequence[Source]) -> list[list[str]]:
    """Sources as rows of the table."""
    return [[one.id, one.title, one.text, one.url] for one in given] or [["", "", "", ""]]


def criteria(rows: Rows) -> tuple[Criterion, ...]:
    """The rubric's own lines; `InputError` names the first row and cell that cannot be read."""
    found, wrong = read_rubric(rows)
    if wrong:
        raise InputError(f"Rubric, row {wrong[0].line}: {wrong[0].message}", "rubric")
    return found


def read_rubric(rows: Rows) -> tuple[tuple[Criterion, ...], tuple[Finding, ...]]:
    """The rubric's lines that can be read, and a finding for each cell that cannot; empty rows are passed over."""
    found, wrong = [], []
    for number, row in enumerate(rows, 1):
        title, description, kind, weight = (_cell(cell) for cell in (*row, "", "", "", "")[:4])
        if not title and not description:
            continue
        polarity, weighs = KINDS.get(kind.casefold()), _weight(weight)
        if polarity is None:
            message = f"The kind is {kind!r}; write 'asks for' or 'fault'."
            wrong.append(Finding("odd_kind", message, number))
        if weighs is None:
            message = f"The weight is {weight!r}; it must be a number above 0 and under 1,000."
            wrong.append(Finding("odd_weight", message, number))
        if polarity is not None and weighs is not None:
            found.append(
                Criterion(
                    f"user-{number}",
                    title or description[:60],
                    description or title,
                    weighs,
                    "negative" if polarity == "negative" else "positive",
                )
            )
    return tuple(found), tuple(wrong)


def criteria_rows(given: Sequence[Criterion]) -> list[list[str]]:
    """Criteria as rows of the table."""
    return [
        [one.title, one.description, "fault" if one.polarity == "negative" else "asks for", f"{one.weight:g}"]
        for one in given
    ] or [["", "", "asks for", "1"]]


def _weight(cell: str) -> float | None:
    try:
        weight = float(cell or 1)
    except ValueError:
        return None
    return weight if 0 < weight < 1000 else None  # noqa: PLR2004 - NaN and infinity fall out here as well


def _cell(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def options(form: str, max_new_tokens: float, temperature: float, seed: float | None) -> Options:
    """How to write, from the fields; `InputError` where a number is outside its range."""
    if not MIN_NEW_TOKENS <= max_new_tokens <= MAX_NEW_TOKENS:
        raise InputError(f"Longest answer: between {MIN_NEW_TOKENS} and {MAX_NEW_TOKENS:,} tokens.", "tokens")
    if not 0 <= temperature <= 2:  # noqa: PLR2004 - the range of `Options`
        raise InputError("Temperature: between 0 and 2.", "temperature")
    return Options(int(max_new_tokens), FORMS[form], float(temperature), None if seed is None else int(seed))
