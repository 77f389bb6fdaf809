"""Who judges: the seam between rewards and any judge."""

from collections.abc import Sequence
from typing import Protocol

from refiner.domain import Check, Verdict
from refiner.judges.quality import Quality


class Judge(Protocol):
    """Answers checks, all at once. A check that fails comes back unscored; the others stand."""

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
        """What was measured of it before it came here; None where that is kept elsewhere, or nothing was."""

    def judge(self, checks: Sequence[Check]) -> tuple[Verdict, ...]:
        """One verdict a check, in the same order."""


def ask(judge: Judge, checks: Sequence[Check]) -> dict[Check, Verdict]:
    """The judge's verdict on each check; a judge that breaks leaves every check unscored with the reason."""
    distinct = list(dict.fromkeys(checks))
    try:
        verdicts = judge.judge(distinct)
        if len(verdicts) != len(distinct):
            raise ValueError(f"{len(verdicts)} verdicts on {len(distinct)} checks")  # noqa: TRY301 - one way out
    except Exception as error:  # noqa: BLE001 - whatever broke, the answer stands and its checks are unscored
        reason = f"the judge failed: {type(error).__name__}: {error}"
        verdicts = (Verdict(None, "judged", reason, judge.name, judge.version),) * len(distinct)
    return dict(zip(distinct, verdicts, strict=True))
