"""The score of an answer: its rubric and its citations, weighted as on the refiner's card.

score = (rubric + W × F1) / (1 + W), in [0, 1], or where so set (1 - W) × rubric + W × F1. The card of the refiner's family names "rubric judge +
paper-citation quality" and the weight 0.2; how this checkpoint combined them is not public, so this is the
app's score. DR Tulu's own mix (0.5 rubric, 0.2 × (0.6 F1 + 0.4 validity), format, search turns) can be had from
the parts of a `Reward`.
"""

import math
from collections.abc import Mapping

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

W = 0.2
"""The weight of the citation part (model card)."""

_RUBRIC_WEIGHT: Mapping[Mix, float] = {"weighted": 1.0, "convex": 1.0 - W}
"""The rubric's weight beside W for the citations; a score divides by their sum."""

VERIFICATION_REWARD = 10.0
"""What training multiplied the reward with (model card); GRPO's standardisation makes it disappear."""

ENOUGH = 0.8
"""The share of each part that must be scored for a total."""

_NO_VERDICT = Verdict(None, "judged", "not judged", "")


def checks(request: Request, answer: Answer) -> tuple[Check, ...]:
    """Everything that must be asked about one answer: each criterion, each claim's support, each need."""
    text = write(answer)
    rubric = tuple(_check(request, text, criterion) for criterion in rubrics.for_request(request))
    return (*rubric, *citations.checks(request.question, answer, request.sources))


def reward(
    request: Request, answer: Answer, verdicts: Mapping[Check, Verdict], mix: Mix = "weighted"
) -> Reward:
    """The score. A check without a verdict is unscored.

    An answer without words scores 0. Where nothing needs a citation the score is the rubric alone.
    """
    text = write(answer)
    rubric = _rubric(
        [
            (criterion, verdicts.get(_check(request, text, criterion), _NO_VERDICT))
            for criterion in rubrics.for_request(request)
        ]
    )
    citation = citations.reward(request.question, answer, request.sources, verdicts)
    used = [verdict for _, verdict in rubric.verdicts if verdict.value is not None]
    basis = citations.basis([*used, Verdict(0.0, citation.basis, "", "")])
    if not answer.text.strip():
        return Reward(rubric, citation, Aggregate(0.0, 0.0, 0.0, 1.0, 0), "fact", "There is no answer.", mix)
    total, reason = _total(rubric, citation, _RUBRIC_WEIGHT[mix])
    return Reward(rubric, citation, total, basis, reason, mix)


def training_scale(value: float) -> float:
    """A score on the scale of training, 0 to 10."""
    return VERIFICATION_REWARD * value


def _check(request: Request, text: str, criterion: Criterion) -> Check:
    return Check("criterion", request.question, text, evidence=request.sources, criterion=criterion)


def _rubric(verdicts: list[tuple[Criterion, Verdict]]) -> RubricReward:
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
        parts.append(("citations", citation.f1, W))
    weight = sum(share for _, _, share in parts)

    def mean(figures: list[float]) -> float:
        return sum(share * figure for (_, _, share), figure in zip(parts, figures, strict=True)) / weight

    lo, hi = mean([part.lo for _, part, _ in parts]), mean([part.hi for _, part, _ in parts])
    if not citation.supports:  # perhaps nothing needs a citation, and then the score is the rubric alone
        hi = max(hi, rubric.total.hi)
    coverage = mean([part.coverage for _, part, _ in parts])
    n = sum(part.n for _, part, _ in parts)
    short = [name for name, part, _ in parts if part.value is None or part.coverage < ENOUGH]
    if short:
        shares = " and ".join(f"{part.coverage:.0%} of the {name}" for name, part, _ in parts)
        why = next((verdict.reason for _, verdict in rubric.verdicts if verdict.value is None), "")
        told = f" Rubric: {why}." if "rubric" in short and why else ""
        reason = f"{shares} could be scored; a total takes {ENOUGH:.0%} of each.{told}"
        return Aggregate(None, lo, hi, coverage, n), reason
    value = mean([part.value or 0.0 for _, part, _ in parts])
    return Aggregate(min(max(value, lo), hi), lo, hi, coverage, n), ""
