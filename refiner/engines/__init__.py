"""Who writes: the seam between Refiner and any model, and nothing of a particular one.

`local` runs transformers in this process, `scripted` replays given texts for tests and page work.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from refiner.domain import Form, ModelInfo, Writing


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat: ``role`` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to write.

    ``ids`` are those that may be cited. ``quotes`` gives, for the extractive form, the sentences of each
    source that may be quoted, best first. ``max_new_tokens`` counts everything written, forced tokens too.
    """

    messages: tuple[Message, ...]
    form: Form
    ids: tuple[str, ...]
    quotes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    max_new_tokens: int = 1024
    temperature: float = 0.0
    seed: int | None = None


class Engine(Protocol):
    """A model that writes. Loading may happen at the first use; failures are `EngineError`."""

    @property
    def info(self) -> ModelInfo:
        """Which model this is; known before it is loaded."""

    @property
    def default_form(self) -> Form:
        """The form that this model writes best in."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text alone, without special tokens."""

    def prompt_tokens(self, messages: Sequence[Message]) -> int:
        """The number of tokens of the whole prompt, chat template included."""

    def stream(self, job: Job, stop: threading.Event) -> Iterator[Writing]:
        """Write: the text so far, again and again; the last one carries ``usage.ended``.

        When ``stop`` is set the stream ends within one forward pass with ``ended="stopped"`` and keeps
        what was written, properly closed.
        """
