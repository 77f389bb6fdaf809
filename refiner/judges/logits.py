"""The logits judge: any local model, read and not written with. The value is the expected score.

Every check is a prompt that ends where the model would say 0, 1 or 2; the probabilities of these are the
verdict. All checks of a call are read together, and what they share once. How good it is depends on the model:
`refiner judge-eval` measures it.
"""

import math
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from typing import Protocol

from refiner.domain import Check, Message, ModelInfo, Odds, Source, Verdict
from refiner.judges import judge_prompts
from refiner.judges.protocol import Stop, going_on
from refiner.judges.quality import Quality

SCORES = tuple(str(score) for score in range(judge_prompts.TOP + 1))

ENOUGH = 0.5
"""The probability that must fall on the scores for a verdict: below it the model was about to say something else."""


class Reader(Protocol):
    """What a model must do to judge; `engines.local.LocalEngine` does."""

    @property
    def info(self) -> ModelInfo:
        """Which model this is."""

    def odds(
        self, prompts: Sequence[Sequence[Message]], choices: Sequence[str], stop: Stop = going_on
    ) -> Generator[Odds]:
        """How likely each choice is the next thing that the model says after each prompt, pass by pass until ``stop``."""


class LogitsJudge:
    """Judges with a local model; see `refiner.judges.protocol.Judge`."""

    threshold = 0.5
    quality: Quality | None = None

    def __init__(self, reader: Reader) -> None:
        self.version = judge_prompts.version()
        self._reader = reader

    @property
    def name(self) -> str:
        """The model's name and how it is asked."""
        return f"{self._reader.info.name}, by probabilities"

    def judge(self, checks: Sequence[Check], stop: Stop = going_on) -> Generator[Mapping[int, Verdict]]:
        """The verdicts of each forward pass once it is read."""
        with closing(self._reader.odds(prompts(checks), SCORES, stop)) as passes:
            for odds in passes:
                yield {place: self._verdict(chances) for place, chances in odds.chances.items()}

    def _verdict(self, chances: tuple[float, ...] | None) -> Verdict:
        if chances is None:
            return self._said(None, "question, sources and answer are longer than the judge can read")
        mass = min(sum(chances), 1.0)
        raw = ", ".join(f"{score}: {chance:.0%}" for score, chance in zip(SCORES, chances, strict=True))
        if not mass >= ENOUGH:  # so that NaN, which half precision can give, is no answer either
            why = (
                f"the judge did not answer in the form asked ({mass:.0%} of its probability is on 0, 1 and 2)"
            )
            return self._said(None, why, None if math.isnan(mass) else mass, raw)
        return self._said(expected(chances), f"Probabilities: {raw}.", mass, raw)

    def _said(
        self, value: float | None, reason: str, confidence: float | None = None, raw: str = ""
    ) -> Verdict:
        return Verdict(value, "judged", reason, self.name, self.version, confidence=confidence, raw=raw)


def prompts(checks: Sequence[Check]) -> list[tuple[Message, ...]]:
    """One chat a check. So that chats begin alike, each shows the most sources of a check that names all of its own.

    Beside criteria, which name every source, a claim's support is thus asked with every source in sight.
    """
    known: dict[str, list[tuple[Source, ...]]] = {}
    for check in sorted(dict.fromkeys(checks), key=lambda check: -len(check.evidence)):
        if check.evidence not in known.setdefault(check.question, []):
            known[check.question].append(check.evidence)
    shown = {
        (question, own): next(most for most in every if set(most) >= set(own))
        for question, every in known.items()
        for own in every
    }
    return [
        judge_prompts.messages(check, shown[check.question, check.evidence], judge_prompts.DIGIT)
        for check in checks
    ]


def expected(chances: Sequence[float]) -> float:
    """The expected score of ``chances`` for 0, 1, 2 in [0, 1]: normalised, weighed, divided by the top score."""
    mass = sum(chances)
    value = sum(score * chance for score, chance in enumerate(chances)) / (mass * judge_prompts.TOP)
    return min(max(value, 0.0), 1.0)
