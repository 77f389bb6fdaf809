"""What differs between SQLite and PostgreSQL: how to open each, lock it against other writers, and purge it.

Knows nothing of what the rows mean.
"""

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

LOCK_TIMEOUT_SECONDS = 30
"""How many seconds to wait for another writer."""
ENGINE_OPTIONS: dict[str, dict[str, Any]] = {
    "sqlite": {"connect_args": {"timeout": LOCK_TIMEOUT_SECONDS}},
    "postgresql": {
        "isolation_level": "READ COMMITTED",  # a read behind a lock must see what others committed
        "pool_pre_ping": True,
        "connect_args": {
            "client_encoding": "utf8",
            "connect_timeout": 10,
            "prepare_threshold": None,  # a connection pooler in between may not know prepared statements
        },
    },
}


def open_engine(url: str) -> sa.Engine:
    """Opens the database at ``url``, and makes or migrates its tables if need be.

    Several processes may do this at once. Raises the errors of SQLAlchemy, and `StoreError` if a newer
    release has migrated the database.
    """
    address = sa.make_url(url)
    if address.drivername in {"postgres", "postgresql"}:  # hosting services write it so
        address = address.set(drivername="postgresql+psycopg")
    backend = address.get_backend_name()
    if backend == "sqlite":
        address = _with_folder(address)
    engine = sa.create_engine(address, **ENGINE_OPTIONS.get(backend, {}))
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
    """Blocks every other transaction that asks for the same name until this transaction ends.

    SQLite needs no such lock: each of its transactions locks the whole file from its beginning.
    """
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(f"refiner {name}".encode()).digest()[:8], signed=True)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def purge(engine: sa.Engine) -> None:
    """Removes wiped data from the database's files.

    Raises `StoreError` while other connections still read it.

    SQLite has already overwritten the data (secure_delete), so this only writes back the log beside the file.
    PostgreSQL rewrites the table. Copies in its own log and in backups live until the server recycles them.
    """
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
            (blocked, *_) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if blocked:  # SQLite reports this in a row, not as an error
                raise _store_error(_COPY_LEFT)
    elif engine.dialect.name == "postgresql":
        alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        with alone.connect() as connection:
            try:
                connection.exec_driver_sql(f"VACUUM FULL {EVENTS.name}")
            except sa.exc.OperationalError as error:
                raise _store_error(_COPY_LEFT) from error


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turns the errors of the database, its driver and its files into `StoreError`."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError, ImportError) as error:
        raise _store_error(str(getattr(error, "orig", None) or error).splitlines()[0]) from error


def _store_error(reason: str) -> StoreError:
    return StoreError(
        f"The database of ratings could not be used: {reason}. Try again. If it fails again, "
        "let DATABASE_URL name a database that can be written."
    )


_COPY_LEFT = "the rating is wiped, but a copy may be left in the files while others read the database"


def _with_folder(url: sa.URL) -> sa.URL:
    """Makes the folder of the database file. Returns the URL with ``~`` expanded."""
    named = url.database or "file:"  # with SQLite's own URIs there is no folder to make
    if named.startswith("file:"):
        return url
    file = Path(named).expanduser()  # the driver would look for a folder named ~
    file.parent.mkdir(parents=True, exist_ok=True)
    return url.set(database=str(file))


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver would begin transactions late and with the wrong lock
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: sa.Connection) -> None:
    """Takes the write lock at once.

    A rating is compared with the run's last one before it is written. Nobody may write in between.
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare_postgresql(connection: Any, _: object) -> None:
    connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
    connection.commit()
