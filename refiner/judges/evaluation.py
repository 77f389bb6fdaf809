"""Human labels of whether evidence supports a claim, and a judge measured on them.

A row is a line of JSON with ``claim``, ``evidence`` (a list of texts) and ``supported`` (true or false), and may
have ``question``.
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

AT_ONCE = 16
"""Checks that a judge is asked in one call: what breaks it costs no more than these."""


@dataclass(frozen=True, slots=True)
class Label:
    """One labelled claim, as the check that asks for it. ``group`` names what it is drawn with in resampling."""

    check: Check
    supported: bool
    group: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A judge's figures on a file, and the verdicts behind them, one a label."""

    evaluation: Evaluation
    verdicts: tuple[Verdict, ...]


def read(file: Path) -> tuple[Label, ...]:
    """The labels of a file; `InputError` names the line that cannot be read."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")  # other separators may stand inside a text
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
    labels = tuple(
        _label(f"{file}, line {number}", line) for number, line in enumerate(lines, 1) if line.strip()
    )
    if not labels:
        raise InputError(f"{file} holds no label. Each line is JSON with claim, evidence and supported.")
    return labels


def measure(
    judge: Judge, labels: Sequence[Label], tick: Callable[[int], object] = lambda _: None
) -> Measured:
    """Ask the judge about every claim; ``tick`` is told how many have come back since it was last told."""
    verdicts: list[Verdict] = []
    for start in range(0, len(labels), AT_ONCE):
        some = [label.check for label in labels[start : start + AT_ONCE]]
        *_, said = ask(judge, some)
        verdicts += [said[check] for check in some]
        tick(len(some))
    figures = evaluate(
        [verdict.value for verdict in verdicts],
        [label.supported for label in labels],
        [label.group for label in labels],
        threshold=judge.threshold,
    )
    return Measured(figures, tuple(verdicts))


def label(row: Mapping[str, Any]) -> Label:
    """A row as a label; raises KeyError where it lacks something."""
    texts = [row["evidence"]] if isinstance(row["evidence"], str) else row["evidence"]
    question = str(row.get("question") or "")
    sources = tuple(Source(str(number), str(text)) for number, text in enumerate(texts, 1))
    return Label(
        Check("support", question, "", row["claim"], sources), row["supported"], question or row["claim"]
    )


def _label(where: str, line: str) -> Label:
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
    return label(row)
