"""Which passes are captured, replayed, dropped and given up; a stand-in captures, as there is no GPU."""

import logging

import pytest
import torch

from refiner.decoding.cuda_graphs import Capture, CapturedPasses
from refiner.decoding.kv_cache import MIN_STATIC_CAPACITY, VISIBLE_STEP, KVCache, Pass
from refiner.engines.local import LocalEngine


class Captures:
    """Captures by running the same pass again. ``error`` makes the captures fail from now on."""

    def __init__(self) -> None:
        self.begun = self.made = self.replayed = 0
        self.error: Exception | None = None

    def begin(self) -> Capture:
        self.begun += 1
        return self.capture

    def capture(self, forward: Pass) -> Pass:
        if self.error:
            raise self.error
        self.made += 1

        def replay() -> torch.Tensor:
            self.replayed += 1
            return forward()

        return replay


def constant(value: float) -> Pass:
    return lambda: torch.tensor([value])


def test_a_shape_is_captured_when_it_is_first_needed_and_replayed_from_then_on() -> None:
    captures = Captures()
    passes = CapturedPasses(captures.begin)
    assert captures.begun == 0
    for width, visible in ((8, 1024), (8, 1024), (8, 2048), (1, 1024), (8, 1024)):
        logits = passes.run((width, visible), constant(width + visible))
        assert float(logits) == width + visible
    assert (captures.begun, captures.made, captures.replayed) == (1, 3, 5)
    assert passes.problem == ""


def test_what_is_dropped_is_captured_anew() -> None:
    captures = Captures()
    passes = CapturedPasses(captures.begin)
    passes.run((8, 1024), constant(1))
    passes.drop()
    assert float(passes.run((8, 1024), constant(2))) == 2
    assert (captures.begun, captures.made) == (2, 2)


def test_a_capture_that_fails_leaves_every_pass_uncaptured_and_says_why_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    captures = Captures()
    passes = CapturedPasses(captures.begin)
    passes.run((1, 1024), constant(1))
    captures.error = RuntimeError("operation not permitted when stream is capturing\nmore")
    with caplog.at_level(logging.WARNING):
        assert float(passes.run((8, 1024), constant(8))) == 8
        captures.error = None
        assert float(passes.run((16, 1024), constant(16))) == 16
        assert float(passes.run((1, 1024), constant(3))) == 3
    assert captures.made == 1
    assert passes.problem == "no CUDA graphs (operation not permitted when stream is capturing)"
    assert len(caplog.records) == 1
    assert "not permitted" in caplog.text


@pytest.mark.parametrize("broken", [False, True], ids=["before the capture", "within the capture"])
def test_no_memory_left_is_not_taken_for_a_capture_that_fails(*, broken: bool) -> None:
    """A capture that is broken off ends in another error, behind which the first one is."""
    captures = Captures()
    passes = CapturedPasses(captures.begin)
    captures.error = torch.OutOfMemoryError("Out of memory.")
    if broken:
        memory, captures.error = captures.error, RuntimeError("capture was invalidated")
        captures.error.__context__ = memory
    with pytest.raises(torch.OutOfMemoryError):
        passes.run((8, 1024), constant(8))
    assert passes.problem == ""


def test_graphs_go_with_the_buffers_that_they_were_captured_over(qwen: LocalEngine) -> None:
    captures = Captures()
    passes = CapturedPasses(captures.begin)
    model = qwen.loaded().model
    cache = KVCache(model, 300, full_attention=True, run_static=passes.run, drop_static=passes.drop)
    cache.forward(list(range(50)), [0])
    for size in (1, 8, 9, 1):
        cache.forward(list(range(size)), [0])
    assert (captures.made, captures.replayed) == (2, 4)
    cache.reserve(MIN_STATIC_CAPACITY + 1)
    cache.forward([1], [0])
    assert captures.begun == 2
    cache.forward(list(range(VISIBLE_STEP)), [0])
    cache.forward([1], [0])
    assert captures.made == 4  # the text is longer, and sees more slots
