"""Votes in a database, as an owner may find them: over weeks, of several models, some blind, and some that attack."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from harness import PAYLOADS
from sample_votes import vote

from refiner.feedback.storage.database import open_engine
from refiner.feedback.storage.events import EVENTS
from refiner.feedback.storage.store import Store

ATTACK = " ".join(PAYLOADS)
CHOICES = (
    "refined",
    "refined",
    "draft",
    "refined",
    "tie",
    "refined",
    "draft",
    "refined",
    "both_bad",
    "refined",
)
MODELS = ("refiner-4B-step50-mine", "SmolLM2-135M-mine")
JUDGE = "Qwen3.5-35B-mine"
COMMENT = "The second sentence says more than its source."
TITLES = ("Citation Discipline", "Off-Query Padding", "Names the year")


def seed_votes(url: str, number: int = 120, **fields: Any) -> None:
    """Keep so many votes, two a day; the last one attacks with everything that a stranger can write."""
    votes = [_vote(one) for one in range(number - 1)]
    attack = {"question": f"Question {ATTACK}", "model": ATTACK, "prompt_version": ATTACK}
    votes.append(_vote(number, comment=f"Comment {ATTACK}", run=attack, **fields))
    with closing(Store(url)) as store:
        numbers = [store.add(one) for one in votes]
    _spread(url, numbers)


def _vote(number: int, **fields: Any) -> Any:
    raters, blind = f"rater-{number % 7}", number % 3 == 0
    run = {"model": MODELS[number % 5 == 0], "reward": _reward(number), **fields.pop("run", {})}
    rest = {"comment": COMMENT if number % 4 == 0 else "", **fields}
    feedback = vote(
        number,
        CHOICES[number % len(CHOICES)],
        run=run,
        rater=raters,
        blind=blind,
        left="refined" if blind and number % 2 else "draft",
        stars=number % 5 + 1,
        criteria={f"c{place}": (number + place) % 4 > 0 for place in range(len(TITLES))},
        claims={0: number % 5 > 0, 1: number % 3 > 0},
        **rest,
    ).feedback
    return replace(feedback, run_id=f"run-{number}")


def _reward(number: int) -> dict[str, Any]:
    judge = {"basis": "judged", "label": "", "judge": JUDGE, "judge_version": "asking-3"}
    guess = {"basis": "estimated", "judge": "lexical estimate", "judge_version": "lexical-1"}
    criteria = [
        {"id": f"c{place}", "title": title, "value": ((number * 7 + place) % 5) / 4, **judge}
        for place, title in enumerate(TITLES)
    ]
    supports = [
        {"ids": ["1"], "value": 0.9, "label": "no problem found (not verified)", **guess},
        {"ids": ["1"], "value": 0.1 + number % 7 / 10, "label": "problem found", **guess},
    ]
    return {"rubric": {"criteria": criteria}, "citation": {"supports": supports}}


def _spread(url: str, numbers: Sequence[str]) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        for place, event in enumerate(reversed(numbers)):
            here = EVENTS.c.id == event
            cast_at = connection.scalar(sa.select(EVENTS.c.created_at).where(here))
            earlier = cast_at - timedelta(days=place // 2 + place // 17)
            connection.execute(EVENTS.update().where(here).values(created_at=earlier))
    engine.dispose()
