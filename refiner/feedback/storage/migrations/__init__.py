"""How a database of ratings of any release becomes this one's: one step a file in `versions`, run by Alembic.

A step is written once and never changed, and takes nothing from the rest of Refiner, which moves on.
"""

import threading
from pathlib import Path

import sqlalchemy as sa

from refiner.errors import StoreError

VERSION_TABLE = "feedback_revision"
"""Of our own name: another program in the same database may keep Alembic's default."""

_ALONE = threading.Lock()  # Alembic keeps its context in globals


def upgrade(connection: sa.Connection, to: str = "head") -> None:
    """Bring the tables up to date, inside the connection's transaction, of which no other process may have the like.

    `StoreError` where a newer release has been at the database.
    """
    from alembic import command  # noqa: PLC0415 - half of the store's start, and seldom needed
    from alembic.config import Config  # noqa: PLC0415 - the same
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - the same

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    found = revision(connection)
    with _ALONE:
        known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
        if found and found not in known:
            raise StoreError(
                f"The database of ratings was made by a newer Refiner (revision {found}). Update Refiner, or "
                "let DATABASE_URL name another database."
            )
        if not found and sa.inspect(connection).has_table("feedback_events"):
            command.stamp(config, "1")  # the first release kept no revision
        command.upgrade(config, to)


def revision(connection: sa.Connection) -> str:
    """The last step that was taken; empty before the first, and in the first release's database."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return ""
    version = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))
    return connection.scalar(sa.select(version.c.version_num)) or ""
