"""Asks a judge, and decides what becomes of its failures."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing

from refiner.domain import Check, Verdict
from refiner.judges.lexical.prepared import prepare
from refiner.judges.protocol import Judge, Stop, never_stop
from refiner.text import relevance

STOPPED = "the run was stopped before this was judged"


def forget() -> None:
    """Let go of the texts that were kept for speed: once a run is over they are nobody's here."""
    relevance.forget()
    prepare.cache_clear()


def ask(judge: Judge, checks: Sequence[Check], stop: Stop = never_stop) -> Generator[Mapping[Check, Verdict]]:
    """The verdicts so far, again and again: at first none, the last time one on each check.

    What was not judged because of a stop is unscored. A judge that breaks leaves what it gave, and the rest unscored
    with the reason; one whose verdicts are not one a check is believed in none.
    """
    every = tuple(dict.fromkeys(checks))
    found: dict[Check, Verdict] = {}
    reason = STOPPED
    yield {}
    try:
        with closing(_counted(judge, every, stop)) as steps:
            for some in steps:
                found |= some
                yield dict(found)
    except _MiscountError as error:
        found, reason = {}, f"the judge failed: {error}"
    except Exception as error:  # noqa: BLE001 - whatever broke, the answer stands and its checks are unscored
        reason = f"the judge failed: {type(error).__name__}: {error}"
    if len(found) < len(every):
        unscored = Verdict(None, "judged", reason, judge.name, judge.version)
        yield {check: found.get(check, unscored) for check in every}


class _MiscountError(Exception):
    """The verdicts are not one a check, so whose any of them is cannot be known."""


def _counted(judge: Judge, checks: Sequence[Check], stop: Stop) -> Generator[Mapping[Check, Verdict]]:
    """What the judge gives, by check; `_MiscountError` where that is none of the checks, one twice or too few."""
    left = dict(enumerate(checks))
    with closing(judge.judge(checks, stop)) as steps:
        for some in steps:
            if not some.keys() <= left.keys():
                wrong = ", ".join(sorted(map(str, some.keys() - left.keys())))
                raise _MiscountError(
                    f"check {wrong} of {len(checks)}, counted from 0, is not there or was judged twice"
                )
            yield {left.pop(place): verdict for place, verdict in some.items()}
    if left and not stop():
        raise _MiscountError(f"{len(checks) - len(left)} verdicts on {len(checks)} checks")
