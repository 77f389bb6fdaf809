"""Refines many cases in order: rows of JSON in, rows of JSON out. Nothing is done twice and nothing is lost.

Each output row is written whole and flushed before the next case begins, so a run can be stopped at any time and
resumed.
"""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from refiner import pipeline
from refiner.domain import Finished, Mix, Options, Refinement, Request
from refiner.engines.protocol import Engine
from refiner.errors import InputError, RefinerError
from refiner.formats import answer, sources
from refiner.judges.protocol import Judge
from refiner.prompts.prompt_file import PromptTemplate
from refiner.runs.record import result_fields
from refiner.scoring import rubrics

Row = dict[str, object]

_RUBRIC_KEYS = ("positive_rubrics", "negative_rubrics", "rubrics", "rubric", "ingredients")


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the input. ``row`` is None where the line is not a JSON object."""

    line: int
    id: str
    row: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Batch:
    """The engine, judge and settings that every case is run with."""

    engine: Engine
    judge: Judge
    template: PromptTemplate
    options: Options
    mix: Mix = "weighted"

    def run(self, case: Case) -> Row:
        """Refine the case and return its output row. On failure the row holds ``id`` and ``error``."""
        try:
            finished = self._finished(request_of(case))
        except RefinerError as error:
            return {"id": case.id, "error": str(error)}
        return {"id": case.id, **result_fields(finished)}

    def _finished(self, request: Request) -> Refinement:
        stages = pipeline.refine(
            request, self.engine, self.judge, self.options, template=self.template, mix=self.mix
        )
        *_, last = stages
        assert isinstance(last, Finished)  # noqa: S101 - `refine` ends with Finished or raises
        return last.refinement


def read_cases(file: Path) -> Iterator[Case]:
    """Read the cases of a JSON-lines file. A case whose id is missing or already used gets an id with its line number."""
    seen: set[str] = set()
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            row = _object(line)
            name = str(row.get("id", "")).strip() if row is not None else ""
            name = name if name and name not in seen else f"{name}@line{number}"
            seen.add(name)
            yield Case(number, name, row)


def request_of(case: Case) -> Request:
    """Build the request of a case. Raises `InputError`, which says what is wrong with the row."""
    row = case.row
    if row is None:
        raise InputError(f"Line {case.line} is not a JSON object.")
    listed = row.get("sources", row.get("snippets", []))
    if isinstance(listed, str):
        read_sources, _ = sources.parse(listed)
    elif isinstance(listed, list) and all(isinstance(one, dict) for one in listed):
        read_sources, _ = sources.from_objects(listed)
    else:
        raise InputError(f"Line {case.line}: 'sources' must be a list of objects, or a text.")
    for field in ("question", "draft"):
        if not isinstance(row.get(field, ""), str):
            raise InputError(f"Line {case.line}: {field!r} must be a text.")
    rubric = {key: row[key] for key in _RUBRIC_KEYS if row.get(key)}
    criteria, _ = rubrics.parse(json.dumps(rubric.get("rubric", rubric))) if rubric else ((), ())
    return pipeline.request(str(row.get("question", "")), str(row.get("draft", "")), read_sources, criteria)


def read_rows(file: Path) -> list[Row]:
    """Read the rows of an output file. A row that was not fully written is left out."""
    if not file.exists():
        return []
    with file.open(encoding="utf-8", errors="replace") as lines:
        return [row for row in map(_object, lines) if row is not None and "id" in row]


def resume(file: Path, batch: Batch) -> set[str]:
    """Return the ids that ``file`` already holds, and remove the failed rows from it so that they run again.

    Raises `InputError` where its rows come from another model, prompt, judge or mix: one file holds one run.
    """
    done = [row for row in read_rows(file) if "error" not in row]
    ours = (batch.engine.info.name, batch.template.version, batch.judge.name, batch.mix)
    others = {_made_by(row) for row in done} - {ours}
    if others:
        description = "{} with prompt {}, judged by {}, {}"
        raise InputError(
            f"{file} holds answers by {description.format(*min(others, key=str))}; "
            f"this run is {description.format(*ours)}. "
            "Give another file with -o, or remove this one."
        )
    if file.exists():
        kept = file.with_name(file.name + ".tmp")
        kept.write_text("".join(map(line_of, done)), encoding="utf-8")
        kept.replace(file)
    return {str(row["id"]) for row in done}


def _made_by(row: Row) -> tuple[object, ...]:
    reward = row.get("reward")
    mix = reward.get("mix") if isinstance(reward, dict) else None
    return row.get("model"), row.get("prompt_version"), row.get("judge"), mix


def line_of(row: Mapping[str, object]) -> str:
    """Format a row as a line of JSON."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def refine_all(cases: Sequence[Case], batch: Batch, file: Path) -> Iterator[Row]:
    """Run the cases in order, append their rows to ``file``, and yield each row once it is written."""
    with file.open("a", encoding="utf-8") as out:
        for case in cases:
            row = batch.run(case)
            out.write(line_of(row))
            out.flush()
            yield row


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of a batch.

    ``clean`` answers parse without a finding. ``cited`` answers have a claim that cites a known source.
    ``invented`` counts ids that name no source. ``seconds`` is the median per case.
    """

    rows: int
    failed: int
    clean: int
    invented: int
    cited: int
    seconds: float


def summarise(cases: Sequence[Case], rows: Sequence[Row]) -> Summary:
    """Summarise the cases' rows. The counts come from parsing the answers' texts in the rows."""
    row_of = {str(row["id"]): row for row in rows}
    clean = invented = cited = 0
    seconds: list[float] = []
    for case in cases:
        row = row_of.get(case.id, {"error": ""})
        if "error" in row:
            continue
        known = {source.id for source in request_of(case).sources}
        parsed = answer.parse(str(row["answer"]), known)
        clean += not parsed.findings
        invented += len(answer.invented_ids(parsed, known))
        cited += any(known.intersection(claim.ids) for claim in parsed.claims)
        seconds.append(float(str(row["seconds"])))
    median = statistics.median(seconds) if seconds else 0.0
    return Summary(len(cases), len(cases) - len(seconds), clean, invented, cited, median)


def _object(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
