"""The scores of two answers side by side, in the order in which they are shown, and in words.

It knows no HTML.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from refiner.domain import Aggregate, Basis, Criterion, Refinement, Reward, Verdict
from refiner.render.html_text import number

SIDE_NAMES = ("Draft", "Refined")
"""What the two sides are called by default."""

_MIN_RANGE_WIDTH = 0.005
"""An interval narrower than this would round to one number."""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score of both answers, and how it was made."""

    name: str
    before: Aggregate
    after: Aggregate
    basis: Basis

    @property
    def how(self) -> str:
        """``judged``, ``estimated``, ``fact``, ``partly scored`` or ``not scored``."""
        if self.before.value is not None or self.after.value is not None:
            return self.basis
        return "partly scored" if self.after.coverage > 0 else "not scored"


@dataclass(frozen=True, slots=True)
class CriterionPair:
    """A criterion with its verdicts on the draft and on the refined answer. The draft may have none."""

    criterion: Criterion
    before: Verdict | None
    after: Verdict


def score_rows(before: Reward, after: Reward) -> tuple[ScoreRow, ...]:
    """The rows: score, rubric, citation F1, precision and recall."""
    rubric = {verdict.basis for _, verdict in after.rubric.verdicts if verdict.value is not None}
    old, new = before.citation, after.citation
    return (
        ScoreRow("Score", before.total, after.total, after.basis),
        ScoreRow(
            "Rubric",
            before.rubric.total,
            after.rubric.total,
            "estimated" if "estimated" in rubric else "judged",
        ),
        ScoreRow("Citations, F1", old.f1, new.f1, new.basis),
        ScoreRow("Citation precision", old.precision, new.precision, new.basis),
        ScoreRow("Citation recall", old.recall, new.recall, new.basis),
    )


def criterion_pairs(before: Reward, after: Reward) -> tuple[CriterionPair, ...]:
    """The criteria of the refined answer, in the order of its rubric."""
    left = {criterion.id: verdict for criterion, verdict in before.rubric.verdicts}
    return tuple(CriterionPair(one, left.get(one.id), verdict) for one, verdict in after.rubric.verdicts)


def value_after_polarity(criterion: Criterion, verdict: Verdict | None) -> float | None:
    """What a verdict counts, in [0, 1]. For a fault that is 1 minus its value. None if it was not scored."""
    if verdict is None or verdict.value is None:
        return None
    return verdict.value if criterion.polarity == "positive" else 1 - verdict.value


def aggregate_words(one: Aggregate) -> str:
    """``0.75``, ``0.75 (0.70–0.80)`` if some was not scored, ``0.06–0.89`` without a value, or ``none``."""
    span = f"{number(one.lo)}–{number(one.hi)}"
    if one.value is None:
        return span if one.n else "none"
    return f"{number(one.value)} ({span})" if has_range(one) else number(one.value)


def missing_total_reasons(
    before: Reward, after: Reward, names: tuple[str, str] = SIDE_NAMES
) -> tuple[str, ...]:
    """Why totals are missing, not escaped. The side comes first, unless both sides have the same reason."""
    said = [
        (side, one.reason)
        for side, one in zip(names, (before, after), strict=True)
        if one.total.value is None and one.reason
    ]
    if len(said) > 1 and before.reason == after.reason:
        return (after.reason,)
    return tuple(f"{side}: {reason}" for side, reason in said)


def has_range(one: Aggregate) -> bool:
    """Whether the interval is wide enough to be shown."""
    return one.hi - one.lo >= _MIN_RANGE_WIDTH


def has_estimates(run: Refinement) -> bool:
    """Whether any score of a run is a heuristic's estimate."""
    return "estimated" in {bases for reward in (run.draft_reward, run.reward) for bases in _bases(reward)}


def _bases(reward: Reward) -> Sequence[Basis]:
    return (reward.basis, reward.citation.basis, *(verdict.basis for _, verdict in reward.rubric.verdicts))
