"""The table of events, and how a rating becomes a row of it and comes back. Knows no database.

Texts are mended on the way in: half a surrogate pair and NUL, which JSON can carry and a database cannot keep,
become question marks. All else comes back as it was given.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from refiner.domain import Feedback
from refiner.feedback import consent

SCHEMA_VERSION = 2
"""Of the rows that are written; also the name of the migration that makes the table what it is here."""

METADATA = sa.MetaData()
EVENTS = sa.Table(
    "feedback_events",
    METADATA,
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
    sa.Column("consent_words", sa.Text, nullable=False, server_default=""),
    sa.Column("stars", sa.Integer),
    sa.Column("reasons", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("criteria", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("claims", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("blind", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("left", sa.String(16), nullable=False, server_default="draft"),
    sa.Column("rater", sa.String(64), nullable=False, server_default=""),
)

WIPED: Mapping[str, Any] = {
    "kind": "deleted",
    "choice": "",
    "comment": "",
    "run": {},
    "stars": None,
    "reasons": {},
    "criteria": {},
    "claims": {},
    "rater": "",
}
"""What an event holds after its deletion: that there was one, when, and to what its rater had agreed."""


def given(feedback: Feedback) -> dict[str, Any]:
    """What the rater gave, by column: equal for two ratings of a run that are the same."""
    row = {
        "choice": feedback.choice,
        "comment": feedback.comment,
        "consent_publish": feedback.consent_publish,
        "consent_version": feedback.consent_version,
        "consent_words": consent.words(feedback.consent_version),
        "stars": feedback.stars,
        "reasons": {side: list(codes) for side, codes in feedback.reasons.items()},
        "criteria": dict(feedback.criteria),
        "claims": {str(place): agreed for place, agreed in feedback.claims.items()},
        "blind": feedback.blind,
        "left": feedback.left,
        "rater": feedback.rater,
    }
    return {name: storable(value) for name, value in row.items()}


def rating(row: Mapping[str, Any]) -> Feedback:
    """The rating that a row holds."""
    return Feedback(
        run=row["run"],
        choice=row["choice"],
        comment=row["comment"],
        consent_store=True,
        consent_publish=row["consent_publish"],
        consent_version=row["consent_version"],
        run_id=row["run_id"],
        stars=row["stars"],
        reasons={side: tuple(codes) for side, codes in row["reasons"].items()},
        criteria=row["criteria"],
        claims={int(place): agreed for place, agreed in row["claims"].items()},
        blind=row["blind"],
        left=row["left"],
        rater=row["rater"],
    )


def storable(value: Any) -> Any:
    """Plain data, mended: every text in it as any database can keep it."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
        case Mapping():
            return {storable(key): storable(one) for key, one in value.items()}
        case list() | tuple():
            return [storable(one) for one in value]
    return value
