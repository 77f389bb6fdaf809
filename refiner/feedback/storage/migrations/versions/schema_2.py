"""Adds the words of consent, and the new parts of a rating: stars, reasons, verdicts, sides and rater."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

WORDS = {
    "2026-1": "Store this run’s texts with my rating. Without this tick nothing is stored.\n"
    "They may be published, as part of an open data set of preferences.",
}
"""The words of consent that the first release showed."""


def upgrade() -> None:
    """Adds the columns, and fills in the words of consent of the existing rows."""
    for column in (
        sa.Column("consent_words", sa.Text, nullable=False, server_default=""),
        sa.Column("stars", sa.Integer),
        sa.Column("reasons", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("criteria", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("claims", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("blind", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("left", sa.String(16), nullable=False, server_default="draft"),
        sa.Column("rater", sa.String(64), nullable=False, server_default=""),
    ):
        op.add_column("feedback_events", column)
    events = sa.table("feedback_events", sa.column("consent_version"), sa.column("consent_words"))
    for version, words in WORDS.items():
        op.execute(events.update().where(events.c.consent_version == version).values(consent_words=words))
