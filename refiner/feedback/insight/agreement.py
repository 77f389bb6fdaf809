"""Whether people agree with a judge: its verdicts in the runs' records against what raters said of them. Pure.

A rater says of a verdict that it is right or wrong. So the rater's own yes or no is the judge's, or its opposite.
The judge's is read as the page shows it: yes from the upper of its three levels (0, 1, 2, halved), no from the lower,
and for the lexical estimate by its label. Where it says "partly" nobody knows which way a rater who disagrees
would go: such verdicts count in the share that people agree with, and nowhere else.

Yes means that what the criterion describes is so, for a fault that it is there: values are those before polarity.
Turning all of a criterion's yes into no would change neither kappa nor AUROC.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from refiner.feedback.insight.biases import Share
from refiner.feedback.storage.store import Vote
from refiner.judges.lexical.judge import NO_PROBLEM, PROBLEM, WEAK
from refiner.scoring.metrics import Figure, agreement, evaluate
from refiner.scoring.verdict_levels import NO_BELOW, YES_FROM

Kind = Literal["criterion", "support", "uncited"]
"""Of what: a criterion, a claim's support, or that a sentence needs a citation and has none."""

LEAST, LEAST_GROUPS = 10, 5
"""Answers, and raters or else runs, under which no figure is given: resampling would tell nothing of the spread."""

_LABELS = {PROBLEM: False, WEAK: None, NO_PROBLEM: True}


@dataclass(frozen=True, slots=True)
class JudgeVersion:
    """Whose verdicts: ``estimated`` is a heuristic's and never mixed with judged ones."""

    name: str
    version: str
    estimated: bool


@dataclass(frozen=True, slots=True)
class Opinion:
    """A verdict and what a rater said of it; ``yes`` is the verdict's, None for the middle level."""

    judge: JudgeVersion
    kind: Kind
    title: str
    value: float
    yes: bool | None
    agreed: bool
    rater: str
    run: str


@dataclass(frozen=True, slots=True)
class FigureOrReason:
    """A figure, or why there is none."""

    figure: Figure | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of one judge in one matter: the verdicts that people agreed with, and how far it tells what they would say.

    ``middle`` of the verdicts are on the middle level; ``kappa`` and ``auroc`` are of the others.
    """

    judge: JudgeVersion
    kind: Kind
    title: str
    agreed: Share
    middle: int
    kappa: FigureOrReason
    auroc: FigureOrReason


def agreements(votes: Iterable[Vote]) -> tuple[Agreement, ...]:
    """One for each judge and criterion (by its title) or other matter that people answered on, judge by judge."""
    found: defaultdict[tuple[JudgeVersion, Kind, str], list[Opinion]] = defaultdict(list)
    for vote in votes:
        for one in opinions(vote):
            found[one.judge, one.kind, one.title].append(one)
    matters = [_agreement(*matter, given) for matter, given in found.items()]
    heard = {judge: sum(one.agreed.n for one in matters if one.judge == judge) for judge, _, _ in found}
    return tuple(
        sorted(matters, key=lambda one: (-heard[one.judge], one.judge.name, one.judge.version, -one.agreed.n))
    )


def opinions(vote: Vote) -> Iterator[Opinion]:
    """What the vote's rater said of the refined answer's verdicts. Facts and what was not scored are no judge's."""
    given = vote.feedback
    reward = _mapping(given.run.get("reward"))
    criteria = {one.get("id"): one for one in _mappings(_mapping(reward.get("rubric")).get("criteria"))}
    supports = _mappings(_mapping(reward.get("citation")).get("supports"))
    for name, agreed in given.criteria.items():
        verdict = criteria.get(name, {})
        yield from _opinion(vote, "criterion", str(verdict.get("title", "")), verdict, agreed=agreed)
    for place, agreed in given.claims.items():
        verdict = supports[place] if 0 <= place < len(supports) else {}
        kind: Kind = "support" if verdict.get("ids") else "uncited"
        yield from _opinion(vote, kind, "", verdict, agreed=agreed)


def _opinion(
    vote: Vote, kind: Kind, title: str, verdict: Mapping[str, object], *, agreed: bool
) -> Iterator[Opinion]:
    value, name = verdict.get("value"), verdict.get("judge")
    if not isinstance(value, int | float) or not 0 <= value <= 1 or not name:
        return
    judge = JudgeVersion(
        str(name), str(verdict.get("judge_version", "")), verdict.get("basis") == "estimated"
    )
    yes = True if kind == "uncited" else _yes(value, verdict.get("label"))
    yield Opinion(judge, kind, title, value, yes, agreed, vote.feedback.rater, vote.feedback.run_id)


def _yes(value: float, label: object) -> bool | None:
    if isinstance(label, str) and label in _LABELS:
        return _LABELS[label]
    return True if value >= YES_FROM else False if value < NO_BELOW else None


def _agreement(judge: JudgeVersion, kind: Kind, title: str, given: Sequence[Opinion]) -> Agreement:
    agreed = Share(sum(one.agreed for one in given), len(given))
    told = [one for one in given if one.yes is not None]
    said = [bool(one.yes) for one in told]
    labels = [one.agreed == yes for one, yes in zip(told, said, strict=True)]
    groups = _groups(told)
    kappa = auroc = FigureOrReason(None, _missing(said, labels, groups))
    if not kappa.reason:
        kappa = FigureOrReason(agreement(said, labels, groups))
        auroc = FigureOrReason(evaluate([one.value for one in told], labels, groups).auroc)
    return Agreement(judge, kind, title, agreed, len(given) - len(told), kappa, auroc)


def _missing(said: Sequence[bool], labels: Sequence[bool], groups: Sequence[str]) -> str:
    """Why there can be no figure; nothing where there can."""
    if len(said) < LEAST:
        return f"fewer than {LEAST} answers"
    if len(set(groups)) < LEAST_GROUPS:
        return f"from fewer than {LEAST_GROUPS} runs"
    if len(set(said)) == 1:
        return "the judge always said the same"
    if len(set(labels)) == 1:
        return "people always said the same"
    return "nobody disagreed" if said == labels else ""


def _groups(given: Sequence[Opinion]) -> list[str]:
    """By whom, as a rater's answers hang together; by run where there are too few raters. Nobody known: by run."""
    raters = [f"rater {one.rater}" if one.rater else f"run {one.run}" for one in given]
    return raters if len(set(raters)) >= LEAST_GROUPS else [f"run {one.run}" for one in given]


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [_mapping(one) for one in value] if isinstance(value, list | tuple) else []
