"""Citation figures of an answer: support, recall, precision, F1 and validity, as pure functions of verdicts.

The definitions follow DR Tulu's citation reward and ALCE (Gao et al. 2023, section 3). A claim's support is judged
on what the claim cites. Recall is the mean support over everything that needs a citation. Precision is a mean over
single citations, each judged by leaving it out. A figure keeps an interval of what it could be while verdicts are
missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from refiner.domain import (
    Aggregate,
    Answer,
    Basis,
    Check,
    CitationReward,
    Claim,
    ClaimSupport,
    Passage,
    Source,
    Verdict,
)
from refiner.text import relevance, sentences

MAX_LEAVE_ONE_OUT = 8
"""A claim that cites more sources than this gets no leave-one-out checks."""

_NEEDS_CITATION = 0.5
"""The value of a ``needs_citation`` verdict from which on a sentence needs a citation."""
_SUPPORT_LOST = 0.25
"""A citation is needed if leaving it out lowers the support by this much: half a step of the judge's scale."""

NOT_JUDGED = Verdict(None, "judged", "not judged", "")
"""What stands in for a missing verdict."""

Verdicts = Mapping[Check, Verdict]


@dataclass(frozen=True, slots=True)
class _Interval:
    """A figure that lies in [lo, hi]. It is known if both are the same."""

    lo: float
    hi: float

    @property
    def known(self) -> bool:
        return self.lo == self.hi


