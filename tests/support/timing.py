"""Measures cost as ratios of one thread's CPU times, which other work on the machine does not change."""

import gc
import time
from collections.abc import Callable

ROUNDS = 5
"""The most times a cost above its limit is measured. Caches and clock rates vary even CPU time."""


def growth(work: Callable[[int], object], size: int, times: int = 8, limit: float | None = None) -> float:
    """How many times the CPU time grows when ``work`` is given ``size`` instead of ``size // times``.

    Linear work gives about ``times``, quadratic work its square. ``limit`` ends the rounds early: twice ``times``
    unless another is named.
    """
    limit = 2 * times if limit is None else limit
    return _least(lambda: _cpu(lambda: work(size)) / _cpu(lambda: work(size // times), repeat=3), limit)


def relative_cost(work: Callable[[], object], limit: float) -> float:
    """The CPU time of ``work``, with that of hashing 100,000 short texts as the unit (some 15 ms).

    A cost below ``limit`` ends the rounds early.
    """
    return _least(lambda: _cpu(work) / _cpu(_unit, repeat=3), limit)


def _least(measure: Callable[[], float], limit: float) -> float:
    least = measure()
    for _ in range(ROUNDS - 1):
        if least < limit:
            break
        least = min(least, measure())
    return least


def _cpu(work: Callable[[], object], repeat: int = 1) -> float:
    """The least CPU seconds of this thread in ``repeat`` tries, with the garbage collector out of the way."""
    took = []
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(repeat):
            began = time.thread_time()
            work()
            took.append(time.thread_time() - began)
    finally:
        if collecting:
            gc.enable()
    return max(min(took), 1e-6)


def _unit() -> int:
    return sum(hash(str(number)) & 1 for number in range(100_000))
