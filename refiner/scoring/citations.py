"""Citation figures of an answer as pure functions of verdicts: support, recall, precision, F1, validity.

The definitions follow DR Tulu's citation reward and ALCE (Gao et al. 2023, section 3): support of a claim by
what it cites, recall over what needs a citation, precision over single citations by leaving one out. Where no
verdict came, the figures keep an interval of what they could be.
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

MOST_LEFT_OUT = 8
"""A claim that cites more sources than this is not judged once more for each of them left out."""

_NEEDED = 0.5
_LOSS = 0.25
"""Support counts as lost without a citation from here on: half a step of the judge's scale."""

_NO_VERDICT = Verdict(None, "judged", "not judged", "")
Verdicts = Mapping[Check, Verdict]


@dataclass(frozen=True, slots=True)
class _Span:
    """A figure that lies in [lo, hi]; it is known when both are one."""

    lo: float
    hi: float

    @property
    def known(self) -> bool:
        return self.lo == self.hi


def checks(question: str, answer: Answer, sources: Sequence[Source]) -> tuple[Check, ...]:
    """What a judge must be asked, each check once: k + 1 + k for a claim that cites k sources, one a sentence.

    Ids that no source has ask nothing: that they support nothing is a fact.
    """
    known = {source.id: source for source in sources}
    asked: list[Check] = []
    for claim in answer.claims:
        cited = _cited(claim, known)
        groups = (*((one,) for one in cited), cited, *_left_out(cited))
        asked += [_support(question, claim, group) for group in groups if group]
    asked += [_need(question, sentence) for sentence in uncited(answer)]
    return tuple(dict.fromkeys(asked))


def reward(question: str, answer: Answer, sources: Sequence[Source], verdicts: Verdicts) -> CitationReward:
    """The figures. A check without a verdict is unscored; it widens the intervals and changes nothing else."""
    known = {source.id: source for source in sources}
    supports: list[ClaimSupport] = []
    recalls: list[_Span] = []
    precisions: list[_Span] = []
    used: list[Verdict] = []
    for claim in answer.claims:
        scored = _Claim(question, claim, known, verdicts)
        supports.append(
            ClaimSupport(claim.text, claim.ids, scored.verdict(), scored.by_source(), _passages(claim, known))
        )
        recalls.append(scored.support)
        precisions += scored.precisions()
        used += scored.used
    uncertain = 0
    for sentence in uncited(answer):
        need = verdicts.get(_need(question, sentence), _NO_VERDICT)
        if need.value is None:
            uncertain += 1
        elif need.value >= _NEEDED:
            nothing = Verdict(0.0, _factual(need.basis), "It cites nothing.", need.judge, need.version)
            supports.append(ClaimSupport(sentence, (), nothing))
            recalls.append(_Span(0.0, 0.0))
        if need.value is not None:
            used.append(need)
    recall = _mean(recalls, uncertain)
    precision = _mean(precisions) if precisions else Aggregate(0.0, 0.0, 0.0, 1.0, 0)
    applies = bool(recalls or uncertain)
    return CitationReward(
        recall=recall,
        precision=precision if applies else Aggregate(None, 0.0, 1.0, 0.0, 0),
        f1=_f1(recall, precision),
        validity=_validity(answer, known),
        supports=tuple(supports),
        basis=basis(used),
        not_applicable="" if applies else "There is no claim, and nothing that needs a citation.",
    )


def uncited(answer: Answer) -> tuple[str, ...]:
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
    """``estimated`` where one verdict is; else ``judged`` where one is; else ``fact``."""
    bases = {verdict.basis for verdict in verdicts}
    return "estimated" if "estimated" in bases else "judged" if "judged" in bases else "fact"