@dataclass(frozen=True, slots=True)
class _ClaimPlan:
    """One claim, and the checks on it: each cited source alone, all of them together, all but one."""

    claim: Claim
    alone: Mapping[str, Check]
    together: Check | None
    without: Mapping[str, Check]
    passages: tuple[Passage, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        together = (self.together,) if self.together else ()
        return (*self.alone.values(), *together, *self.without.values())


@dataclass(frozen=True, slots=True)
class CitationPlan:
    """What a judge must be asked about an answer's citations, and the figures that its verdicts make.

    ``uncited`` pairs each sentence that no claim touches with the check whether it needs a citation.
    """

    claims: tuple[_ClaimPlan, ...]
    uncited: tuple[tuple[str, Check], ...]
    validity: float | None

    @property
    def checks(self) -> tuple[Check, ...]:
        """Each check once: k + 1 + k for a claim that cites k sources, one for an uncited sentence.

        An id that no source has makes no check. That it supports nothing is a fact.
        """
        every = [check for claim in self.claims for check in claim.checks]
        return tuple(dict.fromkeys([*every, *(check for _, check in self.uncited)]))

    def reward(self, verdicts: Verdicts) -> CitationReward:
        """The figures. A missing verdict widens the intervals and changes nothing else."""
        claims = [_JudgedClaim(one, verdicts) for one in self.claims]
        supports = [one.claim_support for one in claims]
        recalls = [one.support for one in claims]
        precisions = [interval for one in claims for interval in one.precisions()]
        used = [verdict for one in claims for verdict in one.scored]
        undecided = 0
        for sentence, check in self.uncited:
            need = verdicts.get(check, NOT_JUDGED)
            if need.value is None:
                undecided += 1
                continue
            used.append(need)
            if need.value >= _NEEDS_CITATION:
                supports.append(ClaimSupport(sentence, (), _cites_nothing(need)))
                recalls.append(_Interval(0.0, 0.0))
        recall = _mean(recalls, undecided)
        precision = _mean(precisions) if precisions else Aggregate(0.0, 0.0, 0.0, 1.0, 0)
        applies = bool(recalls or undecided)
        return CitationReward(
            recall=recall,
            precision=precision if applies else Aggregate(None, 0.0, 1.0, 0.0, 0),
            f1=_f1(recall, precision),
            validity=self.validity,
            supports=tuple(supports),
            basis=basis(used),
            not_applicable="" if applies else "There is no claim, and nothing that needs a citation.",
        )


def plan(question: str, answer: Answer, sources: Sequence[Source]) -> CitationPlan:
    """Everything that must be asked about the citations of one answer."""
    by_id = {source.id: source for source in sources}
    return CitationPlan(
        tuple(_claim_plan(question, claim, by_id) for claim in answer.claims),
        tuple(
            (sentence, Check("needs_citation", question, "", sentence))
            for sentence in uncited_sentences(answer)
        ),
        _validity(answer, by_id),
    )


def uncited_sentences(answer: Answer) -> tuple[str, ...]:
    """The sentences that no claim touches, in order."""
    at, claims = 0, []
    for part in answer.parts:
        if isinstance(part, Claim):
            claims.append((at, at + len(part.text)))
        at += len(part.text)
    found = []
    for sentence in sentences.split(answer.text):
        while claims and claims[0][1] <= sentence.start:
            claims.pop(0)
        if not claims or claims[0][0] >= sentence.end:
            found.append(sentence.text)
    return tuple(found)


def basis(verdicts: Sequence[Verdict]) -> Basis:
    """``estimated`` if one verdict is; else ``judged`` if one is; else ``fact``."""
    bases = {verdict.basis for verdict in verdicts}
    return "estimated" if "estimated" in bases else "judged" if "judged" in bases else "fact"


def _claim_plan(question: str, claim: Claim, by_id: Mapping[str, Source]) -> _ClaimPlan:
    cited = tuple(by_id[one] for one in sorted(claim.ids) if one in by_id)

    def support(evidence: tuple[Source, ...]) -> Check:
        return Check("support", question, "", claim.text, evidence)

    # With two sources, "without one" is "the other alone", which is asked anyway.
    leave_out = range(len(cited)) if 2 < len(cited) <= MAX_LEAVE_ONE_OUT else ()  # noqa: PLR2004 - see above
    nearest = ((source.id, relevance.best_sentence(claim.text, source)) for source in cited)
    return _ClaimPlan(
        claim=claim,
        alone={source.id: support((source,)) for source in cited},
        together=support(cited) if len(cited) > 1 else None,
        without={cited[n].id: support(cited[:n] + cited[n + 1 :]) for n in leave_out},
        passages=tuple(Passage(one, best.start, best.end) for one, best in nearest if best is not None),
    )


class _JudgedClaim:
    """One claim with the verdicts on it."""

    def __init__(self, planned: _ClaimPlan, verdicts: Verdicts) -> None:
        def verdict(check: Check) -> Verdict:
            return verdicts.get(check, NOT_JUDGED)

        self._claim, self._passages = planned.claim, planned.passages
        self._alone = {one: verdict(check) for one, check in planned.alone.items()}
        self._without = {one: verdict(check) for one, check in planned.without.items()}
        together = [verdict(planned.together)] if planned.together else []
        self._on_the_claim = [*self._alone.values(), *together]
        self.support = _highest(self._on_the_claim)
        self.scored = [one for one in (*self._on_the_claim, *self._without.values()) if one.value is not None]

    @property
    def claim_support(self) -> ClaimSupport:
        """The claim with the verdict on it, and the verdict on each cited id alone."""
        ids = self._claim.ids
        by_source = tuple(self._alone.get(one) or _no_such_source((one,)) for one in ids)
        return ClaimSupport(self._claim.text, ids, self._verdict(), by_source, self._passages)

    def _verdict(self) -> Verdict:
        """The verdict with the highest support; an unscored one where that could be higher."""
        if not self._alone:
            return _no_such_source(self._claim.ids)
        scored = [one for one in self._on_the_claim if one.value is not None]
        if self.support.known and scored:
            return max(scored, key=lambda one: one.value or 0.0)
        return next(one for one in self._on_the_claim if one.value is None)

    def precisions(self) -> list[_Interval]:
        """For each cited id: its own support; or the claim's, where that is lost without this id."""
        return [
            self._precision(one) if one in self._alone else _Interval(0.0, 0.0) for one in self._claim.ids
        ]

    def _precision(self, source_id: str) -> _Interval:
        alone = _highest([self._alone[source_id]])
        others = [verdict for name, verdict in self._alone.items() if name != source_id]
        asked_without = source_id in self._without or len(others) == 1
        if not others or not asked_without:
            return alone
        without = [self._without[source_id]] if source_id in self._without else []
        rest = _highest([*others, *without])
        if not (alone.known and rest.known and self.support.known):
            return _Interval(alone.lo, max(alone.hi, self.support.hi))
        lost = self.support.lo - rest.lo >= _SUPPORT_LOST
        return self.support if lost else alone


def _no_such_source(ids: Sequence[str]) -> Verdict:
    return Verdict(0.0, "fact", f"No source has the id {', '.join(ids)}.", "", label="no such source")


def _cites_nothing(need: Verdict) -> Verdict:
    """That a sentence cites nothing is a fact. That it should cite something is as good as who said so."""
    said: Basis = need.basis if need.basis == "estimated" else "fact"
    return Verdict(0.0, said, "It cites nothing.", need.judge, need.version)


def _highest(verdicts: Sequence[Verdict]) -> _Interval:
    """The highest value. An unscored verdict could be anything, so it opens the interval up to 1."""
    lo = max((one.value for one in verdicts if one.value is not None), default=0.0)
    return _Interval(lo, 1.0 if any(one.value is None for one in verdicts) else lo)


def _mean(intervals: Sequence[_Interval], undecided: int = 0) -> Aggregate:
    """The mean of what is known. An ``undecided`` item may count 0 or not count at all."""
    n = len(intervals) + undecided
    if not n:
        return Aggregate(None, 0.0, 1.0, 0.0, 0)
    known = [one.lo for one in intervals if one.known]
    lo = sum(one.lo for one in intervals) / n
    hi = sum(one.hi for one in intervals) / len(intervals) if intervals else 1.0
    value = min(max(sum(known) / len(known), lo), hi) if known else None
    return Aggregate(value, lo, hi, len(known) / n, n)


def _f1(recall: Aggregate, precision: Aggregate) -> Aggregate:
    value = None
    if recall.value is not None and precision.value is not None:
        value = _harmonic_mean(recall.value, precision.value)
    coverage = min(recall.coverage, precision.coverage)
    lo, hi = _harmonic_mean(recall.lo, precision.lo), _harmonic_mean(recall.hi, precision.hi)
    return Aggregate(value, lo, hi, coverage, recall.n)


def _harmonic_mean(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0


def _validity(answer: Answer, by_id: Mapping[str, Source]) -> float | None:
    """The share of cited ids that a source has; None where nothing is cited."""
    cited = [one for claim in answer.claims for one in claim.ids]
    return sum(one in by_id for one in cited) / len(cited) if cited else None
