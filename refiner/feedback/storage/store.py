"""Stores ratings in one table of events, through SQLAlchemy. Stores nothing without the rater's consent.

Events are only added. Only a deletion changes an event: it wipes the event's texts. A run has one vote, which
is its latest event. The same rating sent again is the same event.
"""

import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from refiner.domain import Feedback
from refiner.errors import InputError
from refiner.feedback.storage import database
from refiner.feedback.storage.events import (
    EVENTS,
    SCHEMA_VERSION,
    WIPED,
    feedback_from_row,
    row_from_feedback,
    storable,
)


@dataclass(frozen=True, slots=True)
class Vote:
    """The vote that counts for a run: its event's id, when it was cast (UTC), and the rating.

    ``consent_words`` are the words of ``feedback.consent_version``, as the rater saw them.
    """

    id: str
    created_at: datetime
    feedback: Feedback
    consent_words: str = ""


class Store:
    """The ratings in the SQLite or PostgreSQL database at ``url``.

    The first use makes the file and the table.

    Threads and processes may share it. Every failure of the database is a `StoreError` that says what to do.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._engine: sa.Engine | None = None

    def add(self, feedback: Feedback) -> str:
        """Stores a rating and returns its event's id. Raises `InputError` without consent to store it."""
        if not feedback.consent_store:
            raise InputError("Nothing was stored: a rating is kept only with your consent to store it.")
        row = row_from_feedback(feedback)
        run_id = storable(feedback.run_id)
        with self._begin() as connection:
            last = self._last(connection, run_id)
            if last is not None and all(last[name] == value for name, value in row.items()):
                return str(last["id"])
            event = str(uuid.uuid4())
            row |= {
                "id": event,
                "run_id": run_id or event,
                "kind": "vote",
                "schema_version": SCHEMA_VERSION,
                "created_at": datetime.now(UTC),
                "run": storable(feedback.run),
            }
            connection.execute(EVENTS.insert(), row)
        return event

    def delete(self, event_id: str) -> bool:
        """Wipes a rating and all other ratings of its run. Returns False if there was nothing left to wipe.

        Raises `StoreError` while others read the database, as a copy may then be left in its files. A later
        call removes it.
        """
        run_query = sa.select(EVENTS.c.run_id).where(EVENTS.c.id == storable(event_id))
        with self._begin() as connection:
            run_id = connection.scalar(run_query)
            if run_id is None:
                return False
            database.lock(connection, f"run {run_id}")
            votes = sa.and_(EVENTS.c.run_id == run_id, EVENTS.c.kind == "vote")
            wiped = connection.execute(EVENTS.update().where(votes).values(WIPED)).rowcount
        with database.translate_errors():  # even if nothing was wiped: an earlier purge may have failed
            database.purge(self._open_engine())
        return wiped > 0

    def run_of(self, event_id: str) -> tuple[str, bool] | None:
        """Returns the run of a rating, and whether a rating of that run had consent to publish.

        Deleted ones count.

        Returns None if there is no such rating.
        """
        run_query = sa.select(EVENTS.c.run_id).where(EVENTS.c.id == storable(event_id))
        with self._begin() as connection:
            run_id = connection.scalar(run_query)
            if run_id is None:
                return None
            publishable_query = sa.select(sa.func.count()).where(
                EVENTS.c.run_id == run_id, EVENTS.c.consent_publish
            )
            return run_id, bool(connection.scalar(publishable_query))

    def vote(self, event_id: str) -> Vote | None:
        """Returns the vote with this event's id. Returns None if there is none, or if it no longer counts."""
        query = sa.select(EVENTS).where(_VOTE_COUNTS, EVENTS.c.id == storable(event_id))
        with self._begin() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _vote(row)

    def votes(self) -> tuple[Vote, ...]:
        """Returns the votes that count, one per run, in the order in which they were cast."""
        query = sa.select(EVENTS).where(_VOTE_COUNTS).order_by(EVENTS.c.number)
        with self._begin() as connection:
            return tuple(_vote(row) for row in connection.execute(query).mappings())

    def count(self) -> int:
        """Returns how many votes count."""
        with self._begin() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(EVENTS).where(_VOTE_COUNTS)) or 0

    def close(self) -> None:
        """Closes the connections. The next use opens the database again."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    @staticmethod
    def _last(connection: sa.Connection, run_id: str) -> Mapping[str, Any] | None:
        """Returns the run's latest vote without its ``run`` column.

        Locks the run: nobody else can add to it until the transaction ends.
        """
        database.lock(connection, f"run {run_id}")
        columns = [column for column in EVENTS.columns if column.name != "run"]
        query = sa.select(*columns).where(EVENTS.c.run_id == run_id, EVENTS.c.kind == "vote")
        row = connection.execute(query.order_by(EVENTS.c.number.desc()).limit(1)).mappings().first()
        return None if row is None else dict(row)

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        """Opens a transaction. Turns its errors into `StoreError`."""
        with database.translate_errors(), self._open_engine().begin() as connection:
            yield connection

    def _open_engine(self) -> sa.Engine:
        with self._lock:
            if self._engine is None:
                self._engine = database.open_engine(self._url)
            return self._engine


_VOTE_COUNTS = sa.and_(
    EVENTS.c.number.in_(sa.select(sa.func.max(EVENTS.c.number)).group_by(EVENTS.c.run_id)),
    EVENTS.c.kind == "vote",
)


def _vote(row: sa.RowMapping) -> Vote:
    created = row["created_at"]
    return Vote(
        row["id"],
        created.replace(tzinfo=UTC) if created.tzinfo is None else created.astimezone(UTC),
        feedback_from_row(dict(row)),
        row["consent_words"],
    )
