"""What must hold of the GPU path, checked on this machine's GPU: `make gpu`. Exits with the failures.

`checks.py [--device cpu] [--small]`. Needs torch and transformers alone: no tokenizer, no network, no test runner.
"""

import argparse
import logging
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from random_model import (
    BYTES_PER_GIGABYTE,
    filled_cache,
    plain_writer,
    random_model,
    random_tokens,
    relative_error,
)

from refiner.decoding.kv_cache import STATIC_WIDTHS, KVCache
from refiner.decoding.loop import decode
from refiner.decoding.proposer import DraftToken
from refiner.decoding.sampler import Sampler
from refiner.domain import GenerationProgress
from refiner.engines.static_passes import StaticPasses

LONGEST = 6_144 + 8_192
"""Prompt and answer at their default limits."""
MAX_ERROR = 1.1
"""How much more the static passes may err than eager ones, both against float32."""


class Knowing:
    """Proposes what is known to come, with one token in eight wrong."""

    def __init__(self, tokens: Sequence[int], vocabulary: int) -> None:
        self._tokens, self._vocabulary = tokens, vocabulary
        self._dice = random.Random(1)  # noqa: S311 - repeatable, no secret

    def propose(self, writer: Any, max_tokens: int) -> list[DraftToken]:
        """As many tokens as fit."""
        proposal, at = [], writer.token_count
        for token in self._tokens[at : at + min(max_tokens, self._dice.randrange(1, 40))]:
            wrong = self._dice.random() < 1 / 8
            proposed = (token + 1) % self._vocabulary if wrong else token
            following = plain_writer(writer._budget)
            following.token_count, following.written = at + 1, writer.written + b"x"
            following.finished = following.truncated = following.token_count >= writer._budget
            proposal.append(DraftToken([proposed], following, 0, (), 1.0))
            writer, at = following, at + 1
        return proposal

    def update(self, *_: Any) -> None:
        """Nothing is learned."""


def errors_against_float32(device: str, dtype: torch.dtype, *, small: bool) -> dict[str, float]:
    """The relative error of logits, eager and static, at random lengths and widths and after crops."""
    model = random_model(device, dtype, small=small)
    true_model = random_model(device, dtype, small=small).float()
    true_model.load_state_dict({name: tensor.float() for name, tensor in model.state_dict().items()})
    dice = random.Random(2)  # noqa: S311 - repeatable, no secret
    tokens = random_tokens(model, 3000)
    caches = {
        "float32": filled_cache(None, true_model, tokens, 4096),
        "eager": filled_cache(None, model, tokens, 4096),
    }
    passes = StaticPasses(model, device)
    caches["static"] = filled_cache(passes, model, tokens, 4096)
    found: dict[str, list[torch.Tensor]] = {name: [] for name in caches}
    for _ in range(12):
        length, width = dice.randrange(100, 3000), dice.randrange(1, STATIC_WIDTHS[-1] + 1)
        read = random_tokens(model, width, length)
        for name, cache in caches.items():
            cache.crop(min(length, len(cache.tokens)))
            found[name].append(cache.forward(read, list(range(width))).float().cpu())
    assert passes.problems == [], passes.problems
    true = torch.cat(found["float32"])
    return {name: relative_error(torch.cat(found[name]), true) for name in ("eager", "static")}


def logits_are_as_near_to_float32_as_eager_ones(device: str, *, small: bool) -> str:
    errors = errors_against_float32(device, torch.bfloat16, small=small)
    assert errors["static"] <= MAX_ERROR * errors["eager"], errors
    return f"eager {errors['eager']:.4f}, static {errors['static']:.4f}"


def written(cache: KVCache, prompt: list[int], budget: int, proposer: Any = None) -> GenerationProgress:
    *_, last = decode(cache, prompt, plain_writer(budget), Sampler(0.0, 0), lambda: False, proposer=proposer)
    return last


def guesses_change_no_token(device: str, *, small: bool) -> str:
    """In float32, greedy. The text is told by the tokens that the cache has read."""
    model = random_model(device, torch.float32, small=small)
    passes = StaticPasses(model, device)
    prompt, budget = random_tokens(model, 300), 120
    cache = passes.cache(len(prompt) + budget)
    plain = written(cache, prompt, budget)
    tokens = cache.tokens[len(prompt) :]
    cache = passes.cache(len(prompt) + budget)
    fast = written(cache, prompt, budget, Knowing(tokens, model.config.vocab_size))
    assert cache.tokens[len(prompt) :] == tokens[: len(cache.tokens) - len(prompt)]
    assert fast.usage.completion_tokens == plain.usage.completion_tokens
    assert fast.usage.forward_passes < plain.usage.forward_passes / 2
    return f"{plain.usage.forward_passes} passes without, {fast.usage.forward_passes} with"


