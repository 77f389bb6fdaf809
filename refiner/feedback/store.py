"""Where ratings are kept: one table of events, through SQLAlchemy. Nothing without the rater's consent.

Events are only ever added; the one thing that changes an event is its deletion, which wipes its texts. A run
has one vote: the latest event counts, and the same rating sent again is the same event.
"""

import sqlite3
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from refiner.domain import Feedback
from refiner.errors import InputError, StoreError

SCHEMA_VERSION = 1

_METADATA = sa.MetaData()
_EVENTS = sa.Table(
    "feedback_events",
    _METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(36), unique=True, nullable=False),
    sa.Column("run_id", sa.String(64), index=True, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # vote, or deleted
    sa.Column("schema_version", sa.Integer, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("choice", sa.String(16), nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("consent_publish", sa.Boolean, nullable=False),
    sa.Column("consent_version", sa.String(32), nullable=False),
    sa.Column("run", sa.JSON, nullable=False),
)
_SAME = ("choice", "comment", "consent_publish", "consent_version")


@dataclass(frozen=True, slots=True)
class Vote:
    """The vote that counts for a run: its event's id, when it was cast (UTC), and what was given."""

    id: str
    created_at: datetime
    feedback: Feedback


class Store:
    """Ratings in the database at ``url``; file and table are made at first use. Safe to use from threads.

    Every failure of the database is a `StoreError` that says what to do.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._engine: sa.Engine | None = None

    def add(self, feedback: Feedback) -> str:
        """Keep a rating; returns its event's id. `InputError` without consent."""
        if not feedback.consent_store:
            raise InputError("Nothing was stored: a rating is kept only with your consent to store it.")
        row: dict[str, Any] = {
            "choice": feedback.choice,
            "comment": _storable(feedback.comment),
            "consent_publish": feedback.consent_publish,
            "consent_version": feedback.consent_version,
        }
        run_id = _storable(feedback.run_id)
        with self._begin() as connection:
            last = self._last(connection, run_id)
            if last is not None and all(last[name] == row[name] for name in _SAME):
                return str(last["id"])
            event = str(uuid.uuid4())
            row |= {
                "id": event,
                "run_id": run_id or event,
                "kind": "vote",
                "schema_version": SCHEMA_VERSION,
                "created_at": datetime.now(UTC),
                "run": dict(feedback.run),
            }
            connection.execute(_EVENTS.insert(), row)
        return event

    def delete(self, event_id: str) -> bool:
        """Wipe the texts of a rating and of all others of its run; False where there is none, or none any more.

        `StoreError` while somebody else reads the file and a copy may be left beside it: ask again.
        """
        here = sa.and_(_EVENTS.c.id == _storable(event_id), _EVENTS.c.kind == "vote")
        with self._begin() as connection:
            run_id = connection.scalar(sa.select(_EVENTS.c.run_id).where(here))
            if run_id is not None:
                wiped = {"kind": "deleted", "choice": "", "comment": "", "run": {}}
                connection.execute(_EVENTS.update().where(_EVENTS.c.run_id == run_id).values(wiped))
        self._empty_log()  # also when there was nothing to wipe: an earlier try may have failed here
        return run_id is not None

    def votes(self) -> tuple[Vote, ...]:
        """The votes that count, one a run, in the order in which they were cast."""
        latest = sa.select(sa.func.max(_EVENTS.c.number)).group_by(_EVENTS.c.run_id)
        query = (
            sa.select(_EVENTS)
            .where(_EVENTS.c.number.in_(latest), _EVENTS.c.kind == "vote")
            .order_by(_EVENTS.c.number)
        )
        with self._begin() as connection:
            return tuple(_vote(row) for row in connection.execute(query).mappings())

    def count(self) -> int:
        """How many votes count."""
        return len(self.votes())

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    @staticmethod
    def _last(connection: sa.Connection, run_id: str) -> Mapping[str, Any] | None:
        query = sa.select(_EVENTS).where(_EVENTS.c.run_id == run_id, _EVENTS.c.kind == "vote")
        row = connection.execute(query.order_by(_EVENTS.c.number.desc()).limit(1)).mappings().first()
        return None if row is None else dict(row)

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        """A transaction."""
        with _told(), self._opened().begin() as connection:
            yield connection

    def _empty_log(self) -> None:
        """Write back what SQLite keeps beside the file, so that what was wiped is gone there too."""
        with _told():
            engine = self._opened()
            if engine.dialect.name == "sqlite":
                with closing(engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
                    (blocked, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                    if blocked:  # told in a row, not as an error
                        raise sqlite3.OperationalError("wiped, but a copy may be left while others read it")

    def _opened(self) -> sa.Engine:
        with self._lock:
            if self._engine is None:
                url = sa.make_url(self._url)
                named = url.database or "file:"  # SQLite's own addresses name no folder of ours
                if url.get_backend_name() == "sqlite" and not named.startswith("file:"):
                    file = Path(named).expanduser()
                    file.parent.mkdir(parents=True, exist_ok=True)
                    if named.startswith("~"):  # the driver would take it for a folder's name
                        url = url.set(database=str(file))
                engine = sa.create_engine(url, connect_args=_CONNECT.get(url.get_backend_name(), {}))
                if engine.dialect.name == "sqlite":
                    sa.event.listen(engine, "connect", _prepare_sqlite)
                    sa.event.listen(engine, "begin", _begin_immediately)
                _METADATA.create_all(engine)
                self._engine = engine
            return self._engine


@contextmanager
def _told() -> Iterator[None]:
    """Failures of the database in words."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError, ImportError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise StoreError(
            f"The database of ratings could not be used: {reason}. Try again. If it stays so, "
            "DATABASE_URL must name a database that can be written."
        ) from error


def _storable(text: str) -> str:
    """Half a surrogate pair, which JSON can carry and no database can keep, becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


_CONNECT = {"sqlite": {"timeout": 30}}  # seconds to wait for another writer


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # this driver would begin late, and with the wrong kind of lock
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: sa.Connection) -> None:
    """Take the write lock at once: what is read to tell a rating sent twice must still hold when writing."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _vote(row: sa.RowMapping) -> Vote:
    created = row["created_at"]
    return Vote(
        row["id"],
        created.replace(tzinfo=UTC) if created.tzinfo is None else created,
        Feedback(
            run=row["run"],
            choice=row["choice"],
            comment=row["comment"],
            consent_store=True,
            consent_publish=row["consent_publish"],
            consent_version=row["consent_version"],
            run_id=row["run_id"],
        ),
    )
