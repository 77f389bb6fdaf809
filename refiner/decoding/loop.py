"""The decoding loop: a causal language model, a prompt and a writer, one forward pass at a time.

This is not transformers' `generate`. Forced tokens go through the model together with the next token's pass. Draft
tokens of `decoding.proposer` are verified in the same pass. A stop takes effect between two passes. The time that is
not the model's is measured.

What is written does not depend on the proposals. Each token is chosen from the model's own logits after all tokens
before it, and the first one that differs from its draft token ends the pass (speculative decoding, Leviathan et al.
2023, section 2.3 with q = 1, as a proposal is certain of itself). In half precision a pass of another width rounds
otherwise, and of two tokens that are about as likely the other may win.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import torch

from refiner.decoding.constrained_writer import Writer
from refiner.decoding.kv_cache import PREFILL_CHUNK, STATIC_WIDTHS, KVCache
from refiner.decoding.pass_costs import PassCosts
from refiner.decoding.proposer import MAX_DRAFT_TOKENS, DraftToken, Proposer
from refiner.decoding.sampler import Sampler
from refiner.domain import GenerationProgress, Usage


def decode(
    cache: KVCache,
    prompt: Sequence[int],
    writer: Writer,
    sampler: Sampler,
    stopped: Callable[[], bool],
    *,
    proposer: Proposer | None = None,
    costs: PassCosts | None = None,
    prefill_chunk: int = PREFILL_CHUNK,
) -> Iterator[GenerationProgress]:
    """Write until the writer is finished or ``stopped``. Yields after every pass and ends with ``usage.ended``.

    ``cache`` may hold what the prompt begins with. A ``proposer`` needs a cache that can be cropped. With
    ``costs``, which are measured if they are not yet, only the worthwhile part of a proposal is verified.
    """
    decoding = _Decoding(cache, prompt, writer, sampler, proposer, costs=costs if proposer else None)
    while not decoding.writer.finished and not stopped():
        if decoding.prefill(prefill_chunk):
            continue
        decoding.measure_passes(stopped)
        proposal = decoding.propose()
        decoding.verify(proposal, decoding.forward(proposal))
        yield decoding.progress()
    yield decoding.finish()


class _Stopwatch:
    """Seconds by what they were spent on."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self._began

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - began


class _Decoding:
    """One answer on its way: what is written, what the model must read next, and what it took."""

    def __init__(
        self,
        cache: KVCache,
        prompt: Sequence[int],
        writer: Writer,
        sampler: Sampler,
        proposer: Proposer | None,
        *,
        costs: PassCosts | None,
    ) -> None:
        self.writer, self._costs = writer, costs
        self._cache, self._prompt, self._sampler, self._proposer = cache, prompt, sampler, proposer
        self._watch = _Stopwatch()
        self._prefill_seconds = 0.0
        self._passes = self._accepted_tokens = 0
        self._reused = cache.reuse_prefix(prompt)
        self._unread = [*prompt[self._reused :], *writer.start()]

    def prefill(self, chunk: int) -> bool:
        """Read ``chunk`` tokens of a long prompt; False where one pass can read the rest."""
        if len(self._unread) <= chunk:
            return False
        self._cache.forward(self._unread[:chunk], [0])
        self._unread = self._unread[chunk:]
        self._passes += 1
        return True

    def measure_passes(self, stopped: Callable[[], bool]) -> None:
        """Measure what passes cost, once the prompt is read, unless it is known."""
        if self._costs and not self._costs.measured and self._passes:
            self._costs.measure(self._cache, stopped)

    def propose(self) -> Sequence[DraftToken]:
        """Draft tokens that fit behind what the model must read, as far as they are worthwhile."""
        if self._proposer is None or (self._costs and not self._costs.measured):
            return []
        with self._watch.measure("proposing"):
            unread = len(self._unread)
            width = STATIC_WIDTHS[-1] if self._costs else MAX_DRAFT_TOKENS
            proposal = self._proposer.propose(self.writer, width - unread)
            return self._costs.worthwhile(proposal, unread) if self._costs and proposal else proposal

    def forward(self, proposal: Sequence[DraftToken]) -> torch.Tensor:
        """The logits after what was unread, and after each draft token: (1 + draft tokens, vocabulary)."""
        tokens = list(self._unread)
        rows = [len(tokens) - 1]
        for draft_token in proposal:
            tokens += draft_token.tokens
            rows.append(len(tokens) - 1)
        logits = self._cache.forward(tokens, rows)
        self._passes += 1
        return logits

    def verify(self, proposal: Sequence[DraftToken], logits: torch.Tensor) -> None:
        """Accept draft tokens for as long as the model says the same, and then the model's own token."""
        likeliest, logits = self._sampler.prepare(logits)
        self._prefill_seconds = self._prefill_seconds or self._watch.elapsed
        accepted, token = 0, -1
        with self._watch.measure("grammar"):
            while not self.writer.finished:
                allowed = self.writer.allowed()
                token = self._sampler.choose(likeliest[accepted], logits[accepted], allowed)
                if accepted == len(proposal) or token != proposal[accepted].tokens[0]:
                    break
                self.writer = proposal[accepted].writer
                accepted += 1
        self._learn(proposal, accepted)
        with self._watch.measure("grammar"):
            self._unread = [] if self.writer.finished else self.writer.accept(token)

    def _learn(self, proposal: Sequence[DraftToken], accepted: int) -> None:
        """Drop what was rejected from the cache, and tell the proposer."""
        if self._proposer is None:
            return
        with self._watch.measure("proposing"):
            self._proposer.update(self.writer, proposal, accepted)
        self._accepted_tokens += accepted
        rejected = sum(len(draft_token.tokens) for draft_token in proposal[accepted:])
        self._cache.crop(len(self._cache.tokens) - rejected)

    def finish(self) -> GenerationProgress:
        """End the answer, and say why it ended."""
        stopped = not self.writer.finished
        self.writer.finish(keep_unfinished=stopped)
        return self.progress("stopped" if stopped else "budget" if self.writer.truncated else "end")

    def progress(self, ended: Literal["", "end", "budget", "stopped"] = "") -> GenerationProgress:
        """The text so far, and what it took."""
        usage = Usage(
            prompt_tokens=len(self._prompt),
            completion_tokens=self.writer.token_count,
            forward_passes=self._passes,
            prefill_seconds=self._prefill_seconds,
            seconds=self._watch.elapsed,
            grammar_seconds=self._watch.seconds["grammar"],
            drafting_seconds=self._watch.seconds["proposing"],
            guessed_tokens=self._accepted_tokens,
            reused_tokens=self._reused,
            ended=ended,
        )
        return GenerationProgress(self.writer.text, usage)