class _Claim:
    """One claim with the verdicts on it."""

    def __init__(self, question: str, claim: Claim, known: Mapping[str, Source], verdicts: Verdicts) -> None:
        def verdict(group: tuple[Source, ...]) -> Verdict:
            return verdicts.get(_support(question, claim, group), _NO_VERDICT)

        self._ids = claim.ids
        self._cited = _cited(claim, known)
        self._alone = {one.id: verdict((one,)) for one in self._cited}
        self._union = verdict(self._cited) if len(self._cited) > 1 else None
        self._without = {
            one.id: verdict(group) for one, group in zip(self._cited, _left_out(self._cited), strict=False)
        }
        self._whole = [*self._alone.values(), *([self._union] if self._union else [])]
        self.support = _best(self._whole)
        asked = [*self._whole, *self._without.values()]
        self.used = [one for one in asked if one.value is not None]

    def verdict(self) -> Verdict:
        """The verdict that gives the highest support; unscored where another could be higher."""
        if not self._cited:
            return _invented(self._ids)
        scored = [one for one in self._whole if one.value is not None]
        if self.support.known and scored:
            return max(scored, key=lambda one: one.value or 0.0)
        return next(one for one in self._whole if one.value is None)

    def by_source(self) -> tuple[Verdict, ...]:
        """The verdict on each cited id alone."""
        return tuple(self._alone.get(one) or _invented((one,)) for one in self._ids)

    def precisions(self) -> list[_Span]:
        """For each cited id: its own support; the claim's where that is lost without it."""
        return [self._precision(one) if one in self._alone else _Span(0.0, 0.0) for one in self._ids]

    def _precision(self, one: str) -> _Span:
        alone = _best([self._alone[one]])
        others = [verdict for name, verdict in self._alone.items() if name != one]
        if not others or (one not in self._without and len(self._cited) > 2):  # noqa: PLR2004 - of two, the other is alone
            return alone
        rest = _best([*others, *([self._without[one]] if one in self._without else [])])
        if not (alone.known and rest.known and self.support.known):
            return _Span(alone.lo, max(alone.hi, self.support.hi))
        lost = self.support.lo - rest.lo >= _LOSS
        return self.support if lost else alone


def _cited(claim: Claim, known: Mapping[str, Source]) -> tuple[Source, ...]:
    return tuple(known[one] for one in sorted(claim.ids) if one in known)


def _passages(claim: Claim, known: Mapping[str, Source]) -> tuple[Passage, ...]:
    """The sentence of each cited source that comes nearest to the claim."""
    found = ((source.id, relevance.best_sentence(claim.text, source)) for source in _cited(claim, known))
    return tuple(Passage(one, best.start, best.end) for one, best in found if best is not None)


def _left_out(cited: tuple[Source, ...]) -> tuple[tuple[Source, ...], ...]:
    """``cited`` without each of them in turn; of two, what is left is judged alone anyway."""
    if not 2 < len(cited) <= MOST_LEFT_OUT:  # noqa: PLR2004 - see above
        return ()
    return tuple(cited[:n] + cited[n + 1 :] for n in range(len(cited)))


def _support(question: str, claim: Claim, evidence: tuple[Source, ...]) -> Check:
    return Check("support", question, "", claim.text, evidence)


def _need(question: str, sentence: str) -> Check:
    return Check("needs_citation", question, "", sentence)


def _invented(ids: Sequence[str]) -> Verdict:
    return Verdict(0.0, "fact", f"No source has the id {', '.join(ids)}.", "", label="no such source")


def _factual(need: Basis) -> Basis:
    """That nothing is cited is a fact; that something should be is as good as who said so."""
    return need if need == "estimated" else "fact"


def _best(verdicts: Sequence[Verdict]) -> _Span:
    """The highest value; an unscored one could be anything."""
    lo = max((one.value for one in verdicts if one.value is not None), default=0.0)
    return _Span(lo, 1.0 if any(one.value is None for one in verdicts) else lo)


def _mean(spans: Sequence[_Span], uncertain: int = 0) -> Aggregate:
    """The mean of what is known; ``uncertain`` items may count 0 or not count at all."""
    n = len(spans) + uncertain
    if not n:
        return Aggregate(None, 0.0, 1.0, 0.0, 0)
    known = [span.lo for span in spans if span.known]
    lo = sum(span.lo for span in spans) / n
    hi = sum(span.hi for span in spans) / len(spans) if spans else 1.0
    value = min(max(sum(known) / len(known), lo), hi) if known else None
    return Aggregate(value, lo, hi, len(known) / n, n)


def _f1(recall: Aggregate, precision: Aggregate) -> Aggregate:
    value = None
    if recall.value is not None and precision.value is not None:
        value = _harmonic(recall.value, precision.value)
    coverage = min(recall.coverage, precision.coverage)
    lo, hi = _harmonic(recall.lo, precision.lo), _harmonic(recall.hi, precision.hi)
    return Aggregate(value, lo, hi, coverage, recall.n)


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0


def _validity(answer: Answer, known: Mapping[str, Source]) -> float | None:
    cited = [one for claim in answer.claims for one in claim.ids]
    return sum(one in known for one in cited) / len(cited) if cited else None
