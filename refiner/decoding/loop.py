"""The decoding loop: a causal language model, a prompt and a writer; one forward pass at a time.

Not transformers' `generate`: here forced tokens go through the model together with the next token's pass,
a stop takes effect between two passes, and the grammar's share of the time is measured.
"""

import inspect
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

import torch
from transformers import DynamicCache

from refiner.decoding.grammar import Allowed
from refiner.decoding.writer import Writer
from refiner.domain import Usage

PREFILL = 1024
"""The most tokens a pass reads, so that a long prompt can be stopped on the way."""


class Picker:
    """Chooses a token from logits: the likeliest, or at ``temperature`` > 0 one drawn with ``seed``."""

    def __init__(self, temperature: float, seed: int | None) -> None:
        self._temperature = temperature
        self._random = torch.Generator()
        if seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(seed)

    def __call__(self, logits: torch.Tensor, allowed: Allowed | None) -> int:
        """A token id; ``logits`` are float32 of shape (vocabulary,), on the CPU."""
        if allowed is not None and allowed.mask is None:
            return allowed.tokens[self._draw(logits[torch.tensor(allowed.tokens)])]
        if allowed is not None:
            logits = logits.masked_fill(~torch.from_numpy(allowed.mask), -torch.inf)
        return self._draw(logits)

    def _draw(self, logits: torch.Tensor) -> int:
        if self._temperature <= 0:
            return int(logits.argmax())
        chances = torch.softmax(logits / self._temperature, dim=-1)
        return int(torch.multinomial(chances, 1, generator=self._random))


def cache_name(model: Any) -> str:
    """What the model calls its cache: ``cache`` since transformers 5.24."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


def decode(
    model: Any, prompt: list[int], writer: Writer, pick: Picker, stopped: Callable[[], bool]
) -> Iterator[Usage]:
    """Write until the writer is done or ``stopped``; yields after every pass, ends with ``usage.ended``."""
    began = time.perf_counter()
    prefill = grammar = 0.0
    passes = 0
    cache = {cache_name(model): DynamicCache(config=model.config)}
    waiting = [*prompt, *writer.begin()]

    def usage(ended: Literal["", "end", "budget", "stopped"] = "") -> Usage:
        return Usage(
            prompt_tokens=len(prompt),
            completion_tokens=writer.spent,
            forward_passes=passes,
            prefill_seconds=prefill,
            seconds=time.perf_counter() - began,
            grammar_seconds=grammar,
            ended=ended,
        )

    while not writer.done and not stopped():
        now, waiting = waiting[:PREFILL], waiting[PREFILL:]
        with torch.inference_mode():
            inputs = torch.tensor([now], device=model.device)
            output = model(input_ids=inputs, **cache, use_cache=True, logits_to_keep=1)
            logits = output.logits[0, -1].float().cpu()  # waits for the device, so that times are true
        passes += 1
        if waiting:
            continue
        if not prefill:
            prefill = time.perf_counter() - began
        grammar -= time.perf_counter()
        waiting = writer.take(pick(logits, writer.allowed()))
        grammar += time.perf_counter()
        yield usage()
    halted = not writer.done
    writer.finish(whole=halted)
    yield usage("stopped" if halted else "budget" if writer.cut else "end")
