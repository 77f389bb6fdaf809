"""What a judge is asked, and what it says."""

from dataclasses import dataclass
from typing import Literal

from refiner.domain.answers import Source
from refiner.domain.requests import Criterion

Basis = Literal["judged", "estimated", "fact"]

CheckKind = Literal["criterion", "support", "needs_citation"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing asked of a judge.

    ``statement`` is the claim (support), the sentence (needs_citation) or empty (criterion). ``evidence`` are the sources
    to look at together. ``criterion`` is set for the kind ``criterion``.
    """

    kind: CheckKind
    question: str
    answer: str
    statement: str = ""
    evidence: tuple[Source, ...] = ()
    criterion: Criterion | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a check: ``value`` in [0, 1], or None with the reason it was not scored.

    For support 1 is full, 0.5 partial, 0 none. For a criterion it is the judge's 0, 1 or 2 divided by 2, before
    polarity. An ``estimated`` value is a heuristic's, and is never mixed with judged values. ``label`` is the judge's own
    word, if its scale has names. ``flags`` are what it noticed. ``confidence`` in [0, 1] is how much of a model's
    probability is on the scores. ``raw`` is what it replied.
    """

    value: float | None
    basis: Basis
    reason: str
    judge: str
    version: str = ""
    label: str = ""
    flags: tuple[str, ...] = ()
    confidence: float | None = None
    raw: str = ""