def a_capture_that_fails_falls_back(device: str, *, small: bool) -> str:
    def begin() -> Any:
        raise RuntimeError("no capture on purpose")

    model = random_model(device, torch.bfloat16, small=small)
    passes = StaticPasses(model, device, compiled=False, begin_captures=begin)
    tokens = random_tokens(model, 200)
    cache = filled_cache(passes, model, tokens, 1024)
    plain = filled_cache(None, model, tokens, 1024)
    logging.disable(logging.WARNING)  # it fails on purpose
    try:
        error = relative_error(cache.forward([1, 2, 3], [2]).cpu(), plain.forward([1, 2, 3], [2]).cpu())
    finally:
        logging.disable(logging.NOTSET)
    assert error < 0.1, error
    assert "no capture on purpose" in passes.problems[0], passes.problems
    return passes.problems[0]


def a_stop_takes_effect_within_a_pass(device: str, *, small: bool) -> str:
    model = random_model(device, torch.bfloat16, small=small)
    cache = StaticPasses(model, device).cache(2048)
    stop, stopped_at = threading.Event(), 0.0
    for progress in decode(cache, random_tokens(model, 300), plain_writer(400), Sampler(0.0, 0), stop.is_set):
        if progress.usage.completion_tokens == 20:
            stop.set()
            stopped_at = time.perf_counter()
    seconds = time.perf_counter() - stopped_at
    assert progress.usage.ended == "stopped"
    assert seconds < 1, seconds
    return f"{seconds * 1000:.1f} ms"


def the_longest_request_fits(device: str, *, small: bool) -> str:
    """Prompt and answer at their limits; the figure is the most memory that torch held."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    model = random_model(device, torch.bfloat16, small=small)
    longest = LONGEST // 8 if small else LONGEST
    cache = filled_cache(StaticPasses(model, device), model, random_tokens(model, longest - 64), longest)
    cache.forward(random_tokens(model, 40), [39])
    held = torch.cuda.max_memory_allocated() / BYTES_PER_GIGABYTE if device == "cuda" else 0.0
    return f"{held:.1f} GB at {longest:,} tokens"


def memory_that_runs_out_is_told_apart(device: str, *, small: bool) -> str:
    """A cache that cannot be had raises torch.OutOfMemoryError, and the model goes on afterwards."""
    if device != "cuda":
        return "not on a CPU"
    model = random_model(device, torch.bfloat16, small=small)
    passes = StaticPasses(model, device)
    cache = filled_cache(passes, model, random_tokens(model, 100), 1024)
    try:
        cache.reserve(1 << 30)
    except torch.OutOfMemoryError:
        passes.drop()
        torch.cuda.empty_cache()
    else:
        raise AssertionError("a cache of a billion tokens was had")
    filled_cache(passes, model, random_tokens(model, 100), 1024).forward([1], [0])
    return "raised, and a smaller cache works afterwards"


CHECKS: tuple[Callable[..., str], ...] = (
    logits_are_as_near_to_float32_as_eager_ones,
    guesses_change_no_token,
    a_capture_that_fails_falls_back,
    a_stop_takes_effect_within_a_pass,
    the_longest_request_fits,
    memory_that_runs_out_is_told_apart,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every check, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="a tiny model instead of the refiner's shape")
    options = parser.parse_args(arguments)
    failed = 0
    for check in CHECKS:
        began = time.perf_counter()
        try:
            words = check(options.device, small=options.small)
        except Exception as error:  # noqa: BLE001 - the next check runs whatever this one did
            failed += 1
            words = f"FAILED: {type(error).__name__}: {error}"
        seconds = time.perf_counter() - began
        print(f"{check.__name__.replace('_', ' ')}: {words} ({seconds:.1f} s)", flush=True)
        if options.device == "cuda":
            torch.cuda.empty_cache()
    if failed:
        sys.exit(f"{failed} of {len(CHECKS)} checks failed")


if __name__ == "__main__":
    main()
