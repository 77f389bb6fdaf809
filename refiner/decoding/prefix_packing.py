"""Many prompts read at once, what they share once: the odds of a model's next token after each.

The prompts are laid out as one sequence, each behind what it shares with the one before it in sorted order,
with its own positions and a mask in which a token sees its own prompt alone (the tree attention of SpecInfer,
Miao et al. 2023, section 4.2, here for prompts). Nothing is generated.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from refiner.decoding.kv_cache import Memory
from refiner.domain import Odds

PASS = 4096
"""The most tokens that one forward pass reads."""

PACK = 16_384
"""The most tokens in one sequence, which bounds the cache; what is left begins another with what it shares."""

PLAIN = 1024
"""Tokens of plain text from which on they have a pass of their own, which is quicker without a mask."""

WORTH = 256
"""Prompts that share fewer tokens than this stand in sequences of their own: reading so few again costs less.

So does one that shares as many tokens less with the one before it than that one's neighbours shared: what they had in
common is in nobody's sight any more. The new sequence goes on in the memory from what it does share.
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Tokens of one prompt that no prompt before it had.

    They stand at ``[start, start + len(tokens))`` of the sequence; ``path`` are the places of the prompt's
    tokens before them, and ``prompt`` says which it ends.
    """

    prompt: int
    start: int
    tokens: tuple[int, ...]
    path: NDArray[np.int64]


def pack(prompts: Sequence[Sequence[int]], most: int = PACK, worth: int = WORTH) -> list[list[Stretch]]:
    """The sequences, of at most ``most`` tokens where no prompt alone is longer.

    In each, shared beginnings stand once; each begins with a whole prompt.
    """
    packs: list[list[Stretch]] = []
    places: NDArray[np.int64] = np.arange(0)
    before: Sequence[int] = ()
    length = common = 0
    for number in sorted(range(len(prompts)), key=lambda one: tuple(prompts[one])):
        prompt = prompts[number]
        shared = _shared(before, prompt)
        left = max(0, common - shared)
        if not packs or shared < worth or left >= worth or length + len(prompt) - shared > most:
            packs.append([])
            shared, length, common = 0, 0, len(prompt)
        else:
            common = min(common, shared)
        new = tuple(prompt[shared:])
        packs[-1].append(Stretch(number, length, new, places[:shared]))
        places = np.concatenate((places[:shared], np.arange(length, length + len(new))))
        before, length = prompt, length + len(new)
    return packs


def read(
    memory: Memory,
    prompts: Sequence[Sequence[int]],
    choices: Sequence[Sequence[int]],
    *,
    shared: bool = True,
) -> Generator[Odds]:
    """How likely each choice (token ids, any of which will do) comes next after each prompt, pass by pass.

    ``memory`` may hold what the prompts begin with; closed between two passes too, it keeps nothing but text.
    Without ``shared`` the prompts are read one by one: for models that take no such mask.
    """
    packs = pack(prompts) if shared else [_alone(number, prompt) for number, prompt in enumerate(prompts)]
    for stretches in packs:
        memory = memory if memory.whole else memory.anew()
        memory.begin(stretches[0].tokens)
        try:
            yield from _read_pack(memory, stretches, choices)
        finally:
            if memory.whole:  # what follows the first prompt is no text, but many
                memory.back(min(len(memory.tokens), len(stretches[0].tokens)))


def _alone(number: int, prompt: Sequence[int]) -> list[Stretch]:
    return [Stretch(number, 0, tuple(prompt), np.arange(0))]


def _read_pack(
    memory: Memory, stretches: Sequence[Stretch], choices: Sequence[Sequence[int]]
) -> Generator[Odds]:
    """Read one sequence, behind what ``memory`` holds of it."""
    device = memory.model.device
    ids = [token for stretch in stretches for token in stretch.tokens]
    positions = [p for s in stretches for p in range(len(s.path), len(s.path) + len(s.tokens))]
    first = len(stretches[0].tokens)  # up to here the sequence is plain text, which needs no mask
    ends = {s.start + len(s.tokens) - 1: s.prompt for s in stretches}
    for start, stop in _passes(len(memory.tokens), first, len(ids)):
        wanted = [place for place in ends if start <= place < stop]
        more = {"position_ids": torch.tensor([positions[start:stop]], device=device)}
        if stop > first:
            more["attention_mask"] = _mask(stretches, start, stop).to(device)
        logits = memory.read(ids[start:stop], [place - start for place in wanted] or [0], **more)
        chances = torch.softmax(logits.float(), dim=-1).cpu()
        yield Odds(
            {
                ends[place]: tuple(float(row[list(tokens)].sum()) for tokens in choices)
                for row, place in zip(chances, wanted, strict=False)
            },
            stop - start,
        )


def _passes(begin: int, first: int, length: int) -> list[tuple[int, int]]:
    """Where passes begin and end; one ends where a long plain part does, which then needs no mask."""
    if first - begin <= PLAIN and length - begin <= PASS:
        return [(begin, length)]
    cuts = [*range(begin, first, PASS), *range(first, length, PASS), length]
    return list(pairwise(cuts))


def _mask(stretches: Sequence[Stretch], start: int, stop: int) -> torch.Tensor:
    """(1, 1, stop − start, stop), true where the token of the row sees that of the column."""
    mask = np.zeros((stop - start, stop), dtype=np.bool_)
    for stretch in stretches:
        low, high = max(start, stretch.start), min(stop, stretch.start + len(stretch.tokens))
        if low < high:
            rows = mask[low - start : high - start]
            rows[:, stretch.path] = True
            rows[:, stretch.start : high] = np.tri(
                high - low, high - stretch.start, low - stretch.start, dtype=np.bool_
            )
    return torch.from_numpy(mask)[None, None]


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with; never all of ``other``, whose last token must be read."""
    pairs = zip(one, other[:-1], strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other) - 1))
