"""Reads many prompts at once, and what they share once: the probabilities of a model's next token after each.

The prompts are laid out as one sequence. Each stands behind what it shares with the one before it in sorted order, with
its own positions and a mask in which a token sees its own prompt alone (the tree attention of SpecInfer, Miao et al.
2023, section 4.2, here for prompts). Nothing is generated.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from refiner.decoding.kv_cache import KVCache
from refiner.domain import ChoiceProbabilities

MAX_PASS_TOKENS = 4096
"""The most tokens that one forward pass reads."""

MAX_SEQUENCE_TOKENS = 16_384
"""The most tokens in one sequence, which bounds the cache. The other prompts begin another sequence."""

MIN_UNMASKED_TOKENS = 1024
"""A plain beginning longer than this has a pass of its own, which is quicker without a mask."""

MIN_SHARED_TOKENS = 256
"""Prompts that share fewer tokens than this stand in sequences of their own: reading so few again costs less.

The same holds for a prompt that shares as many tokens less with the one before it than that one's neighbours shared:
nobody sees any more what they had in common. The new sequence goes on in the cache from what it does share.
"""


@dataclass(frozen=True, slots=True)
class Segment:
    """The tokens of one prompt that no prompt before it had.

    They stand at ``[start, start + len(tokens))`` of the sequence. ``ancestors`` are the positions of the prompt's
    tokens before them, and ``prompt`` is the number of the prompt that they end.
    """

    prompt: int
    start: int
    tokens: tuple[int, ...]
    ancestors: NDArray[np.int64]


def pack(
    prompts: Sequence[Sequence[int]],
    max_tokens: int = MAX_SEQUENCE_TOKENS,
    min_shared: int = MIN_SHARED_TOKENS,
) -> list[list[Segment]]:
    """The sequences, of at most ``max_tokens`` where no prompt alone is longer.

    In each, a shared beginning stands once. Each begins with a whole prompt.
    """
    sequences: list[list[Segment]] = []
    positions: NDArray[np.int64] = np.arange(0)
    before: Sequence[int] = ()
    length = common = 0
    for number in sorted(range(len(prompts)), key=lambda one: tuple(prompts[one])):
        prompt = prompts[number]
        shared = _shared_prefix(before, prompt)
        lost = max(0, common - shared)
        too_long = length + len(prompt) - shared > max_tokens
        if not sequences or shared < min_shared or lost >= min_shared or too_long:
            sequences.append([])
            shared, length, common = 0, 0, len(prompt)
        else:
            common = min(common, shared)
        new = tuple(prompt[shared:])
        sequences[-1].append(Segment(number, length, new, positions[:shared]))
        positions = np.concatenate((positions[:shared], np.arange(length, length + len(new))))
        before, length = prompt, length + len(new)
    return sequences


def score_choices(
    cache: KVCache,
    prompts: Sequence[Sequence[int]],
    choices: Sequence[Sequence[int]],
    *,
    share_prefixes: bool = True,
    max_sequence_tokens: int = MAX_SEQUENCE_TOKENS,
    max_pass_tokens: int = MAX_PASS_TOKENS,
) -> Generator[ChoiceProbabilities]:
    """How likely each choice comes next after each prompt, pass by pass. A choice is token ids, any of which will do.

    ``cache`` may hold what the prompts begin with. Closed between two passes too, it keeps nothing but the first
    prompt. Without ``share_prefixes`` the prompts are read one by one, for models that take no such mask.
    """
    if share_prefixes:
        sequences = pack(prompts, max_sequence_tokens)
    else:
        sequences = [_alone(n, prompt) for n, prompt in enumerate(prompts)]
    for segments in sequences:
        cache = cache if cache.full_attention else cache.empty_copy()
        cache.reuse_prefix(segments[0].tokens)
        try:
            yield from _read_sequence(cache, segments, choices, max_pass_tokens)
        finally:
            if cache.full_attention:  # what follows the first prompt is no text, but many
                cache.crop(min(len(cache.tokens), len(segments[0].tokens)))


def _alone(number: int, prompt: Sequence[int]) -> list[Segment]:
    return [Segment(number, 0, tuple(prompt), np.arange(0))]


def _read_sequence(
    cache: KVCache, segments: Sequence[Segment], choices: Sequence[Sequence[int]], max_pass_tokens: int
) -> Generator[ChoiceProbabilities]:
    """Read one sequence, behind what ``cache`` holds of it."""
    device = cache.model.device
    ids = [token for segment in segments for token in segment.tokens]
    positions = [p for s in segments for p in range(len(s.ancestors), len(s.ancestors) + len(s.tokens))]
    first = len(segments[0].tokens)  # up to here the sequence is plain text, which needs no mask
    ends = {s.start + len(s.tokens) - 1: s.prompt for s in segments}
    for start, stop in _passes(len(cache.tokens), first, len(ids), max_pass_tokens):
        wanted = [place for place in ends if start <= place < stop]
        model_inputs = {"position_ids": torch.tensor([positions[start:stop]], device=device)}
        if stop > first:
            model_inputs["attention_mask"] = _mask(segments, start, stop).to(device)
        logits = cache.forward(ids[start:stop], [place - start for place in wanted] or [0], **model_inputs)
        probabilities = torch.softmax(logits.float(), dim=-1).cpu()
        yield ChoiceProbabilities(
            {
                ends[place]: tuple(float(row[list(tokens)].sum()) for tokens in choices)
                for row, place in zip(probabilities, wanted, strict=False)
            },
            stop - start,
        )


def _passes(begin: int, first: int, length: int, most: int) -> list[tuple[int, int]]:
    """Where passes of at most ``most`` tokens begin and end.

    One ends where a long plain part does, which then needs no mask.
    """
    if first - begin <= MIN_UNMASKED_TOKENS and length - begin <= most:
        return [(begin, length)]
    cuts = [*range(begin, first, most), *range(first, length, most), length]
    return list(pairwise(cuts))


def _mask(segments: Sequence[Segment], start: int, stop: int) -> torch.Tensor:
    """(1, 1, stop − start, stop), True where the token of the row sees that of the column."""
    mask = np.zeros((stop - start, stop), dtype=np.bool_)
    for segment in segments:
        low, high = max(start, segment.start), min(stop, segment.start + len(segment.tokens))
        if low < high:
            rows = mask[low - start : high - start]
            rows[:, segment.ancestors] = True
            rows[:, segment.start : high] = np.tri(
                high - low, high - segment.start, low - segment.start, dtype=np.bool_
            )
    return torch.from_numpy(mask)[None, None]


def _shared_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with; never all of ``other``, whose last token must be read."""
    pairs = zip(one, other[:-1], strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other) - 1))
