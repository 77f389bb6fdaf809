"""The GPU path's figures on this machine, as Markdown: `make gpu`. Ratios are of one run.

`figures.py [--device cpu] [--small]`. A random model of the refiner's shape: speed does not depend on the weights, and what
is written is replayed, so that each way writes the same. Needs torch and transformers; live writing also needs the
package dashscope, for Qwen's vocabulary, and is left out without it.
"""

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from random_model import BYTES_PER_GIGABYTE, filled_cache, random_model, random_tokens, wait_for

from refiner.decoding.kv_cache import STATIC_WIDTHS, KVCache
from refiner.decoding.prefix_packing import score_choices
from refiner.engines.static_passes import StaticPasses

CACHES = (2048, 4096, 8192)
TIMED = 20
MILLISECONDS = 1000
CHECKS, SHARED, OWN = 24, 2400, 100
"""Prompts judged in one reading, the tokens that they share, and those of each alone."""


def seconds_of(run: Callable[[], Any], wait: Callable[[], None], times: int = TIMED) -> float:
    """The median seconds of a run, after one that is not counted."""
    run()
    found = []
    for _ in range(times):
        wait()
        began = time.perf_counter()
        run()
        wait()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def one_pass(cache: KVCache, width: int) -> Callable[[], int]:
    """A pass as decoding makes it: logits of all rows, argmax on the device, one transfer."""
    held = len(cache.tokens)

    def run() -> int:
        likeliest = cache.forward(cache.tokens[-1:] * width, list(range(width))).argmax(dim=-1).tolist()
        cache.crop(held)
        return int(likeliest[-1])

    return run


def bandwidth_floor(model: Any, device: str, wait: Callable[[], None]) -> float:
    """Seconds to read the weights once, at the rate of a copy (bytes read and written)."""
    block = torch.empty(1 << (31 if device == "cuda" else 24), dtype=torch.uint8, device=device)
    other = torch.empty_like(block)
    rate = 2 * block.numel() / seconds_of(lambda: other.copy_(block), wait)
    return float(model.get_memory_footprint() / rate)


def passes(model: Any, device: str, wait: Callable[[], None]) -> None:
    """What a pass costs by width and cache, eager and static."""
    floor = bandwidth_floor(model, device, wait)
    print(f"Floor: {floor * MILLISECONDS:.2f} ms to read the weights once.\n")
    print("| ms a pass | cache | " + " | ".join(f"width {width}" for width in STATIC_WIDTHS) + " |")
    print("|---|---:|" + "---:|" * len(STATIC_WIDTHS))
    ways: tuple[tuple[str, Callable[[], StaticPasses | None]], ...] = (
        ("eager", lambda: None),
        ("graphs, grouped attention", lambda: StaticPasses(model, device, compiled=False)),
        ("the same and pieces compiled", lambda: StaticPasses(model, device)),
    )
    for name, made in ways:
        static = made()
        for size in CACHES:
            cache = filled_cache(static, model, random_tokens(model, size - 600), size)
            began = time.perf_counter()
            one_pass(cache, STATIC_WIDTHS[1])()
            first = time.perf_counter() - began
            took = [seconds_of(one_pass(cache, width), wait) * MILLISECONDS for width in STATIC_WIDTHS]
            print(
                f"| {name} (first pass {first:.1f} s) | {size} | "
                + " | ".join(f"{ms:.2f}" for ms in took)
                + " |",
                flush=True,
            )
        for problem in static.problems if static else ():
            print(f"{name}: {problem}")


def reading(model: Any, device: str, wait: Callable[[], None], *, small: bool) -> None:
    """Prefill, and checks judged together and one by one."""
    static = StaticPasses(model, device)
    for length in (150, 600) if small else (1500, 6000):
        tokens = random_tokens(model, length)
        seconds = seconds_of(partial(filled_cache, None, model, tokens, length), wait, 3)
        print(f"\nPrefill of {length:,} tokens: {seconds:.3f} s")
    shared = random_tokens(model, SHARED // 8 if small else SHARED)
    prompts = [shared + random_tokens(model, OWN, n) for n in range(1, CHECKS + 1)]

    def judge(prompts: Sequence[Sequence[int]], *, share: bool) -> None:
        for _ in score_choices(
            static.cache(SHARED + 2 * OWN * CHECKS), prompts, [[1], [2]], share_prefixes=share
        ):
            pass

    packed = seconds_of(lambda: judge(prompts, share=True), wait, 3)
    alone = seconds_of(lambda: judge(prompts, share=False), wait, 3)
    print(
        f"\n{CHECKS} checks after one beginning: {packed:.3f} s packed, {alone:.3f} s one by one, ratio {alone / packed:.1f}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="a tiny model instead of the refiner's shape")
    options = parser.parse_args(arguments)
    device, wait = options.device, wait_for(options.device)
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}, {time.strftime('%Y-%m-%d')}")
    model = random_model(device, torch.bfloat16, small=options.small)
    print(f"{model.num_parameters() / BYTES_PER_GIGABYTE:.2f} billion parameters, random\n")
    with torch.inference_mode():
        passes(model, device, wait)
        reading(model, device, wait, small=options.small)
    if importlib.util.find_spec("dashscope") is None or options.small:
        print("\nLive writing: left out; it needs the refiner's shape and `pip install --no-deps dashscope`.")
    else:
        import live_writing  # noqa: PLC0415 - needs Qwen's vocabulary

        live_writing.main(model, device)


if __name__ == "__main__":
    main()
