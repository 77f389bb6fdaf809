"""What a model has read: going back, growing, passes of one shape and compiled, against reading everything anew."""

import pytest
import torch

from refiner.decoding.kv_cache import CAPACITY_STEP, KVCache
from refiner.engines.local import LocalEngine

TOKENS = list(range(100, 400))
PASSES = (200, 1, 5, 8, 3, 16, 2, 40, 1)


def model_of(engine: LocalEngine) -> torch.nn.Module:
    engine.load()
    return engine.loaded().model


def anew(model: torch.nn.Module, upto: int) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = model(torch.tensor([TOKENS[:upto]]), logits_to_keep=1).logits[0, -1]
    return logits


@pytest.mark.parametrize("kind", ["growing", "of one width", "compiled"])
def test_every_row_is_what_reading_all_before_it_anew_gives(qwen: LocalEngine, kind: str) -> None:
    model = model_of(qwen)
    graphs = []

    def backend(graph: torch.fx.GraphModule, _: object) -> object:
        graphs.append(graph)
        return graph.forward

    compiled = torch.compile(model.forward, backend=backend, dynamic=False, fullgraph=True)
    more = (
        {"static_width": 16, "forward": compiled}
        if kind == "compiled"
        else {"static_width": 16 * (kind == "of one width")}
    )
    cache = KVCache(model, 300, full_attention=True, **more)  # type: ignore[arg-type]  # by kind
    read = 0
    for size in PASSES:
        logits = cache.forward(TOKENS[read : read + size], list(range(size)))
        kept = max(1, size // 2)  # the rest was guessed wrong
        torch.testing.assert_close(logits[kept - 1], anew(model, read + kept), atol=1e-5, rtol=0)
        read += kept
        cache.crop(read)
        assert cache.tokens == TOKENS[:read]
    assert len(graphs) == (kind == "compiled")  # one for all passes of that width, however full they are


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch's own, inside its compiler
def test_a_model_compiled_for_real_says_the_same(qwen: LocalEngine) -> None:
    model = model_of(qwen)
    forward = torch.compile(model.forward, mode="reduce-overhead", dynamic=False, fullgraph=True)
    cache = KVCache(model, 300, full_attention=True, static_width=16, forward=forward)
    cache.forward(TOKENS[:200], [199])
    logits = cache.forward(TOKENS[200:210], list(range(10)))
    torch.testing.assert_close(logits[-1], anew(model, 210), atol=1e-5, rtol=0)


def test_it_grows_past_the_room_that_was_set_aside(qwen: LocalEngine) -> None:
    cache = KVCache(model_of(qwen), 10, full_attention=True)
    assert cache.capacity == CAPACITY_STEP
    long = [5, 6, 7] * 400
    cache.forward(long[:1000], [0])
    cache.forward(long[1000:], [0])
    assert cache.tokens == long
    fresh = KVCache(cache.model, 2000, full_attention=True)
    torch.testing.assert_close(cache.forward([9], [0]), fresh.forward([*long, 9], [1200]), atol=1e-5, rtol=0)


def test_a_copy_of_fixed_shapes_goes_on_alone(qwen: LocalEngine) -> None:
    static = KVCache(model_of(qwen), 300, full_attention=True, static_width=16)
    static.forward(TOKENS[:50], [0])
    other = static.for_any_shape()
    assert other.for_any_shape() is other
    other.forward([1, 2, 3], [0])
    assert static.tokens == TOKENS[:50]
    logits = static.forward(TOKENS[50:60], [9])
    torch.testing.assert_close(logits[0], anew(static.model, 60), atol=1e-5, rtol=0)


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
