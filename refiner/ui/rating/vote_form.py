"""A rating as it was filled in. Knows no Gradio.

In a blind rating the page names the answers left and right; which was which was drawn with the run.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from refiner.domain import Choice, Feedback, Refinement, Side
from refiner.errors import InputError
from refiner.feedback import consent
from refiner.feedback.reasons import REASONS
from refiner.runs.record import run_record

Press = Literal["first", "second", "tie", "both_bad"]
"""What was pressed; the first is the left answer of a blind rating, the refined one of another."""
_MOST_STARS = 5
_LONGEST = 10_000
"""Characters of a comment."""


@dataclass(frozen=True, slots=True)
class Held:
    """The run that the page shows, in the memory of the visit, and when it was made (UTC).

    Without an ``id`` it was not made in this visit, and cannot be rated. ``choice`` is set once it was voted on.
    """

    id: str
    run: Refinement
    made: datetime
    blind: bool = False
    left: Side = "draft"
    choice: Choice | None = None

    @property
    def covered(self) -> bool:
        """Whether it must not be told yet which answer is which."""
        return self.blind and self.choice is None

    @property
    def sides(self) -> tuple[Side, Side]:
        """What the first and the second button mean."""
        first: Side = self.left if self.blind else "refined"
        return (first, "draft" if first == "refined" else "refined")

    def chosen(self, press: Press) -> Choice:
        """What a press means."""
        if press in {"first", "second"}:
            return self.sides[("first", "second").index(press)]
        return cast("Choice", press)


@dataclass(frozen=True, slots=True)
class Ballot:
    """The fields of the rating, as they stand on the page; ``agreed`` is JSON of the script's."""

    stars: int | str | None = None
    first: Sequence[str] = ()
    second: Sequence[str] = ()
    comment: str = ""
    agreed: str = ""
    browser: str = ""
    keep: bool = False
    publish: bool = False

    def feedback(self, held: Held, choice: Choice, rater: str) -> Feedback:
        """The rating. Nothing in it but what the page could have sent; `InputError` for what it could not."""
        criteria, claims = _agreed(self.agreed, held.run)
        reasons = {
            side: tuple(code for code in REASONS if code in given)
            for side, given in zip(held.sides, (self.first, self.second), strict=True)
            if given
        }
        return Feedback(
            run_record(held.run),
            choice,
            self.comment.strip()[:_LONGEST],
            consent_store=self.keep,
            consent_publish=self.publish,
            consent_version=consent.CURRENT,
            run_id=held.id,
            stars=_stars(self.stars),
            reasons=reasons,
            criteria=criteria,
            claims=claims,
            blind=held.blind,
            left=held.left,
            rater=rater,
        )


def _stars(given: int | str | None) -> int | None:
    if given is None or given == "":
        return None
    if str(given) not in {str(n) for n in range(1, _MOST_STARS + 1)}:
        raise InputError(f"Stars: from 1 to {_MOST_STARS}.")
    return int(given)


def _agreed(text: str, run: Refinement) -> tuple[dict[str, bool], dict[int, bool]]:
    """Agreement by criterion and by claim, of those that have a verdict."""
    try:
        data = json.loads(text) if text else {}
    except (ValueError, RecursionError) as error:
        raise InputError("What you agree with could not be read. Reload the page and vote again.") from error
    given = {kind: data.get(kind) if isinstance(data, dict) else None for kind in ("criteria", "claims")}
    criteria, claims = (one if isinstance(one, dict) else {} for one in given.values())
    known = [criterion.id for criterion, verdict in run.reward.rubric.verdicts if verdict.value is not None]
    supports = run.reward.citation.supports
    places = [place for place, one in enumerate(supports) if one.verdict.value is not None]
    return (
        {name: criteria[name] for name in known if isinstance(criteria.get(name), bool)},
        {place: claims[str(place)] for place in places if isinstance(claims.get(str(place)), bool)},
    )
