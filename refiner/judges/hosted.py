"""The hosted judge: a model on any OpenAI-compatible server, asked one check at a time, several at once.

It writes a rationale and a score. Where the server gives log-probabilities the value is the expected score. A check
that fails is unscored, with the reason, and changes no other verdict.
"""

import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from threading import Event, Lock

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt

from refiner.chat.client import ChatClient, ChatFailure
from refiner.chat.completion import ChatReply
from refiner.domain import Check, Verdict
from refiner.errors import JudgeError, ServiceError
from refiner.judges import judge_prompts
from refiner.judges.logits import MIN_CONFIDENCE, expected_score
from refiner.judges.protocol import Stop, never_stop
from refiner.judges.quality import Quality
from refiner.judges.reply import parse, score_probabilities

MAX_RETRY_AFTER = 30.0
"""Seconds that a server can make us wait between two tries, whatever its Retry-After says."""

_MAX_LOST = 3
"""Connections lost in a row after which the server is taken to be gone."""
_MAX_SILENT = 12
"""Tries in a row without a word from the server, time-outs too, after which it is taken to be gone as well."""
_MAX_RAW = 4_000
"""Characters that are kept of a reply."""
_LOOK_EVERY = 0.05
"""Seconds between two looks at whether another try is still wanted."""


class HostedJudge:
    """Judges over HTTP; see `refiner.judges.protocol.Judge`.

    ``base_url`` is the server's. Empty means Hugging Face's Inference Providers, and a key that begins with hf_.
    ``timeout`` is how many seconds the server may be silent. ``retries`` is how many tries may follow the first, and
    ``backoff`` how many seconds lie before the first of them, doubled before each other. `JudgeError` if address or
    key cannot be used.
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
        try:
            self._client = ChatClient(model, base_url, api_key, timeout, max_tokens, role="judge")
        except ServiceError as error:
            raise JudgeError(str(error)) from error
        self._concurrency, self._retries, self._backoff = concurrency, retries, backoff

    def judge(self, checks: Sequence[Check], stop: Stop = never_stop) -> Generator[Mapping[int, Verdict]]:
        """Each verdict as its reply comes. After a stop the replies that were asked for are still waited for.

        The very first check is asked alone, to find out about log-probabilities for the rest. Closed early, it asks
        nothing more and waits for nobody. A thread whose request is out ends with it.
        """
        closed, pool = Event(), ThreadPoolExecutor(self._concurrency, "judge")
        ask = partial(self._ask, _CircuitBreaker(), lambda: closed.is_set() or stop())
        places, alone = range(len(checks)), 1 if self._client.logprobs is None else 0
        try:
            for group in (places[:alone], places[alone:]):
                asked = {pool.submit(ask, checks[place]): place for place in group}
                for reply in as_completed(asked):
                    if (verdict := reply.result()) is not None:
                        yield {asked[reply]: verdict}
        finally:
            closed.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, breaker: "_CircuitBreaker", over: Stop, check: Check) -> Verdict | None:
        """The verdict; None where it was over before the server was asked."""
        if over():
            return None
        chat = judge_prompts.messages(check, check.evidence, judge_prompts.JSON)
        last = _Attempt(self._verdict(None, ""), again=False)

        def attempt() -> _Attempt:
            nonlocal last
            if breaker.open:
                return _Attempt(replace(last.verdict, reason=breaker.open), again=False)
            if over():
                return replace(last, again=False)
            heard = self._client.ask(chat)
            breaker.note(heard)
            last = self._attempt(heard, last.verdict)
            return last

        retrying = Retrying(
            retry=retry_if_result(lambda attempt: attempt.again),
            stop=stop_after_attempt(1 + self._retries),
            wait=self._seconds_to_wait,
            sleep=partial(_sleep, over=over),
            retry_error_callback=lambda _: last,
        )
        verdict: Verdict = retrying(attempt).verdict
        return verdict

    def _seconds_to_wait(self, state: RetryCallState) -> float:
        asked: float = state.outcome.result().wait if state.outcome else 0.0
        doubled: float = self._backoff * 2 ** (state.attempt_number - 1)
        return max(doubled, asked)

    def _attempt(self, heard: ChatReply | ChatFailure, before: Verdict) -> "_Attempt":
        """What one try came to. After a bad reply another may help: a server at temperature 0 still varies.

        A try that brought no reply keeps the one of the verdict before.
        """
        if isinstance(heard, ChatFailure):
            wait = min(heard.wait, MAX_RETRY_AFTER)
            return _Attempt(replace(before, reason=heard.reason), again=heard.again, wait=wait)
        verdict = self._read(heard)
        return _Attempt(verdict, again=verdict.value is None)

    def _read(self, heard: ChatReply) -> Verdict:
        reply = parse(heard.text)
        if isinstance(reply, str):
            cut = "; it was cut off at the most tokens that it may have" if heard.truncated else ""
            return self._verdict(None, reply + cut, heard.text)
        reason = reply.rationale or "The judge gave no rationale."
        found = score_probabilities(heard.tokens, reply.score)
        if found is None:
            return self._verdict(reply.score / judge_prompts.TOP_SCORE, reason, heard.text)
        confidence = min(sum(found), 1.0)
        if confidence < MIN_CONFIDENCE:
            return self._verdict(None, "the judge did not answer in the form asked", heard.text, confidence)
        return self._verdict(expected_score(found), reason, heard.text, confidence)

    def _verdict(
        self, value: float | None, reason: str, raw: str = "", confidence: float | None = None
    ) -> Verdict:
        raw = raw[-_MAX_RAW:]  # the end of a reply holds the verdict
        return Verdict(value, "judged", reason, self.name, self.version, confidence=confidence, raw=raw)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What one try came to, whether another may help, and how many seconds the server asks us to wait before."""

    verdict: Verdict
    again: bool
    wait: float = 0.0


def _sleep(seconds: float, over: Stop) -> None:
    until = time.monotonic() + seconds
    while not over() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK_EVERY))


class _CircuitBreaker:
    """Stops asking a server that is gone, within one call. One check that hangs must not stop the rest.

    ``open`` is the reason that every other check is given; empty while the server is asked.
    """

    def __init__(self) -> None:
        self.open = ""
        self._lost = self._silent = 0
        self._lock = Lock()

    def note(self, heard: ChatReply | ChatFailure) -> None:
        """Count connections lost in a row, and tries without a word."""
        with self._lock:
            if not isinstance(heard, ChatFailure):
                self._lost = self._silent = 0
                return
            self._silent = self._silent + 1 if heard.silent else 0
            self._lost = self._lost + 1 if heard.lost else 0
            if self._lost >= _MAX_LOST or self._silent >= _MAX_SILENT:
                self.open = heard.reason
