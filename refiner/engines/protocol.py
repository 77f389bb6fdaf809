"""What Refiner needs of a model: the seam between it and any engine.

An engine that can also tell how probable given answers are is a `ChoiceScorer`, and can judge.
"""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from refiner.domain import ChoiceProbabilities, Form, GenerationProgress, Message, ModelInfo
from refiner.prompts.token_counting import TokenCounter


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One answer to write.

    ``ids`` are those that may be cited. ``quotes`` are for the extractive form: groups of (id, sentence), of which at
    most one each is written, in order. ``draft`` is what the answer will probably repeat, in pairs (ids, text) as the
    prompt shows it; it makes writing faster and changes nothing else. ``max_new_tokens`` counts everything written,
    forced tokens too.
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
    """A model that writes. Loading may happen at the first use. Failures are `EngineError`."""

    @property
    def info(self) -> ModelInfo:
        """Which model this is; known before it is loaded."""

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms that the engine can hold its output to, the one that this model writes best in first."""

    @property
    def token_counter(self) -> TokenCounter | None:
        """Counts tokens; None where the engine cannot, and the prompt's length is estimated."""

    @property
    def ready(self) -> bool:
        """Whether the model is in memory, so that writing begins at once."""

    @property
    def problem(self) -> str:
        """Why the last loading failed, in words; empty where none did."""

    def load(self) -> None:
        """Bring the model into memory now. `EngineError` says why it cannot be."""

    def stream(self, request: GenerationRequest, stop: threading.Event) -> Iterator[GenerationProgress]:
        """Write: the text so far, again and again. The last one carries ``usage.ended``.

        When ``stop`` is set the stream ends within one forward pass with ``ended="stopped"``, and keeps what was
        written, properly closed.
        """

    def release(self) -> None:
        """Free what was read for the last request. Until then a prompt that begins alike starts from there."""


@runtime_checkable
class ChoiceScorer(Protocol):
    """A model that tells how probable given answers are, so that a judge can read it."""

    @property
    def info(self) -> ModelInfo:
        """Which model this is."""

    def score_choices(
        self,
        prompts: Sequence[Sequence[Message]],
        choices: Sequence[str],
        stop: Callable[[], bool] = lambda: False,
    ) -> Generator[ChoiceProbabilities]:
        """How probable each choice is as the next thing that the model says after each prompt, pass by pass.

        It ends where ``stop`` says so, before a pass or while another request has the model.
        """
