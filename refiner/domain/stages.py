"""A run, and its stages on the way."""

from dataclasses import dataclass

from refiner.domain.answers import Answer
from refiner.domain.changes import Change
from refiner.domain.generation import ModelInfo, Trim, Usage
from refiner.domain.requests import Request
from refiner.domain.rewards import Reward


@dataclass(frozen=True, slots=True)
class Refinement:
    """Everything known of one finished run."""

    request: Request
    model: ModelInfo
    judge: str
    prompt_version: str
    form: str
    trims: tuple[Trim, ...]
    draft: Answer
    answer: Answer
    changes: tuple[Change, ...]
    draft_reward: Reward
    reward: Reward
    usage: Usage
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """The prompt is built: what of the sources went in, and how many tokens it has."""

    trims: tuple[Trim, ...]
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class GenerationProgress:
    """The whole text so far (not a delta), with markup. It may shrink once at the very end."""

    text: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class JudgingProgress:
    """The answer and its diff stand. ``done`` of ``total`` checks have come back: at first none, at last all."""

    answer: Answer
    draft: Answer
    changes: tuple[Change, ...]
    usage: Usage
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The last stage of every run that was not broken off by an error."""

    refinement: Refinement


Stage = Prepared | GenerationProgress | JudgingProgress | Finished
