"""The score of an answer: its rubric and its citations.

``weighted``: score = (rubric + w × F1) / (1 + w). ``convex``: score = (1 - w) × rubric + w × F1. Both lie in [0, 1].
The card of the refiner's family names "rubric judge + paper-citation quality" and the weight 0.2. How this checkpoint
combined the two is not public, so this is the app's score. DR Tulu's own mix (0.5 rubric, 0.2 × (0.6 F1 + 0.4
validity), format, search turns) can be computed from the parts of a `Reward`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from refiner.domain import (
    Aggregate,
    Answer,
    Check,
    CitationReward,
    Criterion,
    Mix,
    Request,
    Reward,
    RubricReward,
    Verdict,
)
from refiner.formats.answer import write
from refiner.scoring import citations, rubrics
from refiner.scoring.citations import NOT_JUDGED, CitationPlan, Verdicts

CITATION_WEIGHT = 0.2
"""The weight of the citation part (model card)."""

_RUBRIC_WEIGHT: Mapping[Mix, float] = {"weighted": 1.0, "convex": 1.0 - CITATION_WEIGHT}
"""The rubric's weight beside `CITATION_WEIGHT`. A score divides by their sum."""

VERIFICATION_REWARD = 10.0
"""The factor that training multiplied the reward with (model card). GRPO's standardisation removes it."""

MIN_COVERAGE = 0.8
"""The share of each part that must be scored before there is a total."""


@dataclass(frozen=True, slots=True)
class RewardPlan:
    """What a judge must be asked about one answer, and the reward that its verdicts make."""

    rubric: tuple[tuple[Criterion, Check], ...]
    citation: CitationPlan
    has_words: bool

    @property
    def checks(self) -> tuple[Check, ...]:
        """Each criterion, each claim's support, and for each uncited sentence whether it needs a citation."""
        return (*(check for _, check in self.rubric), *self.citation.checks)

    def reward(self, verdicts: Verdicts, mix: Mix = "weighted") -> Reward:
        """The score. A check without a verdict is unscored.

        An answer without words scores 0. Where nothing needs a citation the score is the rubric alone.
        """
        rubric = _rubric_reward([(one, verdicts.get(check, NOT_JUDGED)) for one, check in self.rubric])
        citation = self.citation.reward(verdicts)
        if not self.has_words:
            nothing = Aggregate(0.0, 0.0, 0.0, 1.0, 0)
            return Reward(rubric, citation, nothing, "fact", "There is no answer.", mix)
        scored = [verdict for _, verdict in rubric.verdicts if verdict.value is not None]
        basis = citations.basis([*scored, Verdict(0.0, citation.basis, "", "")])
        total, reason = _total(rubric, citation, _RUBRIC_WEIGHT[mix])
        return Reward(rubric, citation, total, basis, reason, mix)


def plan(request: Request, answer: Answer) -> RewardPlan:
    """Everything that must be asked about one answer to the request."""
    text = write(answer)
    return RewardPlan(
        tuple(
            (one, Check("criterion", request.question, text, evidence=request.sources, criterion=one))
            for one in rubrics.for_request(request)
        ),
        citations.plan(request.question, answer, request.sources),
        bool(answer.text.strip()),
    )


def training_scale(value: float) -> float:
    """A score on the scale of training, from 0 to 10."""
    return VERIFICATION_REWARD * value


def _rubric_reward(verdicts: list[tuple[Criterion, Verdict]]) -> RubricReward:
    heaviest = max(criterion.weight for criterion, _ in verdicts)
    shares = [criterion.weight / heaviest for criterion, _ in verdicts]
    scored = [
        (share, verdict.value if criterion.polarity == "positive" else 1 - verdict.value)
        for share, (criterion, verdict) in zip(shares, verdicts, strict=True)
        if verdict.value is not None
    ]
    missing = [share for share, (_, verdict) in zip(shares, verdicts, strict=True) if verdict.value is None]
    # fsum rounds once: a plain sum put lo above hi, and let the order of criteria show in the last digit
    weight, known = math.fsum(shares), math.fsum(share for share, _ in scored)
    gained = [share * value for share, value in scored]
    lo, hi = math.fsum(gained) / weight, math.fsum([*gained, *missing]) / weight
    value = min(max(math.fsum(gained) / known, lo), hi) if known else None
    return RubricReward(tuple(verdicts), Aggregate(value, lo, hi, known / weight, len(verdicts)))


def _total(rubric: RubricReward, citation: CitationReward, rubric_weight: float) -> tuple[Aggregate, str]:
    parts = [("rubric", rubric.total, rubric_weight)]
    if not citation.not_applicable:
        parts.append(("citations", citation.f1, CITATION_WEIGHT))
    weight = sum(share for _, _, share in parts)

    def mean(figures: list[float]) -> float:
        return sum(share * figure for (_, _, share), figure in zip(parts, figures, strict=True)) / weight

    lo, hi = mean([part.lo for _, part, _ in parts]), mean([part.hi for _, part, _ in parts])
    if not citation.supports:  # perhaps nothing needs a citation, and then the score is the rubric alone
        hi = max(hi, rubric.total.hi)
    coverage = mean([part.coverage for _, part, _ in parts])
    n = sum(part.n for _, part, _ in parts)
    short = [name for name, part, _ in parts if part.value is None or part.coverage < MIN_COVERAGE]
    if short:
        shares = " and ".join(f"{part.coverage:.0%} of the {name}" for name, part, _ in parts)
        why = next((verdict.reason for _, verdict in rubric.verdicts if verdict.value is None), "")
        told = f" Rubric: {why}." if "rubric" in short and why else ""
        reason = f"{shares} could be scored; a total takes {MIN_COVERAGE:.0%} of each.{told}"
        return Aggregate(None, lo, hi, coverage, n), reason
    value = mean([part.value or 0.0 for _, part, _ in parts])
    return Aggregate(min(max(value, lo), hi), lo, hi, coverage, n), ""
