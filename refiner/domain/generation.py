"""What a model is given to read, and what it took to write."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat: ``role`` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model writes. ``name`` is what people see. ``is_refiner`` is True only for the refiner's own weights."""

    name: str
    is_refiner: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a generation took. Times are in seconds. ``forward_passes`` counts the prompt's passes too.

    ``grammar_seconds`` is the time for masks, choosing tokens and forced tokens. ``drafting_seconds`` is the time for
    proposing draft tokens. ``guessed_tokens`` are draft tokens that were accepted, which took no pass of their own.
    ``reused_tokens`` of the prompt had been read before.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    forward_passes: int = 0
    prefill_seconds: float = 0.0
    seconds: float = 0.0
    grammar_seconds: float = 0.0
    drafting_seconds: float = 0.0
    guessed_tokens: int = 0
    reused_tokens: int = 0
    ended: Literal["", "end", "budget", "stopped"] = ""


@dataclass(frozen=True, slots=True)
class ChoiceProbabilities:
    """What one forward pass over many prompts brought: how probable each choice is after the prompts that end in it.

    ``probabilities`` holds the probability of each choice, in [0, 1], by the number of the prompt. It is None for a prompt
    that is longer than the model reads, which takes no pass. ``tokens_read`` is how many tokens the pass read.
    """

    probabilities: Mapping[int, tuple[float, ...] | None]
    tokens_read: int = 0


@dataclass(frozen=True, slots=True)
class Trim:
    """How many sentences of a source went into the prompt. With 0 the source was left out."""

    source_id: str
    kept: int
    of: int
