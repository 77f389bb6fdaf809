"""The lexical judge: no model, an estimate from overlap and wording. It flags problems and never says "supported".

Its weights stand in lexical.json with the data, the date and the measured figures. tests/bench/train_lexical.py makes
that file. Criteria need understanding, so they stay unscored.
"""

import json
import math
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from refiner.domain import Check, Verdict
from refiner.judges import quality as measured
from refiner.judges.lexical import details, polarity, quantifiers
from refiner.judges.lexical.overlap import FEATURES, figures
from refiner.judges.lexical.prepared_text import PreparedText, prepare
from refiner.judges.protocol import Stop, never_stop
from refiner.text.words import words

FILE = Path(__file__).with_name("lexical.json")

PROBLEM, WEAK, NO_PROBLEM = "problem found", "weak overlap", "no problem found (not verified)"
LABELS = (PROBLEM, WEAK, NO_PROBLEM)

_MIN_FACTUAL_WORDS = 5
"""An uncited sentence of so many words or more is taken to make a factual claim. A rule of thumb."""

_ABSENT_FLAGS = frozenset({"number absent", "name absent"})
"""Flags that make a problem on their own: nine in ten training claims with one of them were unsupported, half of those
with another flag."""
_MAX_NAMED = 4


class LexicalJudge:
    """Estimates support; see `refiner.judges.protocol.Judge`."""

    name = "lexical estimate"

    def __init__(self, file: Path = FILE) -> None:
        read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self.version = str(read["version"])
        self.quality = measured.quality_from_json(read["quality"]) if "quality" in read else None
        self.threshold = float(read["threshold"])
        self._bias: float = read["bias"]
        self._weights = tuple(float(read["weights"][name]) for name in FEATURES)
        self._problem, self._weak = float(read["problem_below"]), float(read["weak_below"])
        self._common: dict[str, float] = read["common"]
        self._rare = float(read["rare"])

    def judge(self, checks: Sequence[Check], stop: Stop = never_stop) -> Generator[Mapping[int, Verdict]]:
        """One verdict after the other. All take milliseconds, so a stop changes nothing."""
        del stop
        for place, check in enumerate(checks):
            yield {place: self._judge_check(check)}

    def rarity(self, stem: str) -> float:
        """How rare a stem is: −log of the share of training texts that have it. The rarest stems share one value."""
        return self._common.get(stem, self._rare)

    def _judge_check(self, check: Check) -> Verdict:
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
        found = details.compare(statement, evidence, self.rarity, frozenset(prepare(check.question).places))
        value = self.value(statement, evidence, found)
        flags, said = _problems(statement, evidence, self, found)
        label = PROBLEM if value < self._problem or not _ABSENT_FLAGS.isdisjoint(flags) else NO_PROBLEM
        if label == NO_PROBLEM and (flags or value < self._weak):
            label = WEAK
        low = ("low overlap",) if value < self._weak else ()
        shared = sum(word.stem in evidence.places for word in statement.words) / len(statement.words)
        reason = " ".join((f"{shared:.0%} of its words are in the cited text.", *said))
        return self._verdict(value, reason, label, (*flags, *low))

    def value(self, statement: PreparedText, evidence: PreparedText, found: details.DetailFindings) -> float:
        """The estimated probability of support, by logistic regression."""
        given = figures(statement, evidence, self.rarity, len(found.absent_numbers), len(found.absent_names))
        score = self._bias + sum(w * f for w, f in zip(self._weights, given, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))

    def _need(self, sentence: str) -> Verdict:
        factual = len(words(sentence)) >= _MIN_FACTUAL_WORDS and not sentence.rstrip().endswith(("?", ":"))
        what = "Five words or more" if factual else "Fewer than five words, a question or a heading"
        return self._verdict(float(factual), f"{what}: a rule of thumb.")

    def _verdict(
        self, value: float | None, reason: str, label: str = "", flags: tuple[str, ...] = ()
    ) -> Verdict:
        return Verdict(value, "estimated", reason, self.name, self.version, label, flags)


def _problems(
    statement: PreparedText, evidence: PreparedText, judge: LexicalJudge, found: details.DetailFindings
) -> tuple[tuple[str, ...], list[str]]:
    """The flags that are raised, and what is said of each."""
    numbers, names = found.absent_numbers, found.absent_names
    negated = polarity.negations(statement, evidence, judge.rarity)
    dropped = polarity.dropped(statement, evidence, judge.rarity)
    opposed = polarity.opposites(statement, evidence, judge.rarity)
    raised = quantifiers.overstated(statement, evidence, judge.rarity)
    moved = {one.detail.named for one in found.moved}
    flags = {
        "number absent": bool(numbers),
        "name absent": found.names_matter,
        "number elsewhere in the text": False in moved,
        "name elsewhere in the text": True in moved,
        "negation differs": bool(negated or dropped),
        "opposite word": any(not one.direction for one in opposed),
        "direction differs": any(one.direction for one in opposed),
        "says more": bool(raised),
    }
    said = [
        *_absent("number", numbers),
        *_absent("name", names),
        *(
            f"Where “{one.detail.text}” would belong, the text has “{one.instead}”."
            for one in found.moved[:_MAX_NAMED]
        ),
        *(f"The text has no “{word}” there." for word in negated[:_MAX_NAMED]),
        *(f"The text has “{word}” there, this has not." for word in dropped[:_MAX_NAMED]),
        *(f"Where this says “{one.word}”, the text says “{one.instead}”." for one in opposed[:_MAX_NAMED]),
        *(f"Where this says “{word}”, the text says “{there}”." for word, there in raised[:_MAX_NAMED]),
    ]
    return tuple(name for name, found_so in flags.items() if found_so), said


def _absent(kind: str, missing: Sequence[str]) -> list[str]:
    if not missing:
        return []
    many = len(missing) > 1
    return [f"The {kind}{'s' * many} {', '.join(missing[:_MAX_NAMED])} {'are' if many else 'is'} not."]


def _text(title: str, text: str) -> str:
    return f"{title}\n{text}" if title else text
