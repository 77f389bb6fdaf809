"""The hosted judge: a model on any OpenAI-compatible server, asked one check at a time, several at once.

It writes a rationale and a score; where the server gives log-probabilities the value is the expected score. A
check that fails is unscored, with the reason, and changes no other verdict.
"""

import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from threading import Event, Lock

from refiner.chat.client import Failed, Server
from refiner.chat.completion import Said
from refiner.domain import Check, Verdict
from refiner.judges import judge_prompts
from refiner.judges.logits import ENOUGH, expected
from refiner.judges.protocol import Stop, going_on
from refiner.judges.quality import Quality
from refiner.judges.reply import chances, parse

LONGEST_WAIT = 30.0
"""Seconds that a server can make us wait between two tries, whatever its Retry-After says."""

_LOST = 3
"""Connections lost in a row after which the server is taken to be gone."""
_SILENT = 12
"""Tries in a row without a word from the server, time-outs too, after which it is taken to be gone as well."""
_LONGEST_RAW = 4_000
_LOOK_EVERY = 0.05
"""Seconds between two looks, while waiting for another try, at whether it is still wanted."""


class HostedJudge:
    """Judges over HTTP; see `refiner.judges.protocol.Judge`.

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
        self.version = judge_prompts.version()
        self._server = Server(model, base_url, api_key, timeout, max_tokens)
        self._concurrency, self._retries, self._backoff = concurrency, retries, backoff

    def judge(self, checks: Sequence[Check], stop: Stop = going_on) -> Generator[Mapping[int, Verdict]]:
        """Each verdict as its reply comes. After a stop the replies that were asked for are still waited for.

        The very first check is asked alone: it finds out about log-probabilities for the rest. Closed early, it asks
        nothing more and waits for nobody; a thread whose request is out ends with it.
        """
        closed, pool = Event(), ThreadPoolExecutor(self._concurrency, "judge")
        ask = partial(self._ask, _Line(), lambda: closed.is_set() or stop())
        places, alone = range(len(checks)), 1 if self._server.logprobs is None else 0
        try:
            for group in (places[:alone], places[alone:]):
                asked = {pool.submit(ask, checks[place]): place for place in group}
                for reply in as_completed(asked):
                    if (verdict := reply.result()) is not None:
                        yield {asked[reply]: verdict}
        finally:
            closed.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, line: "_Line", over: Stop, check: Check) -> Verdict | None:
        """The verdict; None where it was over before the server was asked."""
        chat = judge_prompts.messages(check, check.evidence, judge_prompts.JSON)
        verdict, wait = self._verdict(None, ""), 0.0
        for attempt in range(1 + self._retries):
            _wait(wait, over)
            if over():
                return verdict if attempt else None
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
            return self._verdict(reply.score / judge_prompts.TOP, reason, said.text)
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


def _wait(seconds: float, over: Stop) -> None:
    until = time.monotonic() + seconds
    while not over() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK_EVERY))


def _may_help(heard: Said | Failed) -> bool:
    """Whether another try may bring more: after a bad reply too, for a server at temperature 0 still varies."""
    return isinstance(heard, Said) or heard.again


def _asked_to_wait(heard: Said | Failed) -> float:
    return min(heard.wait, LONGEST_WAIT) if isinstance(heard, Failed) else 0.0


class _Line:
    """Whether the server is there, for one call. One check that hangs must not end the rest, many in a row must."""

    def __init__(self) -> None:
        self.gone = ""
        self._lost = self._silent = 0
        self._lock = Lock()

    def note(self, heard: Said | Failed) -> None:
        """Count connections lost in a row; ``gone`` is then the reason that every other check is given."""
        with self._lock:
            if not isinstance(heard, Failed):
                self._lost = self._silent = 0
                return
            self._silent = self._silent + 1 if heard.silent else 0
            self._lost = self._lost + 1 if heard.lost else 0
            if self._lost >= _LOST or self._silent >= _SILENT:
                self.gone = heard.reason
