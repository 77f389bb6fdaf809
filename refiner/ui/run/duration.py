"""Estimates how long a run may take from the runs before it on this machine. Keeps nothing on disk.

There is no estimate before the first run has ended.
"""

import threading
from dataclasses import dataclass, field
from typing import Literal

from refiner.domain import Refinement

_Rate = Literal[
    "seconds per prompt token", "seconds per check", "tokens per draft character", "seconds per run"
]

_OLD_RATE_WEIGHT = 0.7
"""Weight of the known rate when a new run is averaged in. The new run has the rest."""


@dataclass(slots=True)
class DurationEstimator:
    """Exponentially averaged rates of the runs so far. Every estimate is None while its rate is unknown.

    Safe to use from threads.
    """

    _rates: dict[_Rate, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def learn(self, run: Refinement, checks: int, judging_seconds: float) -> None:
        """Average a finished run into the rates. A run that was stopped while writing is ignored.

        ``checks`` is the number of the judge's checks, and ``judging_seconds`` the time that all of them
        took.
        """
        usage = run.usage
        if usage.ended == "stopped":
            return
        read_tokens = usage.prompt_tokens - usage.reused_tokens
        self._update("seconds per prompt token", usage.prefill_seconds, read_tokens)
        self._update("seconds per check", judging_seconds, checks)
        self._update("tokens per draft character", usage.completion_tokens, len(run.draft.text))
        self._update("seconds per run", usage.seconds + judging_seconds, 1)

    def reading_seconds(self, prompt_tokens: int) -> float | None:
        """Estimate the seconds to read a prompt of this many tokens."""
        return self._estimate("seconds per prompt token", prompt_tokens)

    def answer_tokens(self, draft: str) -> float | None:
        """Estimate the tokens of the answer to a draft, in proportion to the draft's characters."""
        return self._estimate("tokens per draft character", len(draft))

    def judging_seconds(self, checks: int) -> float | None:
        """Estimate the seconds that the judge needs for this many checks."""
        return self._estimate("seconds per check", checks)

    def run_seconds(self, runs: int) -> float | None:
        """Estimate the seconds that this many whole runs take, one after the other."""
        return self._estimate("seconds per run", runs)

    def _estimate(self, name: _Rate, units: float) -> float | None:
        rate = self._rates.get(name)
        return None if rate is None else rate * units

    def _update(self, name: _Rate, amount: float, units: float) -> None:
        if units <= 0 or amount <= 0:
            return
        with self._lock:
            old = self._rates.get(name, amount / units)
            self._rates[name] = _OLD_RATE_WEIGHT * old + (1 - _OLD_RATE_WEIGHT) * amount / units
