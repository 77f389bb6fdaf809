"""The logits judge: any local model, read and not written with. The value is the expected score.

Every check is a prompt that ends where the model would say 0, 1 or 2; the probabilities of these are the
verdict. All checks of a call are read together, and what they share once. How good it is depends on the model:
`refiner judge-eval` measures it.
"""

import math
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing

from refiner.domain import Check, Message, Source, Verdict
from refiner.engines.protocol import ChoiceScorer
from refiner.judges import judge_prompts
from refiner.judges.protocol import Stop, never_stop
from refiner.judges.quality import Quality
from refiner.prompts.prompt_file import PromptTemplate

SCORES = tuple(str(score) for score in range(judge_prompts.TOP_SCORE + 1))

MIN_CONFIDENCE = 0.5
"""The probability that must fall on the scores for a verdict. Below it the model was about to say something else."""


class LogitsJudge:
    """Judges with a local model; see `refiner.judges.protocol.Judge`."""

    threshold = 0.5
    quality: Quality | None = None

    def __init__(self, scorer: ChoiceScorer, template: PromptTemplate | None = None) -> None:
        self.version = judge_prompts.version(template)
        self._scorer, self._template = scorer, template

    @property
    def name(self) -> str:
        """The model's name and how it is asked."""
        return f"{self._scorer.info.name}, by probabilities"

    def judge(self, checks: Sequence[Check], stop: Stop = never_stop) -> Generator[Mapping[int, Verdict]]:
        """The verdicts of each forward pass once it is read."""
        chats = prompts(checks, self._template)
        with closing(self._scorer.score_choices(chats, SCORES, stop)) as passes:
            for scored in passes:
                yield {place: self._verdict(one) for place, one in scored.probabilities.items()}

    def _verdict(self, probabilities: tuple[float, ...] | None) -> Verdict:
        if probabilities is None:
            return self._made(None, "question, sources and answer are longer than the judge can read")
        confidence = min(sum(probabilities), 1.0)
        raw = ", ".join(f"{score}: {one:.0%}" for score, one in zip(SCORES, probabilities, strict=True))
        if (
            not confidence >= MIN_CONFIDENCE
        ):  # so that NaN, which half precision can give, is no answer either
            why = f"the judge did not answer in the form asked ({confidence:.0%} of its probability is on 0, 1 and 2)"
            return self._made(None, why, None if math.isnan(confidence) else confidence, raw)
        return self._made(expected_score(probabilities), f"Probabilities: {raw}.", confidence, raw)

    def _made(
        self, value: float | None, reason: str, confidence: float | None = None, raw: str = ""
    ) -> Verdict:
        return Verdict(value, "judged", reason, self.name, self.version, confidence=confidence, raw=raw)


def prompts(checks: Sequence[Check], template: PromptTemplate | None = None) -> list[tuple[Message, ...]]:
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
        judge_prompts.messages(check, shown[check.question, check.evidence], judge_prompts.DIGIT, template)
        for check in checks
    ]


def expected_score(probabilities: Sequence[float]) -> float:
    """The expected score in [0, 1] of ``probabilities`` for 0, 1, 2: normalised, weighed, divided by the top score."""
    mass = sum(probabilities)
    value = sum(score * one for score, one in enumerate(probabilities)) / (mass * judge_prompts.TOP_SCORE)
    return min(max(value, 0.0), 1.0)
