"""Reads human labels of whether evidence supports a claim, and measures a judge on them.

A row is a line of JSON with ``claim``, ``evidence`` (a list of texts) and ``supported`` (true or false). It may
also have ``question``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refiner.domain import Check, Source, Verdict
from refiner.errors import InputError
from refiner.judges.ask import ask
from refiner.judges.protocol import Judge
from refiner.scoring.metrics import Evaluation, evaluate

CHECKS_PER_CALL = 16
"""Checks per call to the judge. A call that fails loses no more than these."""


@dataclass(frozen=True, slots=True)
class Label:
    """A labelled claim, as the check to ask a judge. Labels of the same ``group`` are resampled together."""

    check: Check
    supported: bool
    group: str


@dataclass(frozen=True, slots=True)
class JudgeMeasurement:
    """A judge's figures on a set of labels, and its verdicts, one per label."""

    evaluation: Evaluation
    verdicts: tuple[Verdict, ...]


def read_labels(file: Path) -> tuple[Label, ...]:
    """Read the labels of a file. Raises `InputError`, which names the line that cannot be read."""
    try:
        lines = file.read_text(encoding="utf-8").split(
            "\n"
        )  # not splitlines(): a text may contain other line separators
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
    labels = tuple(
        _parse_label(f"{file}, line {number}", line) for number, line in enumerate(lines, 1) if line.strip()
    )
    if not labels:
        raise InputError(f"{file} holds no label. Each line is JSON with claim, evidence and supported.")
    return labels


def measure_judge(
    judge: Judge, labels: Sequence[Label], tick: Callable[[int], object] = lambda _: None
) -> JudgeMeasurement:
    """Ask the judge about every claim. After each call ``tick`` gets the number of checks in that call."""
    verdicts: list[Verdict] = []
    for start in range(0, len(labels), CHECKS_PER_CALL):
        checks = [label.check for label in labels[start : start + CHECKS_PER_CALL]]
        *_, verdict_of = ask(judge, checks)
        verdicts += [verdict_of[check] for check in checks]
        tick(len(checks))
    figures = evaluate(
        [verdict.value for verdict in verdicts],
        [label.supported for label in labels],
        [label.group for label in labels],
        threshold=judge.threshold,
    )
    return JudgeMeasurement(figures, tuple(verdicts))


def label_of_row(row: Mapping[str, Any]) -> Label:
    """Turn a row into a label. Raises KeyError where a required field is missing."""
    texts = [row["evidence"]] if isinstance(row["evidence"], str) else row["evidence"]
    question = str(row.get("question") or "")
    sources = tuple(Source(str(number), str(text)) for number, text in enumerate(texts, 1))
    return Label(
        Check("support", question, "", row["claim"], sources), row["supported"], question or row["claim"]
    )


def _parse_label(where: str, line: str) -> Label:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is not JSON: {error}") from error
    row = row if isinstance(row, dict) else {}
    claim, evidence, supported = (row.get(name) for name in ("claim", "evidence", "supported"))
    texts = [evidence] if isinstance(evidence, str) else evidence
    listed = isinstance(texts, list) and all(isinstance(text, str) for text in texts)
    if not (isinstance(claim, str) and listed and isinstance(supported, bool)):
        raise InputError(
            f"{where} must hold claim (a text), evidence (a list of texts) and supported (true or false)."
        )
    return label_of_row(row)
