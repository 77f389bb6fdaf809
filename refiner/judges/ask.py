"""Asks a judge, and decides what becomes of its failures.

A judge that fails as a whole leaves checks unscored. A single check that times out is the judge's own matter: see
`judges.hosted`.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing

from refiner.domain import Check, Verdict
from refiner.judges.lexical.prepared_text import prepare
from refiner.judges.protocol import Judge, Stop, never_stop
from refiner.text import relevance

STOPPED = "the run was stopped before this was judged"


def clear_caches() -> None:
    """Free the texts that were kept for speed. Once a run is over the server keeps nothing of it."""
    relevance.clear_cache()
    prepare.cache_clear()


def ask(judge: Judge, checks: Sequence[Check], stop: Stop = never_stop) -> Generator[Mapping[Check, Verdict]]:
    """The verdicts so far, again and again: at first none, the last time one on each check.

    A check that was not judged because of a stop is unscored. If a judge breaks, the verdicts it gave stand, and the
    other checks are unscored with the reason. If a judge does not give one verdict a check, none of its verdicts counts.
    """
    every = tuple(dict.fromkeys(checks))
    verdicts: dict[Check, Verdict] = {}
    reason = STOPPED
    yield {}
    try:
        with closing(_counted(judge, every, stop)) as steps:
            for batch in steps:
                verdicts |= batch
                yield dict(verdicts)
    except _MiscountError as error:
        verdicts, reason = {}, f"the judge failed: {error}"
    except Exception as error:  # noqa: BLE001 - whatever broke, the answer stands and its checks are unscored
        reason = f"the judge failed: {type(error).__name__}: {error}"
    if len(verdicts) < len(every):
        unscored = Verdict(None, "judged", reason, judge.name, judge.version)
        yield {check: verdicts.get(check, unscored) for check in every}


class _MiscountError(Exception):
    """The judge did not give one verdict a check, so nobody knows which verdict belongs to which check."""


def _counted(judge: Judge, checks: Sequence[Check], stop: Stop) -> Generator[Mapping[Check, Verdict]]:
    """The judge's verdicts by check. `_MiscountError` for a check that is not there, is judged twice, or is missing."""
    left = dict(enumerate(checks))
    with closing(judge.judge(checks, stop)) as steps:
        for batch in steps:
            if not batch.keys() <= left.keys():
                wrong = ", ".join(sorted(map(str, batch.keys() - left.keys())))
                raise _MiscountError(
                    f"check {wrong} of {len(checks)}, counted from 0, is not there or was judged twice"
                )
            yield {left.pop(place): verdict for place, verdict in batch.items()}
    if left and not stop():
        raise _MiscountError(f"{len(checks) - len(left)} verdicts on {len(checks)} checks")
