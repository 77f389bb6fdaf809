"""Peers of our drafter: speculative decoding without a draft model, to be replayed over stored tokens.

A drafter sees the prompt and the output so far and proposes what comes next. What agrees with the stored output
is accepted, and with it comes one more token, the model's own. No model runs here. All are deterministic, and each
request stands alone: nothing is learned from one for the next.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from transformers.generation.candidate_generator import PromptLookupCandidateGenerator

NO_LIMIT = 1 << 30


class PeerProposer(Protocol):
    """Proposes tokens; at worst none."""

    name: str

    def start(self, prompt: Sequence[int]) -> None:
        """Take up a new request; the one before is forgotten."""

    def propose(self, output: Sequence[int]) -> list[int]:
        """What may come after the prompt and ``output``, which only grows between two calls."""


class PromptLookup:
    """Prompt lookup as transformers has it: its own class, called as `generate` calls it when greedy.

    The last ``max_matching_ngram_size`` tokens, or fewer, where they stand first (Saxena 2023,
    github.com/apoorvumang/prompt-lookup-decoding). ``ends`` are the tokens that end an output: as in `generate`,
    a proposal stops before the first of them.
    """

    def __init__(
        self, num_tokens: int = 10, *, max_matching_ngram_size: int = 2, ends: Sequence[int] = ()
    ) -> None:
        self.name = f"prompt lookup, {num_tokens} tokens"
        self._prompt: list[int] = []
        self._generator = PromptLookupCandidateGenerator(
            eos_token_id=torch.tensor(ends) if ends else None,
            num_output_tokens=num_tokens,
            max_matching_ngram_size=max_matching_ngram_size,
            max_length=NO_LIMIT,
        )

    def start(self, prompt: Sequence[int]) -> None:
        self._prompt = list(prompt)

    def propose(self, output: Sequence[int]) -> list[int]:
        tokens = torch.tensor([[*self._prompt, *output]])
        candidates, _ = self._generator.get_candidates(tokens)
        return candidates[0, tokens.shape[1] :].tolist()


class NGram:
    """The n-gram proposer of vLLM; an own plain version of ``vllm/v1/spec_decode/ngram_proposer.py``.

    The longest run of ``min_n`` to ``max_n`` last tokens that stands earlier, where it stands first, and the ``k``
    tokens after it. The sizes are those of vLLM's example ``offline_inference/spec_decode.py``, ``k`` that of its
    documentation. With neither size given vLLM takes 5 and 5; with one, that one for both.
    """

    def __init__(self, k: int = 5, *, min_n: int = 2, max_n: int = 5) -> None:
        self.name = f"n-gram of {min_n} to {max_n}, {k} tokens"
        self._k, self._sizes = k, range(max_n, min_n - 1, -1)
        self._prompt = ""

    def start(self, prompt: Sequence[int]) -> None:
        self._prompt = spelled(prompt)

    def propose(self, output: Sequence[int]) -> list[int]:
        seen = self._prompt + spelled(output)
        for size in self._sizes:
            at = seen.find(seen[-size:], 0, len(seen) - 1) if size < len(seen) else -1
            if at >= 0:
                return [ord(one) for one in seen[at + size : at + size + self._k]]
        return []


class SuffixDecoding:
    """SuffixDecoding (Oliaro et al. 2024, arXiv 2411.04975) by its authors: arctic-inference, if installed.

    Only its suffix_decoding is needed: a C++ extension, without vLLM or a GPU. Without the tree over earlier
    requests. The limits are vLLM's, whose ``max_spec_tokens`` is the depth; arctic-inference's own depth is 64.
    As tokens matched and proposed share the depth, at a factor of 1 no proposal has more than half of it.

    Raises:
        ModuleNotFoundError: arctic-inference is not installed.

    """

    def __init__(
        self,
        *,
        max_tree_depth: int = 24,
        max_spec_tokens: int | None = None,
        max_spec_factor: float = 1.0,
        max_spec_offset: float = 0.0,
        min_token_prob: float = 0.1,
    ) -> None:
        from arctic_inference.suffix_decoding import SuffixDecodingCache  # noqa: PLC0415 - optional

        self.name = f"suffix decoding, depth {max_tree_depth}"
        self._cache = SuffixDecodingCache(max_tree_depth, max_cached_requests=0)
        self._limits = {
            "max_spec_tokens": max_tree_depth if max_spec_tokens is None else max_spec_tokens,
            "max_spec_factor": max_spec_factor,
            "max_spec_offset": max_spec_offset,
            "min_token_prob": min_token_prob,
        }
        self._prompt: list[int] = []
        self._known = 0

    def start(self, prompt: Sequence[int]) -> None:
        for request in list(self._cache.active_requests):
            self._cache.stop_request(request)
        self._prompt, self._known = list(prompt), 0
        self._cache.start_request(0, self._prompt)

    def propose(self, output: Sequence[int]) -> list[int]:
        self._cache.add_active_response(0, list(output[self._known :]))
        self._known = len(output)
        recent = [*self._prompt, *output][-self._cache.max_tree_depth :]
        return list(self._cache.speculate(0, recent, **self._limits).token_ids)


class PlainSuffixDecoding:
    """An own plain version of `SuffixDecoding`; the sources are the paper and arctic-inference 0.3.0.

    A tree has every run of up to ``max_tree_depth`` tokens with how often it was seen. For each number of last
    tokens, all but the depth itself, the path of the most frequent next token is followed. Its estimated
    probability is the product of count / count before, where the run at the very end counts as well. The path ends
    when that falls below ``min_token_prob``, or at ``max_spec_factor`` × the number matched + ``max_spec_offset``
    tokens, or at ``max_spec_tokens``. Of these paths the one with the largest sum of probabilities is proposed; of
    equal ones, that with the longest match. Single precision, as there, so that ties fall alike.
    """

    def __init__(
        self,
        *,
        max_tree_depth: int = 24,
        max_spec_tokens: int | None = None,
        max_spec_factor: float = 1.0,
        max_spec_offset: float = 0.0,
        min_token_prob: float = 0.1,
    ) -> None:
        self.name = f"suffix decoding (own plain version), depth {max_tree_depth}"
        self._depth = max_tree_depth
        self._most = max_tree_depth if max_spec_tokens is None else max_spec_tokens
        self._factor, self._offset = max_spec_factor, max_spec_offset
        self._least = np.float32(min_token_prob)
        self.start(())

    def start(self, prompt: Sequence[int]) -> None:
        self._tokens: list[int] = []
        self._ends = [Run(-1, -1)]
        self._known = 0
        self._read(prompt)

    def propose(self, output: Sequence[int]) -> list[int]:
        self._read(output[self._known :])
        self._known = len(output)
        best: list[int] = []
        best_score = np.float32(0)
        for matched, run in enumerate(self._ends[1:], 1):
            most = min(self._most, int(matched * self._factor + self._offset + 1e-6))
            draft, score = self._path(run, matched, most)
            if score >= best_score:
                best, best_score = draft, score
        return best

    def _read(self, tokens: Sequence[int]) -> None:
        """Lengthen the runs that end here: ``_ends[n]`` is that of the last n tokens, if it was seen before."""
        for token in tokens:
            self._tokens.append(token)
            longer = [self._then(run, length, token) for length, run in enumerate(self._ends[: self._depth])]
            self._ends = [self._ends[0], *(run for run in longer if run.count > 1)]

    def _then(self, run: "Run", length: int, token: int) -> "Run":
        """The run with ``token`` after it, seen once more."""
        found = run.after.get(token)
        if found is None:
            return run.add(token, len(self._tokens) - 1)
        self._grow(found, length + 1)
        run.rise(found)
        return found

    def _grow(self, run: "Run", length: int) -> None:
        """Add what came after a run that was seen once, which is left out until it is needed."""
        following = run.last + 1
        if not run.after and length < self._depth and following < len(self._tokens):
            run.add(self._tokens[following], following)

    def _path(self, run: "Run", length: int, most: int) -> tuple[list[int], np.float32]:
        """The most frequent way on and the sum of its probabilities."""
        draft: list[int] = []
        score, chance = np.float32(0), np.float32(1)
        while len(draft) < most:
            self._grow(run, length + len(draft))
            if not run.ranked:
                break
            likeliest = run.ranked[0]
            chance *= np.float32(likeliest.count) / np.float32(run.count)
            if chance < self._least:
                break
            draft.append(likeliest.token)
            score += chance
            run = likeliest
        return draft, score


class Run:
    """A run of tokens: its last one, where that first stood, how often it was seen, what came after by frequency."""

    __slots__ = ("after", "count", "last", "ranked", "token")

    def __init__(self, token: int, last: int) -> None:
        self.token, self.last, self.count = token, last, 1
        self.after: dict[int, Run] = {}
        self.ranked: list[Run] = []

    def add(self, token: int, last: int) -> "Run":
        """A run that is longer by ``token``, not seen before."""
        new = self.after[token] = Run(token, last)
        self.ranked.append(new)
        return new

    def rise(self, found: "Run") -> None:
        """Count once more one of those after, and rank it: who is first of equals is as in arctic-inference.

        It goes before all that are as frequent as its left neighbour, unless that stays ahead.
        """
        place = new = self.ranked.index(found)
        ahead = self.ranked[place - 1].count if place else found.count + 2
        if ahead <= found.count + 1:
            while new and self.ranked[new - 1].count == ahead:
                new -= 1
            self.ranked.insert(new, self.ranked.pop(place))
        found.count += 1


class OracleCopy:
    """The most that copying can give: at each step the longest run of what really comes that stands in what was seen.

    A run is contiguous and at most ``most`` tokens. No drafter that proposes runs of what was seen needs fewer
    passes, as to be further on is never worse; one that knows the answer's format may.
    """

    def __init__(self, most: int = 64) -> None:
        self.name = f"oracle, runs of at most {most}"
        self._most = most
        self._prompt = self._output = ""

    def start(self, prompt: Sequence[int]) -> None:
        """A request whose output is not known: nothing is proposed."""
        self.begin_with(prompt, ())

    def begin_with(self, prompt: Sequence[int], output: Sequence[int]) -> None:
        """A request and the whole output that will be replayed."""
        self._prompt, self._output = spelled(prompt), spelled(output)

    def propose(self, output: Sequence[int]) -> list[int]:
        now = len(output)
        seen, coming = self._prompt + self._output[:now], self._output[now : now + self._most]
        sizes = range(1, len(coming) + 1)
        size = bisect_left(sizes, 1, key=lambda size: coming[:size] not in seen)
        return [ord(one) for one in coming[:size]]


def spelled(tokens: Sequence[int]) -> str:
    """A character for each token, so that `str` searches them; ids below 1,114,112."""
    return "".join(map(chr, tokens))
