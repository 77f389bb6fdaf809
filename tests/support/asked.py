"""A judge asked to the end: its verdicts in the order of the checks."""

from collections.abc import Sequence

from refiner.domain import Check, Verdict
from refiner.judges.ask import ask
from refiner.judges.protocol import Judge, Stop, never_stop


def verdicts_of(judge: Judge, checks: Sequence[Check], stop: Stop = never_stop) -> tuple[Verdict, ...]:
    """One verdict a check."""
    *_, said = ask(judge, checks, stop)
    return tuple(said[check] for check in checks)
