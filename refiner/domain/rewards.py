"""What verdicts add up to."""

from dataclasses import dataclass

from refiner.domain.requests import Criterion, Mix
from refiner.domain.verdicts import Basis, Verdict


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A weighted mean of what was scored.

    ``value`` is None if nothing was. ``lo`` and ``hi`` fill what was not scored with the worst and the best. ``coverage``
    is the scored share of the weight. ``n`` is the number of items.
    """

    value: float | None
    lo: float
    hi: float
    coverage: float
    n: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence of a source: ``source.text[start:end]``."""

    source_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ClaimSupport:
    """A stretch that needs a citation, and how well what it cites supports it.

    ``text`` is a claim's, or an uncited sentence's, which has no ``ids``. ``by_source`` holds the verdict on each cited
    source alone, in the order of ``ids``. ``passages`` holds the sentence of each cited source that comes nearest to the
    claim, for sources that have one.
    """

    text: str
    ids: tuple[str, ...]
    verdict: Verdict
    by_source: tuple[Verdict, ...] = ()
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class CitationReward:
    """Citation figures in [0, 1] of one answer. ``not_applicable`` says why, if nothing needs a citation."""

    recall: Aggregate
    precision: Aggregate
    f1: Aggregate
    validity: float | None
    supports: tuple[ClaimSupport, ...]
    basis: Basis
    not_applicable: str = ""


@dataclass(frozen=True, slots=True)
class RubricReward:
    """Each criterion with its verdict, in the rubric's order, and their weighted mean after polarity."""

    verdicts: tuple[tuple[Criterion, Verdict], ...]
    total: Aggregate


@dataclass(frozen=True, slots=True)
class Reward:
    """The two parts of the score and the score itself, all in [0, 1].

    ``total.value`` is None while either part's coverage is under 0.8 ("partly scored"). ``reason`` then says why.
    ``mix`` says how the parts make the score.
    """

    rubric: RubricReward
    citation: CitationReward
    total: Aggregate
    basis: Basis
    reason: str = ""
    mix: Mix = "weighted"
