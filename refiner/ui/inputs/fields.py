"""Reads the page's fields into a `Request` and `Options`, and makes values for them. Knows no Gradio."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from refiner import pipeline
from refiner.domain import (
    MAX_NEW_TOKENS,
    MIN_NEW_TOKENS,
    Criterion,
    Finding,
    Form,
    Options,
    Polarity,
    Request,
    Source,
)
from refiner.errors import InputError
from refiner.formats import notation, sources
from refiner.scoring.rubrics import MAX_WEIGHT
from refiner.ui.assets import read_asset

RUBRIC_HEADERS = ("title", "description", "kind", "weight")
SOURCE_HEADERS = ("id", "title", "text", "url")
_POLARITIES: dict[str, Polarity] = {
    "asks for": "positive",
    "": "positive",
    "positive": "positive",
    "fault": "negative",
    "negative": "negative",
}
"""Polarity by what may stand in a row's kind, in lower case."""
FORM_BY_LABEL: dict[str, Form | None] = {
    "As the model does best": None,
    "Free: prose with cited claims": "free",
    "Strict: every word in a cited claim": "strict",
    "Extractive: sentences of the sources": "extractive",
    "Off: unguarded": "off",
}

TableRows = Sequence[Sequence[object]]
"""Rows of a table as Gradio gives them. A cell may be a text, a number or None."""


@dataclass(frozen=True, slots=True)
class InputValues:
    """The values of the page's fields, by the names that the fields have in `form.InputFields`."""

    question: str
    draft: str
    source_mode: str
    pasted_sources: str
    source_table: TableRows
    rubric: TableRows
    form: str
    max_new_tokens: float
    temperature: float
    seed: float | None
    blind: bool


@dataclass(frozen=True, slots=True)
class Example:
    """A real case. ``sources`` is text for the field where sources are pasted."""

    name: str
    question: str
    draft: str
    sources: str


def examples() -> tuple[Example, ...]:
    """Read the cases that ship with the page (ScholarQABench, ODC-BY 1.0)."""
    rows = map(json.loads, read_asset("examples.jsonl").splitlines())
    return tuple(
        Example(row["name"], row["question"], row["draft"], "\n".join(map(_snippet, row["sources"])))
        for row in rows
    )


def _snippet(source: dict[str, str]) -> str:
    lines = notation.source_lines(source["text"], source["title"], source["url"])
    return notation.source(source["id"], lines)


def read_request(values: InputValues) -> Request:
    """Read the fields into a request. `InputError` names the field that lacks something and says what."""
    given, _ = read_sources(values.source_mode, values.pasted_sources, values.source_table)
    return pipeline.request(values.question, values.draft, given, read_criteria(values.rubric))


def read_options(values: InputValues) -> Options:
    """Read the options of the run. `InputError` where a number is outside its range."""
    if not MIN_NEW_TOKENS <= values.max_new_tokens <= MAX_NEW_TOKENS:
        raise InputError(f"Longest answer: between {MIN_NEW_TOKENS} and {MAX_NEW_TOKENS:,} tokens.", "tokens")
    if not 0 <= values.temperature <= 2:  # noqa: PLR2004 - the range of `Options`
        raise InputError("Temperature: between 0 and 2.", "temperature")
    seed = None if values.seed is None else int(values.seed)
    return Options(int(values.max_new_tokens), FORM_BY_LABEL[values.form], float(values.temperature), seed)


def read_sources(mode: str, pasted: str, rows: TableRows) -> tuple[tuple[Source, ...], tuple[Finding, ...]]:
    """Read the sources from the pasted text or from the table, whichever ``mode`` says."""
    if mode == "Table":
        return sources.from_rows([[_cell_text(cell) for cell in row] for row in rows])
    return sources.parse(pasted) if pasted.strip() else ((), ())


def source_rows(given: Sequence[Source]) -> list[list[str]]:
    """Make rows of the source table. Without sources there is one empty row."""
    rows = [[source.id, source.title, source.text, source.url] for source in given]
    return rows or [["", "", "", ""]]


def read_criteria(rows: TableRows) -> tuple[Criterion, ...]:
    """Read the rubric's table. `InputError` names the first row and cell that cannot be read."""
    criteria, findings = read_rubric_rows(rows)
    if findings:
        raise InputError(f"Rubric, row {findings[0].line}: {findings[0].message}", "rubric")
    return criteria


def read_rubric_rows(rows: TableRows) -> tuple[tuple[Criterion, ...], tuple[Finding, ...]]:
    """Read the rubric's rows. A cell that cannot be read makes a finding. Empty rows are skipped."""
    criteria, findings = [], []
    for number, row in enumerate(rows, 1):
        title, description, kind, weight_text = (_cell_text(cell) for cell in (*row, "", "", "", "")[:4])
        if not title and not description:
            continue
        polarity, weight = _POLARITIES.get(kind.casefold()), _read_weight(weight_text)
        if polarity is None:
            message = f"The kind is {kind!r}; write 'asks for' or 'fault'."
            findings.append(Finding("odd_kind", message, number))
        if weight is None:
            message = (
                f"The weight is {weight_text!r}; it must be a number above 0 and under {MAX_WEIGHT:,.0f}."
            )
            findings.append(Finding("odd_weight", message, number))
        if polarity is not None and weight is not None:
            title, description = title or description[:60], description or title
            criteria.append(Criterion(f"user-{number}", title, description, weight, polarity))
    return tuple(criteria), tuple(findings)


def criteria_rows(criteria: Sequence[Criterion]) -> list[list[str]]:
    """Make rows of the rubric's table. Without criteria there is one empty row."""
    return [
        [one.title, one.description, "fault" if one.polarity == "negative" else "asks for", f"{one.weight:g}"]
        for one in criteria
    ] or [["", "", "asks for", "1"]]


def _read_weight(text: str) -> float | None:
    try:
        weight = float(text or 1)
    except ValueError:
        return None
    return weight if 0 < weight < MAX_WEIGHT else None  # NaN and infinity are refused here as well


def _cell_text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()
