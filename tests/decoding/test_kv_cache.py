"""What a model has read: going back, growing, passes of static shape, against reading everything anew."""

import copy

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refiner.decoding.attention import use_grouped_attention
from refiner.decoding.kv_cache import (
    CAPACITY_STEP,
    MIN_STATIC_CAPACITY,
    STATIC_WIDTHS,
    VISIBLE_STEP,
    KVCache,
    Pass,
)
from refiner.engines.local import LocalEngine

TOKENS = list(range(100, 400))
PASSES = (200, 1, 5, 8, 3, 16, 2, 40, 1)


class Shapes:
    """Runs passes of static shape as they come, and notes their shapes."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []
        self.dropped = 0

    def run(self, shape: tuple[int, int], forward: Pass) -> torch.Tensor:
        self.seen.append(shape)
        logits = forward()
        assert logits.shape[0] == shape[0]
        return logits

    def drop(self) -> None:
        self.dropped += 1


def static_cache(model: torch.nn.Module, capacity: int = 300) -> tuple[KVCache, Shapes]:
    shapes = Shapes()
    return KVCache(
        model, capacity, full_attention=True, run_static=shapes.run, drop_static=shapes.drop
    ), shapes


def model_of(engine: LocalEngine) -> torch.nn.Module:
    model: torch.nn.Module = engine.loaded().model
    return model


@pytest.fixture(scope="module")
def grouped(restless: LocalEngine) -> torch.nn.Module:
    """A model that attends as on a GPU."""
    model = copy.deepcopy(model_of(restless))
    use_grouped_attention(model)
    return model


def anew(model: torch.nn.Module, upto: int) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = model(torch.tensor([TOKENS[:upto]]), logits_to_keep=1).logits[0, -1]
    return logits


@pytest.mark.parametrize("static", [False, True], ids=["growing", "of static shape"])
def test_every_row_is_what_reading_all_before_it_anew_gives(qwen: LocalEngine, *, static: bool) -> None:
    model = model_of(qwen)
    cache = static_cache(model)[0] if static else KVCache(model, 300, full_attention=True)
    read = 0
    for size in PASSES:
        logits = cache.forward(TOKENS[read : read + size], list(range(size)))
        kept = max(1, size // 2)  # the rest was guessed wrong
        torch.testing.assert_close(logits[kept - 1], anew(model, read + kept), atol=1e-5, rtol=0)
        read += kept
        cache.crop(read)
        assert cache.tokens == TOKENS[:read]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.integers(VISIBLE_STEP - 200, VISIBLE_STEP + 20),
    passes=st.lists(st.tuples(st.integers(1, 80), st.integers(0, 80)), min_size=1, max_size=6),
)
def test_passes_of_any_width_with_crops_give_the_rows_of_reading_anew(
    grouped: torch.nn.Module, before: int, passes: list[tuple[int, int]]
) -> None:
    """The passes cross from one number of visible slots to the next."""
    cache, shapes = static_cache(grouped)
    text = [100 + n * n % 997 for n in range(before + 81 * 6)]
    cache.forward(text[:before], [0])
    for size, rejected in passes:
        start = len(cache.tokens)
        rows = list(range(0, size, 7))
        logits = cache.forward(text[start : start + size], rows)
        plain = KVCache(grouped, 0, full_attention=True).forward(
            text[: start + size], [start + row for row in rows]
        )
        torch.testing.assert_close(logits, plain, atol=2e-4, rtol=1e-4)
        cache.crop(start + max(1, size - rejected))
    narrow = [size for size, _ in passes if size <= STATIC_WIDTHS[-1]]
    assert len(shapes.seen) == len(narrow)
    for (width, visible), size in zip(shapes.seen, narrow, strict=True):
        assert width == min(one for one in STATIC_WIDTHS if one >= size)
        assert visible in {VISIBLE_STEP, 2 * VISIBLE_STEP}


def test_a_short_text_sees_few_slots_of_long_buffers(qwen: LocalEngine) -> None:
    cache, shapes = static_cache(model_of(qwen), 10_000)
    assert cache.capacity == 16_384
    cache.forward(TOKENS[:200], [0])
    cache.forward(TOKENS[200:210], [0])
    assert shapes.seen == [(32, VISIBLE_STEP)]


def test_buffers_double_and_what_was_captured_over_them_is_dropped_before(qwen: LocalEngine) -> None:
    cache, shapes = static_cache(model_of(qwen))
    assert cache.capacity == MIN_STATIC_CAPACITY
    cache.forward(TOKENS[:200], [0])
    cache.reserve(MIN_STATIC_CAPACITY)
    assert (cache.capacity, shapes.dropped) == (MIN_STATIC_CAPACITY, 0)
    cache.reserve(MIN_STATIC_CAPACITY + 1)
    assert (cache.capacity, shapes.dropped) == (2 * MIN_STATIC_CAPACITY, 1)
    logits = cache.forward(TOKENS[200:203], [2])
    torch.testing.assert_close(logits[0], anew(cache.model, 203), atol=1e-5, rtol=0)


def test_buffers_that_are_there_take_static_passes_from_the_first_token_on(qwen: LocalEngine) -> None:
    cache, shapes = static_cache(model_of(qwen))
    cache.forward(TOKENS[100:200], [0])
    cache.crop(0)
    logits = cache.forward(TOKENS[:5], [4])
    assert shapes.seen == [(8, VISIBLE_STEP)]
    torch.testing.assert_close(logits[0], anew(cache.model, 5), atol=1e-5, rtol=0)


def test_padding_never_goes_beyond_the_models_context(
    qwen: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(qwen)
    monkeypatch.setattr(model.config, "max_position_embeddings", 210)
    cache, shapes = static_cache(model)
    cache.forward(TOKENS[:200], [0])
    cache.forward(TOKENS[200:202], [0])  # padded to 8
    logits = cache.forward(TOKENS[202:205], [2])  # 8 would be the last that fit
    cache.crop(203)
    cache.forward(TOKENS[203:206], [0])  # 8 more are too many
    assert [width for width, _ in shapes.seen] == [8, 8]
    torch.testing.assert_close(logits[0], anew(model, 205), atol=1e-5, rtol=0)
    assert cache.tokens == TOKENS[:206]


def test_it_grows_past_the_room_that_was_set_aside(qwen: LocalEngine) -> None:
    cache = KVCache(model_of(qwen), 10, full_attention=True)
    assert cache.capacity == CAPACITY_STEP
    long = [5, 6, 7] * 400
    cache.forward(long[:1000], [0])
    cache.forward(long[1000:], [0])
    assert cache.tokens == long
    fresh = KVCache(cache.model, 2000, full_attention=True)
    torch.testing.assert_close(cache.forward([9], [0]), fresh.forward([*long, 9], [1200]), atol=1e-5, rtol=0)


def test_passes_with_a_mask_go_over_the_same_buffers(qwen: LocalEngine) -> None:
    """As judging reads behind what was read for writing, and crops."""
    cache, shapes = static_cache(model_of(qwen))
    cache.forward(TOKENS[:50], [0])
    positions = torch.tensor([[50, 51, 52]])
    cache.forward([1, 2, 3], [0], position_ids=positions)
    assert shapes.seen == []
    cache.crop(50)
    logits = cache.forward(TOKENS[50:60], [9])
    assert shapes.seen == [(32, VISIBLE_STEP)]
    torch.testing.assert_close(logits[0], anew(cache.model, 60), atol=1e-5, rtol=0)


def test_it_goes_back_to_what_a_prompt_begins_with_and_leaves_the_last_token_to_read(
    qwen: LocalEngine,
) -> None:
    cache = KVCache(model_of(qwen), 300, full_attention=True)
    cache.forward(TOKENS[:50], [0])
    assert cache.reuse_prefix(TOKENS[:30]) == 29
    assert cache.reuse_prefix([*TOKENS[:20], 1, 2]) == 20
    assert cache.reuse_prefix([1]) == 0


def test_a_model_that_sees_a_window_cannot_go_back(qwen: LocalEngine) -> None:
    cache = KVCache(model_of(qwen), 300, full_attention=False)
    cache.forward(TOKENS[:5], [0])
    with pytest.raises(ValueError, match="cannot be cropped"):
        cache.crop(3)
    with pytest.raises(ValueError, match="cannot be cropped"):
        cache.reuse_prefix(TOKENS)
    assert cache.empty_copy().reuse_prefix(TOKENS) == 0
