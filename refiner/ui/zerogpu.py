"""Runs work on a ZeroGPU Space in a forked process that is lent a GPU. Elsewhere it changes nothing.

Arguments and results cross a process border there, so they must be picklable. An exception comes out as a
`gradio.Error` that has only its class name, so what the caller must see is returned as a value. Closing the
wrapped generator ends the work in the child at its next result.
"""

import sys
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from refiner.domain import Options, Request
from refiner.engines.protocol import Engine
from refiner.errors import EngineError
from refiner.prompts.budget import MAX_PROMPT_TOKENS

try:
    import spaces
except ImportError:
    spaces = None

P = ParamSpec("P")
R = TypeVar("R")

_CHARACTERS_PER_TOKEN = 4
_PREFILL_TOKENS_PER_SECOND, _DECODE_TOKENS_PER_SECOND = 4000, 30
"""Rates of a 4B model in bf16 on the GPU that is lent, kept low, as a run that outlasts its time is lost."""
_JUDGING_SECONDS = 10
_MIN_SECONDS, _MAX_SECONDS = 20, 240


def on_gpu(work: Callable[P, R], duration: Callable[P, int]) -> Callable[P, R]:
    """Give ``work`` a GPU for ``duration(...)`` seconds. Without the package `spaces`, return it as it is."""
    if spaces is None:
        return work
    wrapped: Callable[P, R] = spaces.GPU(duration=duration)(work)
    return wrapped


def expected_seconds(request: Request, options: Options, *_: object) -> int:
    """Estimate the seconds of a run, between 20 and 240.

    The estimate is tight, as the visitor's quota must cover it.
    """
    texts = (request.question, request.draft, *(source.text for source in request.sources))
    prompt_tokens = min(sum(map(len, texts)) / _CHARACTERS_PER_TOKEN, MAX_PROMPT_TOKENS)
    writing_seconds = options.max_new_tokens / _DECODE_TOKENS_PER_SECOND
    total = prompt_tokens / _PREFILL_TOKENS_PER_SECOND + writing_seconds + _JUDGING_SECONDS
    return round(min(max(total, _MIN_SECONDS), _MAX_SECONDS))


def warm_up(engine: Engine) -> None:
    """Load the model: at once on ZeroGPU, where weights must be placed before the fork, and else in a thread.

    The thread writes to stderr that the model is ready, or why it cannot be. The page shows the same.
    """
    if spaces is not None:
        engine.load()
        return

    def load() -> None:
        try:
            engine.load()
        except EngineError as error:
            sys.stderr.write(f"{error}\n")
        else:
            sys.stderr.write(f"{engine.info.name} is ready: {engine.info.detail}\n")

    threading.Thread(target=load, name="warm", daemon=True).start()
