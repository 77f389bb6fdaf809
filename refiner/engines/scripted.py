"""An engine that replays given texts, with given delays and failures. For tests and page work; no model."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from refiner.domain import Form, GenerationProgress, Message, ModelInfo, Usage
from refiner.engines.protocol import GenerationRequest
from refiner.errors import EngineError

_INFO = ModelInfo("scripted", is_refiner=False, detail="replays a text; no model")


@dataclass(slots=True)
class ScriptedEngine:
    """Writes ``texts`` in turn (the last one for ever), ``step`` characters at a time, ``delay`` seconds apart.

    A token is a word here. After ``fail_after`` characters it raises `EngineError` with ``failure``.
    """

    texts: Sequence[str]
    delay: float = 0.0
    step: int = 24
    fail_after: int | None = None
    failure: str = "The model stopped working. Try again."
    forms: tuple[Form, ...] = ("off",)
    info: ModelInfo = _INFO
    requests: list[GenerationRequest] = field(default_factory=list)

    ready: bool = True
    problem: str = ""

    @property
    def token_counter(self) -> "ScriptedEngine":
        """The engine itself: one token a word."""
        return self

    def load(self) -> None:
        """Nothing to load."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """One token a word."""
        return [len(text.split()) for text in texts]

    def count_prompt(self, messages: Sequence[Message]) -> int:
        """One token a word."""
        return sum(self.count([message.content for message in messages]))

    def stream(self, request: GenerationRequest, stop: threading.Event) -> Iterator[GenerationProgress]:
        """Replay the next text."""
        text = self.texts[min(len(self.requests), len(self.texts) - 1)]
        self.requests.append(request)
        began = time.perf_counter()
        prompt = self.count_prompt(request.messages)
        for end in range(self.step, len(text) + self.step, self.step):
            if self.fail_after is not None and end > self.fail_after:
                raise EngineError(self.failure)
            stopped = stop.wait(self.delay)
            done = stopped or end >= len(text)
            yield GenerationProgress(
                text[:end],
                Usage(
                    prompt_tokens=prompt,
                    completion_tokens=len(text[:end].split()),
                    forward_passes=end // self.step,
                    seconds=time.perf_counter() - began,
                    ended="stopped" if stopped else "end" if done else "",
                ),
            )
            if done:
                return

    def release(self) -> None:
        """Nothing is held."""
