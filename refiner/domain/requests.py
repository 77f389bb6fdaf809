"""What a person asks for, and how it is to be written."""

from dataclasses import dataclass
from typing import Literal

from refiner.domain.answers import Source

Polarity = Literal["positive", "negative"]

Origin = Literal["user", "static", "generated"]

Mix = Literal["weighted", "convex"]
"""How rubric and citations make a score: (rubric + w × F1) / (1 + w), or (1 - w) × rubric + w × F1."""

Form = Literal["off", "free", "strict", "extractive"]
"""How output is held to the answer format. *off*: not at all. *free*: to the format. *strict*: with text only inside
claims. *extractive*: with only whole sentences of the sources."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of a rubric. A positive criterion asks for something, a negative one names a fault."""

    id: str
    title: str
    description: str
    weight: float = 1.0
    polarity: Polarity = "positive"
    origin: Origin = "user"


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for. ``criteria`` are scored beside the static rubric."""

    question: str
    draft: str
    sources: tuple[Source, ...]
    criteria: tuple[Criterion, ...] = ()


MIN_NEW_TOKENS, MAX_NEW_TOKENS = 16, 8192
"""New tokens that can be asked for. The refiner was trained to write up to the maximum (its model card)."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to write. ``form`` None leaves it to the engine; ``temperature`` 0 is greedy.

    ``max_new_tokens`` is from `MIN_NEW_TOKENS` to `MAX_NEW_TOKENS`.
    """

    max_new_tokens: int = 1024
    form: Form | None = None
    temperature: float = 0.0
    seed: int | None = None
