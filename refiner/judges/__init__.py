"""Who judges: the seam between rewards and any judge."""

from collections.abc import Sequence
from typing import Protocol

from refiner.domain import Check, Verdict


class Judge(Protocol):
    """Answers checks, all at once. A check that fails comes back unscored; the others stand."""

    @property
    def name(self) -> str:
        """What people see: the model's or the method's name."""

    @property
    def version(self) -> str:
        """Changes whenever a verdict could."""

    def judge(self, checks: Sequence[Check]) -> tuple[Verdict, ...]:
        """One verdict a check, in the same order."""
