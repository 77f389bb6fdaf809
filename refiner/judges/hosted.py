"""The hosted judge: a model on any OpenAI-compatible server, asked one check at a time, several at once.

It writes a rationale and a score; where the server gives log-probabilities the value is the expected score. A
check that fails is unscored, with the reason, and changes no other verdict.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Lock

from refiner.domain import Check, Verdict
from refiner.judges import asking
from refiner.judges.completion import Said, chances
from refiner.judges.logits import ENOUGH, expected
from refiner.judges.quality import Quality
from refiner.judges.reply import parse
from refiner.judges.server import Failed, Server

LONGEST_WAIT = 30.0
"""Seconds that a server can make us wait between two tries, whatever its Retry-After says."""

_LOST = 3
"""Connections lost in a row after which the server is taken to be gone."""
_LONGEST_RAW = 4_000


class HostedJudge:
    """Judges over HTTP; see `refiner.judges.Judge`.

    ``base_url`` is the server's; empty means Hugging Face's Inference Providers, and a key that begins with hf_.
    ``timeout`` is how many seconds the server may be silent, ``retries`` how many tries may follow the first,
    ``backoff`` how many seconds lie before the first of them, doubled before each other. `JudgeError` if address
    or key cannot be used.
    """

    threshold = 0.5
    quality: Quality | None = None

    def __init__(
        self,
        model: str,
        *,
        base_url: str = "",
        api_key: str = "",
        concurrency: int = 8,
        timeout: float = 60.0,
        retries: int = 2,
        backoff: float = 0.5,
        max_tokens: int = 1024,
    ) -> None:
        self.name = model
        self.version = asking.version()
        self._server = Server(model, base_url, api_key, timeout, max_tokens)
        self._concurrency, self._retries, self._backoff = concurrency, retries, backoff

    def judge(self, checks: Sequence[Check]) -> tuple[Verdict, ...]:
        """One verdict a check. The very first is asked alone: it finds out about log-probabilities for the rest."""
        alone = 1 if self._server.logprobs is None else 0
        ask = partial(self._ask, _Line())
        first = [ask(check) for check in checks[:alone]]
        with ThreadPoolExecutor(self._concurrency) as pool:
            return (*first, *pool.map(ask, checks[alone:]))

    def _ask(self, line: "_Line", check: Check) -> Verdict:
        chat = asking.messages(check, check.evidence, asking.JSON)
        verdict, wait = self._verdict(None, ""), 0.0
        for attempt in range(1 + self._retries):
            time.sleep(wait)
            if line.gone:
                return replace(verdict, reason=line.gone)
            heard = self._server.ask(chat)
            line.note(heard)
            verdict = self._read(heard) if isinstance(heard, Said) else replace(verdict, reason=heard.reason)
            if verdict.value is not None or not _may_help(heard):
                break
            wait = max(self._backoff * 2**attempt, _asked_to_wait(heard))
        return verdict

    def _read(self, said: Said) -> Verdict:
        reply = parse(said.text)
        if isinstance(reply, str):
            cut = "; it was cut off at the most tokens that it may have" if said.cut else ""
            return self._verdict(None, reply + cut, said.text)
        reason = reply.rationale or "The judge gave no rationale."
        found = chances(said.tokens, reply.score)
        if found is None:
            return self._verdict(reply.score / asking.TOP, reason, said.text)
        mass = min(sum(found), 1.0)
        if mass < ENOUGH:
            return self._verdict(None, "the judge did not answer in the form asked", said.text, mass)
        return self._verdict(expected(found), reason, said.text, mass)

    def _verdict(
        self, value: float | None, reason: str, raw: str = "", confidence: float | None = None
    ) -> Verdict:
        # The end of a reply holds the verdict.
        return Verdict(
            value, "judged", reason, self.name, self.version, confidence=confidence, raw=raw[-_LONGEST_RAW:]
        )


def _may_help(heard: Said | Failed) -> bool:
    """Whether another try may bring more: after a bad reply too, for a server at temperature 0 still varies."""
    return isinstance(heard, Said) or heard.again


def _asked_to_wait(heard: Said | Failed) -> float:
    return min(heard.wait, LONGEST_WAIT) if isinstance(heard, Failed) else 0.0


class _Line:
    """Whether the server is there, for one call. Time-outs do not count: one check that hangs must not end the rest."""

    def __init__(self) -> None:
        self.gone = ""
        self._lost = 0
        self._lock = Lock()

    def note(self, heard: Said | Failed) -> None:
        """Count connections lost in a row; ``gone`` is then the reason that every other check is given."""
        with self._lock:
            if not isinstance(heard, Failed) or not heard.lost:
                self._lost = 0
                return
            self._lost += 1
            if self._lost >= _LOST:
                self.gone = heard.reason
