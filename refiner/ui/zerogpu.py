"""Running on a ZeroGPU Space: work in a forked process that is lent a GPU for so many seconds.

Arguments and results cross a process border there, so they must be picklable, and an exception comes out as
a `gradio.Error` with its class name only: what the caller must see goes over as a value. Closing the wrapped
generator ends the work in the child at its next result. Elsewhere the function is left as it is.
"""

import sys
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from refiner.domain import Options, Request
from refiner.engines.protocol import Engine
from refiner.errors import EngineError

try:
    import spaces
except ImportError:
    spaces = None

P = ParamSpec("P")
R = TypeVar("R")

_CHARACTERS_A_TOKEN = 4
_PREFILL_RATE, _DECODE_RATE = 4000, 30
"""Tokens a second of a 4B model in bf16 on the GPU that is lent; kept low, as running out loses the run."""
_JUDGING = 10
_SHORTEST, _LONGEST = 20, 240


def on_gpu(work: Callable[P, R], duration: Callable[P, int]) -> Callable[P, R]:
    """``work``, to be run on a GPU for at most ``duration(...)`` seconds where `spaces` lends them."""
    if spaces is None:
        return work
    wrapped: Callable[P, R] = spaces.GPU(duration=duration)(work)
    return wrapped


def expected_seconds(request: Request, options: Options, *_: object) -> int:
    """How long a run may take, tight: a visitor's quota is checked against it."""
    texts = (request.question, request.draft, *(source.text for source in request.sources))
    prompt = min(sum(map(len, texts)) / _CHARACTERS_A_TOKEN, 6144)
    wanted = prompt / _PREFILL_RATE + options.max_new_tokens / _DECODE_RATE + _JUDGING
    return round(min(max(wanted, _SHORTEST), _LONGEST))


def warm(engine: Engine) -> None:
    """Bring the model into memory: now on ZeroGPU, which wants weights placed before it forks; else meanwhile.

    The terminal is told when it is there, or why it cannot be; the page shows the same.
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
