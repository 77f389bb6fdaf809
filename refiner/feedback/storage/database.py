"""What differs between SQLite and PostgreSQL: how each is opened, and how each keeps two writers apart."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from refiner.errors import StoreError
from refiner.feedback.storage import migrations
from refiner.feedback.storage.events import EVENTS, SCHEMA_VERSION

WAIT = 30
"""Seconds for which another writer is waited for."""
SETTINGS: dict[str, dict[str, Any]] = {
    "sqlite": {"connect_args": {"timeout": WAIT}},
    "postgresql": {
        "isolation_level": "READ COMMITTED",  # so that what is read behind a lock is what others left there
        "pool_pre_ping": True,
        "connect_args": {
            "client_encoding": "utf8",
            "connect_timeout": 10,
            "prepare_threshold": None,  # a pooler between us and the server may not know what was prepared
        },
    },
}


def opened(url: str) -> sa.Engine:
    """The database at ``url``, made or brought up to date where it must be. Safe in several processes at once."""
    where = sa.make_url(url)
    if where.drivername in {"postgres", "postgresql"}:  # as hosts give it
        where = where.set(drivername="postgresql+psycopg")
    backend = where.get_backend_name()
    if backend == "sqlite":
        where = _with_folder(where)
    engine = sa.create_engine(where, **SETTINGS.get(backend, {}))
    if backend == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_immediately)
    elif backend == "postgresql":
        sa.event.listen(engine, "connect", _prepare_postgresql)
    try:
        with engine.begin() as connection:
            lock(connection, "schema")
            if migrations.revision(connection) != str(SCHEMA_VERSION):
                migrations.upgrade(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def lock(connection: sa.Connection, name: str) -> None:
    """Until the transaction ends no other one gets past here with the same name.

    SQLite's transactions have the whole file to themselves from their beginning.
    """
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(f"refiner {name}".encode()).digest()[:8], signed=True)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def purge(engine: sa.Engine) -> None:
    """Have what was wiped leave the database's files too; `StoreError` while others still read it.

    SQLite overwrites (secure_delete), and here writes back the log beside the file. PostgreSQL writes the table
    anew; copies in its own log, and in backups, live until the server recycles them.
    """
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
            (blocked, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if blocked:  # told in a row, not as an error
                raise _failure(_LEFT)
    elif engine.dialect.name == "postgresql":
        alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        with alone.connect() as connection:
            try:
                connection.exec_driver_sql(f"VACUUM FULL {EVENTS.name}")
            except sa.exc.OperationalError as error:
                raise _failure(_LEFT) from error


@contextmanager
def told() -> Iterator[None]:
    """Failures of the database in words."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError, ImportError) as error:
        raise _failure(str(getattr(error, "orig", None) or error).splitlines()[0]) from error


def _failure(reason: str) -> StoreError:
    return StoreError(
        f"The database of ratings could not be used: {reason}. Try again. If it stays so, "
        "DATABASE_URL must name a database that can be written."
    )


_LEFT = "wiped, but a copy may be left while others read it"


def _with_folder(url: sa.URL) -> sa.URL:
    """The same file, in a folder that is there."""
    named = url.database or "file:"  # SQLite's own addresses name no folder of ours
    if named.startswith("file:"):
        return url
    file = Path(named).expanduser()  # the driver would take ~ for a folder's name
    file.parent.mkdir(parents=True, exist_ok=True)
    return url.set(database=str(file))


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # this driver would begin late, and with the wrong kind of lock
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: sa.Connection) -> None:
    """Take the write lock at once: what is read to tell a rating sent twice must still hold when writing."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare_postgresql(connection: Any, _: object) -> None:
    connection.execute(f"SET lock_timeout = '{WAIT}s'")
    connection.commit()
