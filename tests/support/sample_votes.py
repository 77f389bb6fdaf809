"""Votes for tests, on runs of real questions and sources. The scripted engine answers and the lexical judge scores."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from paths import SAMPLE_CASES

from refiner.domain import Feedback, Finished, Options, Request, Source
from refiner.engines.scripted import ScriptedEngine
from refiner.feedback.consent import CURRENT
from refiner.feedback.storage.store import Vote
from refiner.judges.lexical.judge import LexicalJudge
from refiner.pipeline import refine
from refiner.runs.record import run_record
from refiner.text.sentences import split

_BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@cache
def records() -> tuple[dict[str, Any], ...]:
    """The records of three runs, as the database returns them. Each refined answer cites every source's first sentence."""
    lines = SAMPLE_CASES.read_text(encoding="utf-8").splitlines()
    return tuple(_record(json.loads(line)) for line in lines)


def vote(number: int = 0, choice: str = "refined", **overrides: Any) -> Vote:
    """A vote with consent to publish. Different numbers make different runs.

    ``run`` overrides fields of the run's record. Other names override fields of the feedback.
    """
    run = {**records()[number % 3], **overrides.pop("run", {})}
    feedback = Feedback(
        run,
        choice,  # type: ignore[arg-type]  # choices come from test tables as plain str
        consent_store=True,
        consent_publish=True,
        consent_version=CURRENT,
        run_id=f"run-{number}",
    )
    return Vote(f"event-{number}", _BEGAN + timedelta(minutes=number), replace(feedback, **overrides))


def votes(choices: Sequence[str]) -> list[Vote]:
    """One vote per choice, each on a different run."""
    return [vote(number, choice) for number, choice in enumerate(choices)]


def _record(case: dict[str, Any]) -> dict[str, Any]:
    sources = tuple(Source(one["id"], one["text"], one["title"], one["url"]) for one in case["sources"])
    claims = (f"<snippet id={one.id}>{split(one.text)[0].text.strip()}</snippet>" for one in sources)
    engine = ScriptedEngine([f"<answer>{' '.join(claims)}</answer>"])
    *_, last = refine(
        Request(case["question"], case["draft"], sources), engine, LexicalJudge(), Options(seed=7)
    )
    assert isinstance(last, Finished)
    record: dict[str, Any] = json.loads(json.dumps(run_record(last.refinement)))
    return record
