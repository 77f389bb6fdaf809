"""Eight processes that vote, killed half-way: whether a vote that was acknowledged is lost, or any doubled.

`votes.py [--votes N] [--seed N]`: on SQLite, on PostgreSQL, and on PostgreSQL whose server is killed too. Each
writer casts N votes with the record of a real run; 30% are sent twice at the same time. It notes what `Store.add`
has acknowledged. Each is killed (SIGKILL) once, in the middle half of its votes, and started again: it goes on
behind its notes, so that what was under way is sent again. Prints Markdown.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import postgres
import sqlalchemy as sa
from paths import SAMPLE_CASES

from refiner.domain import Feedback
from refiner.errors import StoreError
from refiner.feedback import consent
from refiner.feedback.storage import database
from refiner.feedback.storage.events import EVENTS
from refiner.feedback.storage.store import Store

WRITERS, VOTES, AGAIN = 8, 500, 0.3
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["refiner.feedback.storage.store", "psycopg", "pytest"]
)  # a start takes no time


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was sent, what the database holds, and what it took.

    ``under_way`` votes were stored when their writer was killed before it could note that. ``waits`` are the
    seconds until each vote was acknowledged.
    """

    sends: int
    acknowledged: int
    lost: int
    doubled: int
    counted: int
    killed: int
    under_way: int
    seconds: float
    waits: tuple[float, ...]


# --- a writer, a process of its own ----------------------------------------------------------------


