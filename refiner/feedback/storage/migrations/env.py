"""Alembic runs this file for every command.

It uses the connection from the config and its open transaction.
"""

from alembic import context

from refiner.feedback.storage.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
