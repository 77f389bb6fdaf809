"""Asks a judge until it has finished and returns its verdicts in the order of the checks."""

from collections.abc import Sequence

from refiner.domain import Check, Verdict
from refiner.judges.ask import ask
from refiner.judges.protocol import Judge, Stop, never_stop


def verdicts_of(judge: Judge, checks: Sequence[Check], stop: Stop = never_stop) -> tuple[Verdict, ...]:
    """One verdict per check."""
    *_, verdict_of = ask(judge, checks, stop)
    return tuple(verdict_of[check] for check in checks)
