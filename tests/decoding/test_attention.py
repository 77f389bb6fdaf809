"""Attention over shared keys and values that are copied nowhere, against transformers' own."""

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from refiner.decoding.attention import MAX_GROUPED_ROWS, grouped_attention, use_grouped_attention
from refiner.decoding.kv_cache import KVCache
from refiner.decoding.prefix_packing import score_choices
from refiner.engines.local import LocalEngine

TOKENS = list(range(100, 400))


@settings(max_examples=60, deadline=None)
@given(
    batch=st.integers(1, 2),
    shared=st.integers(1, 3),
    groups=st.integers(1, 4),
    size=st.sampled_from([2, 8, 16]),
    rows=st.integers(1, MAX_GROUPED_ROWS + 8),
    before=st.integers(0, 90),
    beyond=st.integers(0, 40),
    mask=st.sampled_from(["causal", "any", "none"]),
    seed=st.integers(0, 2**16),
)
def test_it_is_what_sdpa_gives_for_any_heads_widths_and_lengths(
    batch: int, shared: int, groups: int, size: int, rows: int, before: int, beyond: int, mask: str, seed: int
) -> None:
    """Keys and values are a part of a longer buffer, as in the cache."""
    random = torch.Generator().manual_seed(seed)
    length = before + rows
    seen = None
    if mask != "none":
        length += beyond
        seen = torch.arange(length) <= before + torch.arange(rows)[:, None]
        if mask == "any":
            seen &= torch.rand(rows, length, generator=random) < 0.6
            seen[torch.arange(rows), before + torch.arange(rows)] = True  # each row sees itself
        seen = seen[None, None]
    query = torch.randn(batch, rows, shared * groups, size, generator=random).transpose(1, 2)
    key, value = (torch.randn(batch, shared, 300, size, generator=random)[:, :, :length] for _ in "kv")
    module: Any = SimpleNamespace(num_key_value_groups=groups, is_causal=True)
    ours, _ = grouped_attention(module, query, key, value, seen, scaling=0.3)
    theirs, _ = sdpa_attention_forward(module, query, key, value, seen, scaling=0.3)
    torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=1e-4)


@pytest.fixture(scope="module")
def pair(restless: LocalEngine) -> tuple[torch.nn.Module, torch.nn.Module]:
    """A model with SDPA, and the same model with grouped attention."""
    model = restless.loaded().model
    grouped = copy.deepcopy(model)
    use_grouped_attention(grouped)
    assert (model.config._attn_implementation, grouped.config._attn_implementation) == ("sdpa", "grouped")
    return model, grouped


def test_a_model_gives_the_same_logits_also_after_crops(
    pair: tuple[torch.nn.Module, torch.nn.Module],
) -> None:
    caches = [KVCache(model, 300, full_attention=True) for model in pair]
    read = 0
    for size in (40, 1, 5, 100, 64, 3, 65, 1):
        theirs, ours = (cache.forward(TOKENS[read : read + size], list(range(size))) for cache in caches)
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
        read += max(1, size // 2)
        for cache in caches:
            cache.crop(read)


def test_prompts_that_are_read_at_once_see_their_own_tokens_only(
    pair: tuple[torch.nn.Module, torch.nn.Module],
) -> None:
    """The packed part is short enough for grouped attention, and lies under the mask of a tree."""
    prompts = [[*TOKENS[:280], *end] for end in ([1, 2, 3], [1, 2, 4, 5], [7], [1, 9])]
    found: list[list[float]] = []
    for model in pair:
        cache = KVCache(model, 400, full_attention=True)
        cache.forward(TOKENS[:279], [0])
        (read,) = score_choices(cache, prompts, [[5], [6, 7]])
        assert read.tokens_read <= MAX_GROUPED_ROWS
        found.append([chance for n in range(len(prompts)) for chance in read.probabilities[n] or ()])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-3)
