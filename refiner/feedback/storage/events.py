"""The table of events, and the conversion of a rating to a row and back. Knows no database.

JSON can carry half a surrogate pair and NUL, but a database cannot keep them. They become question marks on
the way in. Everything else comes back unchanged.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from refiner.domain import Feedback
from refiner.feedback import consent

SCHEMA_VERSION = 2
"""The schema version of new rows. It is also the name of the migration that makes the table as it is here."""

METADATA = sa.MetaData()
EVENTS = sa.Table(
    "feedback_events",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(36), unique=True, nullable=False),
    sa.Column("run_id", sa.String(64), index=True, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # "vote" or "deleted"
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
"""The columns that a deletion overwrites.

The event still tells that it existed, when, and the consent of its rater.
"""


def row_from_feedback(feedback: Feedback) -> dict[str, Any]:
    """Returns what the rater entered, by column. Two ratings of a run are the same if these are equal."""
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


def feedback_from_row(row: Mapping[str, Any]) -> Feedback:
    """Returns the rating in a row."""
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
    """Returns the plain data with half surrogate pairs and NUL in its texts replaced by question marks."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
        case Mapping():
            return {storable(key): storable(one) for key, one in value.items()}
        case list() | tuple():
            return [storable(one) for one in value]
    return value
