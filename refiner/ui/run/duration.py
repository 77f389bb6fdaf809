"""How fast runs went here, so that the next one can say how long it may take. Nothing is promised before one is through."""

import threading
from dataclasses import dataclass, field

from refiner.domain import Refinement

_KEPT = 0.7
"""The share of what was known that stays when a run is learnt from."""


@dataclass(slots=True)
class Pace:
    """Rates of the runs so far, the latest weighing most. Seconds are None until there is something to go by."""

    _rates: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def learn(self, run: Refinement, checks: int, judging: float) -> None:
        """Take a finished run into account; ``judging`` is the seconds that its ``checks`` took."""
        usage = run.usage
        if usage.ended == "stopped":
            return
        self._note("read", usage.prefill_seconds, usage.prompt_tokens - usage.reused_tokens)
        self._note("judge", judging, checks)
        self._note("length", usage.completion_tokens, len(run.draft.text))
        self._note("run", usage.seconds + judging, 1)

    def reading(self, tokens: int) -> float | None:
        """Seconds to read a prompt of so many tokens."""
        return self._times("read", tokens)

    def length(self, draft: str) -> float | None:
        """Tokens that an answer to this draft may have: as long beside it as those before were beside theirs."""
        return self._times("length", len(draft))

    def judging(self, checks: int) -> float | None:
        """Seconds to judge so many checks."""
        return self._times("judge", checks)

    def runs(self, n: int) -> float | None:
        """Seconds that so many whole runs take."""
        return self._times("run", n)

    def _times(self, name: str, n: float) -> float | None:
        rate = self._rates.get(name)
        return None if rate is None else rate * n

    def _note(self, name: str, amount: float, of: float) -> None:
        if of <= 0 or amount <= 0:
            return
        with self._lock:
            known = self._rates.get(name, amount / of)
            self._rates[name] = _KEPT * known + (1 - _KEPT) * amount / of
