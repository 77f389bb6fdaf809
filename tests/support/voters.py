"""Ratings for tests, and processes that send them: light to import, as each process does."""

from contextlib import closing
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from typing import TYPE_CHECKING

from refiner.domain import Feedback
from refiner.feedback import consent
from refiner.feedback.storage.store import Store

if TYPE_CHECKING:
    from multiprocessing.queues import SimpleQueue

SECRET = "the secret comment of a rater"  # noqa: S105 - a text to look for, no password


def rated(run_id: str = "r1", **changed: object) -> Feedback:
    """A rating as the first release knew it, but for the fields named."""
    given = Feedback({"draft": "It is so."}, "refined", SECRET, consent_store=True, run_id=run_id)
    return replace(given, **changed)  # type: ignore[arg-type]  # fields by name


FULL = rated(
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


def cast(url: str, first: int, times: int) -> None:
    """Send every rating twice."""
    with closing(Store(url)) as store:
        for number in range(first, first + times):
            store.add(rated(f"run{number}"))
            store.add(rated(f"run{number}"))


def cast_together(url: str, start: Barrier, sent: "SimpleQueue[str]") -> None:
    """Send the one rating when all others do."""
    with closing(Store(url)) as store:
        start.wait()  # nobody has opened the database yet
        sent.put(store.add(FULL))
