"""The seam between Refiner and any model that writes, and nothing of a particular one."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from refiner.domain import Form, Message, ModelInfo, Writing


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to write.

    ``ids`` are those that may be cited; ``quotes``, for the extractive form, groups of (id, sentence) of which
    at most one each is written, in order. ``draft`` is what the answer will probably repeat, in pairs (ids, text)
    as the prompt shows it: it makes writing faster and changes nothing else.
    ``max_new_tokens`` counts everything written, forced tokens too.
    """

    messages: tuple[Message, ...]
    form: Form
    ids: tuple[str, ...]
    quotes: tuple[tuple[tuple[str, str], ...], ...] = ()
    draft: tuple[tuple[str, str], ...] = ()
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

    @property
    def ready(self) -> bool:
        """Whether the model is in memory, so that writing begins at once."""

    @property
    def problem(self) -> str:
        """Why the last loading failed, in words; empty where none did."""

    def load(self) -> None:
        """Bring the model into memory now; `EngineError` says why it cannot be."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text alone, without special tokens."""

    def prompt_tokens(self, messages: Sequence[Message]) -> int:
        """The number of tokens of the whole prompt, chat template included."""

    def stream(self, job: Job, stop: threading.Event) -> Iterator[Writing]:
        """Write: the text so far, again and again; the last one carries ``usage.ended``.

        When ``stop`` is set the stream ends within one forward pass with ``ended="stopped"`` and keeps
        what was written, properly closed.
        """

    def release(self) -> None:
        """Let go of what was read for the last job; until then a prompt that begins alike starts from there."""
