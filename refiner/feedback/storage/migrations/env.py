"""Run by Alembic for every command: on the connection it was given, in the transaction that is open there."""

from alembic import context

from refiner.feedback.storage.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
