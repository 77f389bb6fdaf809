"""How far raters agree with a judge.

Compares the verdicts in the runs' records with the raters' answers. Pure functions.

A rater says whether a verdict is right or wrong. So the rater's own yes or no is the judge's, or its
opposite. The judge's yes or no is read as the page shows it. Of its three levels (0, 1, 2, halved) the upper
one is yes and the lower one is no. The lexical estimate is read by its label. If a verdict is "partly", a
rater who disagrees could mean either yes or no. Such verdicts count in the share that people agree with, and
nowhere else.

Yes means that what the criterion describes is so. For a fault it means that the fault is there, as values are
those before polarity. Swapping yes and no for a whole criterion would change neither kappa nor AUROC.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from refiner.feedback.insight.biases import Proportion
from refiner.feedback.storage.store import Vote
from refiner.judges.lexical.judge import NO_PROBLEM, PROBLEM, WEAK
from refiner.scoring.metrics import Figure, agreement, evaluate
from refiner.scoring.verdict_levels import NO_BELOW, YES_FROM

VerdictKind = Literal["criterion", "support", "uncited"]
"""What a verdict is about: a criterion, a claim's support, or a sentence that lacks a citation it needs."""

MIN_ANSWERS, MIN_GROUPS = 10, 5
"""How many answers, and how many raters (or else runs), a figure needs.

With fewer, resampling cannot tell its spread.
"""

_LABELS = {PROBLEM: False, WEAK: None, NO_PROBLEM: True}


@dataclass(frozen=True, slots=True)
class JudgeVersion:
    """A judge and its version.

    ``estimated`` marks a heuristic, whose verdicts are never mixed with judged ones.
    """

    name: str
    version: str
    estimated: bool


@dataclass(frozen=True, slots=True)
class RatedVerdict:
    """A judge's verdict, and whether a rater agreed with it.

    ``value`` is the verdict's value from 0 to 1. ``yes`` is the verdict's yes or no, or None for the middle
    level.
    """

    judge: JudgeVersion
    kind: VerdictKind
    title: str
    value: float
    yes: bool | None
    agreed: bool
    rater: str
    run: str


@dataclass(frozen=True, slots=True)
class FigureOrReason:
    """A figure, or the reason why there is none."""

    figure: Figure | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far raters agree with one judge on one subject.

    The subject is a criterion, by its title, or another kind of verdict.

    ``agreed`` is the share of verdicts that raters agreed with. ``middle`` is how many verdicts are on the
    middle level. ``kappa`` and ``auroc`` are computed from the others.
    """

    judge: JudgeVersion
    kind: VerdictKind
    title: str
    agreed: Proportion
    middle: int
    kappa: FigureOrReason
    auroc: FigureOrReason


def agreements(votes: Iterable[Vote]) -> tuple[Agreement, ...]:
    """Returns an agreement for each judge and each subject that raters answered on.

    The judge with the most answers comes first, and within a judge the subject with the most answers.
    """
    by_subject: defaultdict[tuple[JudgeVersion, VerdictKind, str], list[RatedVerdict]] = defaultdict(list)
    for vote in votes:
        for one in rated_verdicts(vote):
            by_subject[one.judge, one.kind, one.title].append(one)
    subjects = [_agreement(*subject, verdicts) for subject, verdicts in by_subject.items()]
    answers = {
        judge: sum(one.agreed.n for one in subjects if one.judge == judge) for judge, _, _ in by_subject
    }
    return tuple(
        sorted(
            subjects, key=lambda one: (-answers[one.judge], one.judge.name, one.judge.version, -one.agreed.n)
        )
    )


def rated_verdicts(vote: Vote) -> Iterator[RatedVerdict]:
    """Yields the rater's answers on the verdicts on the refined answer.

    Skips facts and verdicts without a score, since no judge gave them.
    """
    feedback = vote.feedback
    reward = _mapping(feedback.run.get("reward"))
    criteria = {one.get("id"): one for one in _mappings(_mapping(reward.get("rubric")).get("criteria"))}
    supports = _mappings(_mapping(reward.get("citation")).get("supports"))
    for name, agreed in feedback.criteria.items():
        verdict = criteria.get(name, {})
        yield from _rated_verdict(vote, "criterion", str(verdict.get("title", "")), verdict, agreed=agreed)
    for place, agreed in feedback.claims.items():
        verdict = supports[place] if 0 <= place < len(supports) else {}
        kind: VerdictKind = "support" if verdict.get("ids") else "uncited"
        yield from _rated_verdict(vote, kind, "", verdict, agreed=agreed)


def _rated_verdict(
    vote: Vote, kind: VerdictKind, title: str, verdict: Mapping[str, object], *, agreed: bool
) -> Iterator[RatedVerdict]:
    value, name = verdict.get("value"), verdict.get("judge")
    if not isinstance(value, int | float) or not 0 <= value <= 1 or not name:
        return
    judge = JudgeVersion(
        str(name), str(verdict.get("judge_version", "")), verdict.get("basis") == "estimated"
    )
    yes = True if kind == "uncited" else _yes(value, verdict.get("label"))
    yield RatedVerdict(judge, kind, title, value, yes, agreed, vote.feedback.rater, vote.feedback.run_id)


def _yes(value: float, label: object) -> bool | None:
    if isinstance(label, str) and label in _LABELS:
        return _LABELS[label]
    return True if value >= YES_FROM else False if value < NO_BELOW else None


def _agreement(
    judge: JudgeVersion, kind: VerdictKind, title: str, verdicts: Sequence[RatedVerdict]
) -> Agreement:
    agreed = Proportion(sum(one.agreed for one in verdicts), len(verdicts))
    decided = [one for one in verdicts if one.yes is not None]
    judge_yes = [bool(one.yes) for one in decided]
    rater_yes = [one.agreed == yes for one, yes in zip(decided, judge_yes, strict=True)]
    groups = _groups(decided)
    kappa = auroc = FigureOrReason(None, _reason_for_no_figure(judge_yes, rater_yes, groups))
    if not kappa.reason:
        kappa = FigureOrReason(agreement(judge_yes, rater_yes, groups))
        auroc = FigureOrReason(evaluate([one.value for one in decided], rater_yes, groups).auroc)
    return Agreement(judge, kind, title, agreed, len(verdicts) - len(decided), kappa, auroc)


def _reason_for_no_figure(judge_yes: Sequence[bool], rater_yes: Sequence[bool], groups: Sequence[str]) -> str:
    """Returns why there can be no figure, or "" if there can be one."""
    if len(judge_yes) < MIN_ANSWERS:
        return f"fewer than {MIN_ANSWERS} answers"
    if len(set(groups)) < MIN_GROUPS:
        return f"from fewer than {MIN_GROUPS} runs"
    if len(set(judge_yes)) == 1:
        return "the judge always said the same"
    if len(set(rater_yes)) == 1:
        return "people always said the same"
    return "nobody disagreed" if judge_yes == rater_yes else ""


def _groups(verdicts: Sequence[RatedVerdict]) -> list[str]:
    """Returns the group of each answer, for resampling by group.

    One rater's answers depend on each other, so they are a group. Answers of unknown raters are grouped by
    run. If there are too few groups of this kind, all answers are grouped by run.
    """
    raters = [f"rater {one.rater}" if one.rater else f"run {one.run}" for one in verdicts]
    return raters if len(set(raters)) >= MIN_GROUPS else [f"run {one.run}" for one in verdicts]


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [_mapping(one) for one in value] if isinstance(value, list | tuple) else []
