"""Votes for tests: real questions and sources, run by the scripted engine and the lexical judge, rated by script."""

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
    """The records of three runs, as the database gives them back: the refined answer cites each source's opening."""
    lines = SAMPLE_CASES.read_text(encoding="utf-8").splitlines()
    return tuple(_record(json.loads(line)) for line in lines)


def vote(number: int = 0, choice: str = "refined", **given: Any) -> Vote:
    """A vote with consent to publish; two of different numbers are two runs. ``run`` changes what the record holds."""
    run = {**records()[number % 3], **given.pop("run", {})}
    feedback = Feedback(
        run,
        choice,  # type: ignore[arg-type]  # a test's table of words
        consent_store=True,
        consent_publish=True,
        consent_version=CURRENT,
        run_id=f"run-{number}",
    )
    return Vote(f"event-{number}", _BEGAN + timedelta(minutes=number), replace(feedback, **given))


def votes(choices: Sequence[str]) -> list[Vote]:
    """One vote a choice, each of another run."""
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
