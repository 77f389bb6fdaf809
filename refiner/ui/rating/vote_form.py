"""The filled-in fields of the rating, and the `Feedback` that they make. Knows no Gradio."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from refiner.domain import Choice, Feedback, Refinement
from refiner.errors import InputError
from refiner.feedback import consent
from refiner.feedback.reasons import REASONS
from refiner.runs.record import run_record
from refiner.ui.run.current_run import CurrentRun

MAX_STARS = 5
_MAX_COMMENT_LENGTH = 10_000
"""Characters. What a comment has more is cut off."""


@dataclass(frozen=True, slots=True)
class VoteForm:
    """The values of the rating's fields.

    ``first_reasons`` and ``second_reasons`` are codes of `REASONS`, for the answers of the first and second
    button. ``agreement`` is JSON made by the page's script: ``{"criteria": {id: bool}, "claims": {place:
    bool}}``. ``browser_id`` tells raters apart. ``store`` and ``publish`` are the two consents.
    """

    stars: int | str | None = None
    first_reasons: Sequence[str] = ()
    second_reasons: Sequence[str] = ()
    comment: str = ""
    agreement: str = ""
    browser_id: str = ""
    store: bool = False
    publish: bool = False

    def feedback(self, current: CurrentRun, choice: Choice, rater: str) -> Feedback:
        """Make the rating. What the page does not offer is left out, or refused with an `InputError`."""
        criteria, claims = _read_agreement(self.agreement, current.run)
        reasons = {
            side: tuple(code for code in REASONS if code in ticked)
            for side, ticked in zip(current.sides, (self.first_reasons, self.second_reasons), strict=True)
            if ticked
        }
        return Feedback(
            run_record(current.run),
            choice,
            self.comment.strip()[:_MAX_COMMENT_LENGTH],
            consent_store=self.store,
            consent_publish=self.publish,
            consent_version=consent.CURRENT,
            run_id=current.id,
            stars=_read_stars(self.stars),
            reasons=reasons,
            criteria=criteria,
            claims=claims,
            blind=current.blind,
            left=current.left,
            rater=rater,
        )


def _read_stars(value: int | str | None) -> int | None:
    if value is None or value == "":
        return None
    if str(value) not in {str(n) for n in range(1, MAX_STARS + 1)}:
        raise InputError(f"Stars: from 1 to {MAX_STARS}.")
    return int(value)


def _read_agreement(text: str, run: Refinement) -> tuple[dict[str, bool], dict[int, bool]]:
    """Read the agreement by criterion id and by claim place. Those without a verdict are left out."""
    try:
        data = json.loads(text) if text else {}
    except (ValueError, RecursionError) as error:
        raise InputError("What you agree with could not be read. Reload the page and vote again.") from error
    criteria, claims = _subobject(data, "criteria"), _subobject(data, "claims")
    known = [criterion.id for criterion, verdict in run.reward.rubric.verdicts if verdict.value is not None]
    supports = run.reward.citation.supports
    places = [place for place, support in enumerate(supports) if support.verdict.value is not None]
    return (
        {name: criteria[name] for name in known if isinstance(criteria.get(name), bool)},
        {place: claims[str(place)] for place in places if isinstance(claims.get(str(place)), bool)},
    )


def _subobject(data: object, key: str) -> dict[str, bool]:
    """Take the object under a key. Without one it is empty. Its values may still be of any type."""
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}
