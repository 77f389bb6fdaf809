"""What a person says of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Side = Literal["refined", "draft"]

Choice = Literal["refined", "draft", "tie", "both_bad"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """One rating. Stored only with ``consent_store``; exported only with ``consent_publish``.

    ``run`` is the record that `runs.record.run_record` makes. ``stars`` (1 to 5) are the refined answer's.
    ``reasons`` are codes of chips for either side. ``criteria`` says by criterion id, and ``claims`` by place in
    the refined answer's supports, whether the rater agrees with the judge's verdict. ``left`` is the side that
    stood first, drawn at random where ``blind``. ``rater`` is a keyed hash, or empty.
    """

    run: Mapping[str, object]
    choice: Choice
    comment: str = ""
    consent_store: bool = False
    consent_publish: bool = False
    consent_version: str = ""
    run_id: str = field(default="")
    stars: int | None = None
    reasons: Mapping[Side, tuple[str, ...]] = field(default_factory=dict)
    criteria: Mapping[str, bool] = field(default_factory=dict)
    claims: Mapping[int, bool] = field(default_factory=dict)
    blind: bool = False
    left: Side = "draft"
    rater: str = ""
