"""Ratings for tests, and functions that send them from other processes. Each process imports this, so it is light."""

from contextlib import closing
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from typing import TYPE_CHECKING

from refiner.domain import Feedback
from refiner.feedback import consent
from refiner.feedback.storage.store import Store

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue

SECRET = "the secret comment of a rater"  # noqa: S105 - a text to search for, not a password


def make_feedback(run_id: str = "r1", **changed: object) -> Feedback:
    """A rating with the first release's fields, except for the fields in ``changed``."""
    feedback = Feedback({"draft": "It is so."}, "refined", SECRET, consent_store=True, run_id=run_id)
    return replace(feedback, **changed)  # type: ignore[arg-type]  # fields by name


FULL = make_feedback(
    consent_publish=True,
    consent_version=consent.CURRENT,
    stars=4,
    reasons={"refined": ("clearer", "cited"), "draft": ()},
    criteria={"c1": True, "c2": False},
    claims={0: True, 12: False},
    blind=True,
    left="refined",
    rater="0123456789abcdef" * 2,
)


def send_twice(url: str, first: int, times: int) -> None:
    """Send every rating twice."""
    with closing(Store(url)) as store:
        for number in range(first, first + times):
            store.add(make_feedback(f"run{number}"))
            store.add(make_feedback(f"run{number}"))


def send_at_once(url: str, start: Barrier, sent: "SimpleQueue[str]") -> None:
    """Send the same rating at the same moment as the other processes."""
    with closing(Store(url)) as store:
        start.wait()  # nobody has opened the database yet
        sent.put(store.add(FULL))
