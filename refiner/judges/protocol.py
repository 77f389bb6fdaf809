"""The seam between rewards and any judge."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Protocol

from refiner.domain import Check, Verdict
from refiner.judges.quality import Quality

Stop = Callable[[], bool]


def never_stop() -> bool:
    """Never stop."""
    return False


class Judge(Protocol):
    """Answers checks, all in one call. A check that fails comes back unscored, and the others stand."""

    @property
    def name(self) -> str:
        """What people see: the model's or the method's name."""

    @property
    def version(self) -> str:
        """Changes whenever a verdict could."""

    @property
    def threshold(self) -> float:
        """The value from which on a claim counts as supported, where yes or no is asked."""

    @property
    def quality(self) -> Quality | None:
        """Measured figures that ship with the judge. None if they are kept elsewhere, or nothing was measured."""

    def judge(self, checks: Sequence[Check], stop: Stop = never_stop) -> Generator[Mapping[int, Verdict]]:
        """Verdicts as they come, by the position of their check: one for each check, in any order, a few at a time.

        Once ``stop`` returns True nothing more is asked, and a check that was not asked has no verdict. Closing the
        generator early ends the work behind it.
        """
