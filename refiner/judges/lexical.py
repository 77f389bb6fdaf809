"""The lexical judge: no model, an estimate from overlap. It flags problems and never says "supported".

Its weights stand in lexical.json with the data, the date and the measured figures; tests/bench/train_lexical.py
makes them. Criteria need understanding, so they stay unscored.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from refiner.domain import Check, Verdict
from refiner.evidence import words
from refiner.judges.overlap import FEATURES, Overlap, overlap
from refiner.judges.quality import Quality

WEIGHTS = Path(__file__).with_name("lexical.json")

PROBLEM, WEAK, NO_PROBLEM = "problem found", "weak overlap", "no problem found (not verified)"
LABELS = (PROBLEM, WEAK, NO_PROBLEM)

_FACTUAL = 5
"""Words from which on an uncited sentence is taken to make a factual claim: a rule of thumb."""


class LexicalJudge:
    """Estimates support; see `refiner.judges.Judge`."""

    name = "lexical estimate"
    quality: Quality | None = None

    def __init__(self) -> None:
        read: dict[str, Any] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
        self.version: str = read["version"]
        self.figures: Mapping[str, Mapping[str, float]] = read["figures"]
        self._bias: float = read["bias"]
        self._weights = tuple(float(read["weights"][name]) for name in FEATURES)
        self._problem, self._weak = float(read["problem_below"]), float(read["weak_below"])
        self.threshold = self._weak

    def judge(self, checks: Sequence[Check]) -> tuple[Verdict, ...]:
        """One verdict a check."""
        return tuple(self._one(check) for check in checks)

    def _one(self, check: Check) -> Verdict:
        if check.kind == "support":
            return self._support(check)
        if check.kind == "needs_citation":
            return self._need(check.statement)
        return self._verdict(None, "needs a language model judge")

    def _support(self, check: Check) -> Verdict:
        texts = [f"{source.title}\n{source.text}" for source in check.evidence]
        if not any(words(text) for text in texts) or not words(check.statement):
            return self._verdict(None, "there are no words to compare")
        found = overlap(check.statement, texts)
        score = self._bias + sum(w * f for w, f in zip(self._weights, found.figures, strict=True))
        value = 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))
        label = NO_PROBLEM
        if found.absent_numbers or value < self._problem:
            label = PROBLEM
        elif value < self._weak:
            label = WEAK
        return self._verdict(value, _reason(found), label, self._flags(found, value))

    def _flags(self, found: Overlap, value: float) -> tuple[str, ...]:
        flags = {
            "number absent": bool(found.absent_numbers),
            "name absent": bool(found.absent_names),
            "low overlap": value < self._weak,
        }
        return tuple(name for name, raised in flags.items() if raised)

    def _need(self, sentence: str) -> Verdict:
        factual = len(words(sentence)) >= _FACTUAL and not sentence.rstrip().endswith(("?", ":"))
        what = "Five words or more" if factual else "Fewer than five words, a question or a heading"
        return self._verdict(float(factual), f"{what}: a rule of thumb.")

    def _verdict(
        self, value: float | None, reason: str, label: str = "", flags: tuple[str, ...] = ()
    ) -> Verdict:
        return Verdict(value, "estimated", reason, self.name, self.version, label, flags)


def _reason(found: Overlap) -> str:
    said = [f"{found.recall:.0%} of its words are in the cited text."]
    for kind, absent in (("number", found.absent_numbers), ("name", found.absent_names)):
        if absent:
            plural = "s" if len(absent) > 1 else ""
            verb = "are" if plural else "is"
            said.append(f"The {kind}{plural} {', '.join(absent[:4])} {verb} not.")
    return " ".join(said)
