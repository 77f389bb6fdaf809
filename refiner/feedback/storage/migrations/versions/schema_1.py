"""The first release's table."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "feedback_events",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(36), unique=True, nullable=False),
        sa.Column("run_id", sa.String(64), index=True, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("choice", sa.String(16), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("consent_publish", sa.Boolean, nullable=False),
        sa.Column("consent_version", sa.String(32), nullable=False),
        sa.Column("run", sa.JSON, nullable=False),
    )
