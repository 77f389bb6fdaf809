"""What a forward pass costs by its width, measured, and how much of a proposal is then worthwhile."""

import time
from collections.abc import Callable, Sequence

from refiner.decoding.kv_cache import STATIC_WIDTHS, KVCache
from refiner.decoding.proposer import DraftToken

_TIMED_PASSES = 3
"""Passes of one width that are timed, of which the quickest counts. One before them captures and compiles."""


class PassCosts:
    """The seconds of a pass of each of `STATIC_WIDTHS`, once they are measured."""

    def __init__(self) -> None:
        self.seconds: dict[int, float] = {}

    @property
    def measured(self) -> bool:
        """Whether every width has been timed."""
        return len(self.seconds) == len(STATIC_WIDTHS)

    def measure(
        self,
        cache: KVCache,
        stopped: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Time passes behind what ``cache`` has read, and crop them. A stop leaves the rest for later.

        ``cache`` must have read something. Nothing is timed where a pass would go beyond the model's context.
        """
        held = len(cache.tokens)
        token = cache.tokens[-1:]
        for width in STATIC_WIDTHS if cache.context >= held + STATIC_WIDTHS[-1] else ():
            if stopped():
                return
            if width not in self.seconds:
                times = []
                for _ in range(1 + _TIMED_PASSES):
                    began = clock()
                    int(cache.forward(token * width, [width - 1]).argmax())  # waits for the device
                    times.append(clock() - began)
                    cache.crop(held)
                self.seconds[width] = min(times[1:])

    def worthwhile(self, proposal: Sequence[DraftToken], unread: int) -> Sequence[DraftToken]:
        """The beginning of ``proposal`` that gives the most tokens a second, behind ``unread`` tokens.

        A pass gives one token and each draft token that is right: 1 + the sum of their probabilities. Unread
        and draft tokens must fit the widest pass. All costs must be measured.
        """
        best, best_rate = 0, 0.0
        tokens, expected = unread, 1.0
        for count in range(len(proposal) + 1):
            if count:
                tokens += len(proposal[count - 1].tokens)
                expected += proposal[count - 1].probability
            width = next(width for width in STATIC_WIDTHS if width >= tokens)
            rate = expected / self.seconds[width]
            if rate > best_rate:
                best, best_rate = count, rate
        return proposal[:best]