def write(url: str, folder: Path, writer: int, votes: int) -> None:
    """Cast what is not yet noted as acknowledged."""
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    notes = os.open(folder / str(writer), os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    with closing(Store(url)) as store, ThreadPoolExecutor(2) as pool:
        for number in range(len(noted(folder, writer)), votes):
            vote = Feedback(
                record,
                "refined",
                f"vote {number}",
                consent_store=True,
                consent_version=consent.CURRENT,
                run_id=run_id(writer, number),
            )
            began = time.perf_counter()
            events = set(pool.map(partial(insist, store), [vote] * copies(writer, number)))
            took = time.perf_counter() - began
            if len(events) > 1:
                sys.exit(f"One vote became {len(events)} events.")
            os.write(notes, f"{number} {events.pop()} {took:.6f}\n".encode())


def insist(store: Store, vote: Feedback) -> str:
    """Send until it is acknowledged; the server may be down for a while."""
    for _ in range(600):
        try:
            return store.add(vote)
        except StoreError:
            time.sleep(0.05)
    return store.add(vote)


def run_id(writer: int, number: int) -> str:
    """The run that a vote is for."""
    return f"{writer}-{number}"


def copies(writer: int, number: int) -> int:
    """How often a vote is sent."""
    return 2 if random.Random(run_id(writer, number)).random() < AGAIN else 1  # noqa: S311 - no secret


def noted(folder: Path, writer: int) -> list[tuple[str, float]]:
    """What a writer noted, by the vote's number: event and seconds. A line is written whole or not at all."""
    file = folder / str(writer)
    lines = file.read_text(encoding="ascii").splitlines() if file.exists() else []
    fields = [line.split() for line in lines]
    if [int(number) for number, _, _ in fields] != list(range(len(fields))):
        raise ValueError(f"Writer {writer} left a vote out.")
    return [(event, float(seconds)) for _, event, seconds in fields]


# --- what is done to them --------------------------------------------------------------------------


def run(
    url: str, record: Mapping[str, object], votes: int, seed: int, crash: Callable[[], None] | None = None
) -> Outcome:
    """Have the writers vote, kill each once, ``crash`` the server once where that is given, and count."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
        began = time.perf_counter()
        killed, under_way = _under_fire(url, folder, votes, random.Random(seed), crash)  # noqa: S311 - no secret
        seconds = time.perf_counter() - began
        notes = {
            run_id(writer, number): note
            for writer in range(WRITERS)
            for number, note in enumerate(noted(folder, writer))
        }
    with closing(Store(url)) as store:
        held = {vote.feedback.run_id: vote.id for vote in store.votes()}
    return Outcome(
        sends=sum(copies(writer, number) for writer in range(WRITERS) for number in range(votes)),
        acknowledged=len(notes),
        lost=sum(held.get(run) != event for run, (event, _) in notes.items()),
        doubled=_stored(url, "%") - len(held),
        counted=len(held),
        killed=killed,
        under_way=under_way,
        seconds=seconds,
        waits=tuple(took for _, took in notes.values()),
    )


def _under_fire(
    url: str, folder: Path, votes: int, chance: random.Random, crash: Callable[[], None] | None
) -> tuple[int, int]:
    """How many writers were killed, and how many votes were stored then that they had not noted."""
    running = {writer: _start(url, folder, writer, votes) for writer in range(WRITERS)}
    doomed = {writer: chance.randint(votes // 4, votes * 3 // 4) for writer in running}
    crash_at = WRITERS * chance.randint(votes * 2 // 5, votes * 3 // 5)
    killed = under_way = 0
    try:
        while running:
            time.sleep(0.02)
            if crash is not None and sum(_lines(folder, writer) for writer in range(WRITERS)) >= crash_at:
                crash()
                crash = None
            for writer, process in list(running.items()):
                if writer in doomed and _lines(folder, writer) >= doomed[writer]:
                    del doomed[writer]
                    time.sleep(chance.random() / 100)
                    process.kill()
                    process.join()
                    killed += process.exitcode == -signal.SIGKILL
                    under_way += _stored(url, run_id(writer, "%")) - _lines(folder, writer)
                    running[writer] = _start(url, folder, writer, votes)
                elif process.exitcode is not None:
                    if process.exitcode:
                        raise RuntimeError(f"Writer {writer} failed.")
                    del running[writer]
    finally:
        for process in running.values():  # where one failed
            process.kill()
    return killed, under_way


def _start(url: str, folder: Path, writer: int, votes: int) -> ForkServerProcess:
    process = PROCESSES.Process(target=write, args=(url, folder, writer, votes))
    process.start()
    return process


def _lines(folder: Path, writer: int) -> int:
    file = folder / str(writer)
    return file.read_bytes().count(b"\n") if file.exists() else 0


def _stored(url: str, runs: str) -> int:
    """How many events there are for runs whose id is like that."""
    engine = database.open_engine(url)
    with engine.begin() as connection:
        query = sa.select(sa.func.count()).select_from(EVENTS).where(EVENTS.c.run_id.like(runs))
        found: int = connection.scalar(query) or 0
    engine.dispose()
    return found


# --- the databases ---------------------------------------------------------------------------------


def on_sqlite(votes: int, seed: int) -> Outcome:
    """In a file."""
    with tempfile.TemporaryDirectory() as folder:
        return run(f"sqlite:///{Path(folder).as_posix()}/feedback.db", real_record(), votes, seed)


def on_postgresql(votes: int, seed: int, *, killed: bool = False) -> Outcome:
    """On a server of its own, which can be killed too, and is started again at once."""
    with postgres.running_server() as server, server.database() as url:

        def crash() -> None:
            server.kill()
            server.start()

        return run(url, real_record(), votes, seed, crash if killed else None)


DATABASES: dict[str, Callable[[int, int], Outcome]] = {
    "SQLite": on_sqlite,
    "PostgreSQL": on_postgresql,
    "PostgreSQL, server killed": partial(on_postgresql, killed=True),
}


def real_record() -> dict[str, object]:
    """The record of a run on a real case, its draft taken for the answer."""
    from refiner import batch  # noqa: PLC0415 - a writer needs none of this
    from refiner.domain import Finished, Options  # noqa: PLC0415 - the same
    from refiner.engines.scripted import ScriptedEngine  # noqa: PLC0415 - the same
    from refiner.judges.lexical.judge import LexicalJudge  # noqa: PLC0415 - the same
    from refiner.pipeline import refine  # noqa: PLC0415 - the same
    from refiner.runs.record import run_record  # noqa: PLC0415 - the same

    request = batch.request_of(next(batch.read_cases(SAMPLE_CASES)))
    *_, last = refine(request, ScriptedEngine([request.draft]), LexicalJudge(), Options())
    assert isinstance(last, Finished)
    return run_record(last.refinement)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--votes", type=int, default=VOTES)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    columns = (
        "database",
        "votes",
        "sends",
        "writers killed",
        "stored, not yet noted",
        "acknowledged",
        "lost",
        "doubled",
        "votes a second",
        "ms until acknowledged: median",
        "99%",
        "longest",
    )
    sys.stdout.write(f"| {' | '.join(columns)} |\n|---|{'---:|' * (len(columns) - 1)}\n")
    for name, voted in DATABASES.items():
        one = voted(arguments.votes, arguments.seed)
        waits = sorted(1000 * took for took in one.waits)
        cells = (
            name,
            one.counted,
            one.sends,
            one.killed,
            one.under_way,
            one.acknowledged,
            one.lost,
            one.doubled,
            f"{one.counted / one.seconds:.0f}",
            f"{statistics.median(waits):.1f}",
            f"{waits[len(waits) * 99 // 100]:.0f}",
            f"{waits[-1]:.0f}",
        )
        sys.stdout.write(f"| {' | '.join(map(str, cells))} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
