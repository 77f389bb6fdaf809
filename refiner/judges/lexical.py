"""The lexical judge: no model, an estimate from overlap and wording. It flags problems and never says "supported".

Its weights stand in lexical.json with the data, the date and the measured figures; tests/bench/train_lexical.py
makes them. Criteria need understanding, so they stay unscored.
"""

import json
import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from refiner.domain import Check, Verdict
from refiner.evidence import words
from refiner.judges import details, polarity
from refiner.judges import quality as measured
from refiner.judges.overlap import FEATURES, figures
from refiner.judges.prepared import Prepared, prepare

FILE = Path(__file__).with_name("lexical.json")

PROBLEM, WEAK, NO_PROBLEM = "problem found", "weak overlap", "no problem found (not verified)"
LABELS = (PROBLEM, WEAK, NO_PROBLEM)

_FACTUAL = 5
"""Words from which on an uncited sentence is taken to make a factual claim: a rule of thumb."""

_MATCHED = 0.5
"""The value from which on a name or an opposite in another place says something: the texts must be about the same."""
_NAMES_ABSENT = 0.3
"""The share of a statement's names, or two of them, whose absence is a problem: one of many often only adds."""
_SHOWN = 4


class LexicalJudge:
    """Estimates support; see `refiner.judges.Judge`."""

    name = "lexical estimate"

    def __init__(self, file: Path = FILE) -> None:
        read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self.version = str(read["version"])
        self.quality = measured.from_json(read["quality"]) if "quality" in read else None
        self.threshold = float(read["threshold"])
        self._bias: float = read["bias"]
        self._weights = tuple(float(read["weights"][name]) for name in FEATURES)
        self._problem, self._weak = float(read["problem_below"]), float(read["weak_below"])
        self._common: dict[str, float] = read["common"]
        self._rare = float(read["rare"])

    def judge(self, checks: Sequence[Check]) -> tuple[Verdict, ...]:
        """One verdict a check."""
        return tuple(self._one(check) for check in checks)

    def rarity(self, stem: str) -> float:
        """How rare a stem is: −log of the share of texts that have it, learnt in training; the rarest share one value."""
        return self._common.get(stem, self._rare)

    def _one(self, check: Check) -> Verdict:
        if check.kind == "support":
            return self._support(check)
        if check.kind == "needs_citation":
            return self._need(check.statement)
        return self._verdict(None, "needs a language model judge")

    def _support(self, check: Check) -> Verdict:
        statement = prepare(check.statement)
        evidence = prepare("\n".join(_text(source.title, source.text) for source in check.evidence))
        if not statement.words or not evidence.words:
            return self._verdict(None, "there are no words to compare")
        found = details.compare(statement, evidence, self.rarity, _known(check.question))
        value = self.value(statement, evidence, found)
        flags, said = _problems(statement, evidence, self, found, value)
        label = PROBLEM if flags or value < self._problem else WEAK if value < self._weak else NO_PROBLEM
        low = ("low overlap",) if value < self._weak else ()
        shared = sum(word.stem in evidence.places for word in statement.words) / len(statement.words)
        reason = " ".join((f"{shared:.0%} of its words are in the cited text.", *said))
        return self._verdict(value, reason, label, (*flags, *low))

    def value(self, statement: Prepared, evidence: Prepared, found: details.Details) -> float:
        """The estimated probability of support, by logistic regression."""
        given = figures(statement, evidence, self.rarity, len(found.absent_numbers), len(found.absent_names))
        score = self._bias + sum(w * f for w, f in zip(self._weights, given, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))

    def _need(self, sentence: str) -> Verdict:
        factual = len(words(sentence)) >= _FACTUAL and not sentence.rstrip().endswith(("?", ":"))
        what = "Five words or more" if factual else "Fewer than five words, a question or a heading"
        return self._verdict(float(factual), f"{what}: a rule of thumb.")

    def _verdict(
        self, value: float | None, reason: str, label: str = "", flags: tuple[str, ...] = ()
    ) -> Verdict:
        return Verdict(value, "estimated", reason, self.name, self.version, label, flags)


def _problems(
    statement: Prepared, evidence: Prepared, judge: LexicalJudge, found: details.Details, value: float
) -> tuple[tuple[str, ...], list[str]]:
    """The flags that are raised, and what is said of each."""
    numbers, names = found.absent_numbers, found.absent_names
    lost = names if len(names) > 1 or len(names) >= _NAMES_ABSENT * max(1, found.names) else ()
    negated = polarity.negations(statement, evidence, judge.rarity)
    opposed = polarity.opposites(statement, evidence, judge.rarity) if value >= _MATCHED else ()
    moved = [one for one in found.moved if one.numeric or value >= _MATCHED]
    kinds = {one.numeric for one in moved}
    flags = {
        "number absent": bool(numbers),
        "name absent": bool(lost),
        "number elsewhere": True in kinds,
        "name elsewhere": False in kinds,
        "negation differs": bool(negated),
        "opposite word": bool(opposed),
    }
    said = [
        *_absent("number", numbers),
        *_absent("name", names),
        *(f"Where “{one.detail.text}” would belong, the text has “{one.instead}”." for one in moved[:_SHOWN]),
        *(f"The text has no “{word}” there." for word in negated[:_SHOWN]),
        *(f"Where this says “{one.word}”, the text says “{one.instead}”." for one in opposed[:_SHOWN]),
    ]
    return tuple(name for name, raised in flags.items() if raised), said


def _absent(kind: str, missing: Sequence[str]) -> list[str]:
    if not missing:
        return []
    many = len(missing) > 1
    return [f"The {kind}{'s' * many} {', '.join(missing[:_SHOWN])} {'are' if many else 'is'} not."]


def _text(title: str, text: str) -> str:
    return f"{title}\n{text}" if title else text


@lru_cache(maxsize=64)
def _known(question: str) -> frozenset[str]:
    """The question's stems: a name that it gives is not missed in the evidence."""
    return frozenset(prepare(question).places)
