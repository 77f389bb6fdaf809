"""Migrates a database of ratings from any release to this one.

Each file in `versions` is a step, run by Alembic.

A released step never changes. It imports nothing from the rest of Refiner, which does change.
"""

import threading
from pathlib import Path

import sqlalchemy as sa

from refiner.errors import StoreError

VERSION_TABLE = "feedback_revision"
"""The table of the current step. Another program in the same database may use Alembic's default name."""

_ALEMBIC_LOCK = threading.Lock()  # Alembic keeps its context in globals


def upgrade(connection: sa.Connection, to: str = "head") -> None:
    """Migrates the tables to the step ``to``, inside the connection's transaction.

    The caller makes sure that no other process migrates at the same time. Raises `StoreError` if a newer
    release has migrated the database.
    """
    from alembic import command  # noqa: PLC0415 - half of the store's start-up time, seldom needed
    from alembic.config import Config  # noqa: PLC0415 - the same
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - the same

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    current = revision(connection)
    with _ALEMBIC_LOCK:
        known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
        if current and current not in known:
            raise StoreError(
                f"The database of ratings was made by a newer Refiner (revision {current}). "
                "Update Refiner, or let DATABASE_URL name another database."
            )
        if not current and sa.inspect(connection).has_table("feedback_events"):
            command.stamp(config, "1")  # the first release stored no revision
        command.upgrade(config, to)


def revision(connection: sa.Connection) -> str:
    """Returns the last step taken. Returns "" before the first, and for the first release's database."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return ""
    version = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))
    return connection.scalar(sa.select(version.c.version_num)) or ""
