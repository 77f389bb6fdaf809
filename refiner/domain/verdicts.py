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

    ``statement`` is the claim (support), the sentence (needs_citation) or empty (criterion);
    ``evidence`` are the sources to look at together; ``criterion`` is set for kind ``criterion``.
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

    For support 1 is full, 0.5 partial, 0 none; for a criterion it is the judge's 0–2 divided by 2,
    before polarity. ``estimated`` is a heuristic's word and never mixed with judged values. ``label``
    is the judge's own wording where its scale has names; ``flags`` what it noticed. ``confidence`` in [0, 1]
    is how far a model answered in the form asked, ``raw`` what it replied, both where there is such.
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
