"""Forward passes captured as CUDA graphs: all kernels of a pass are started by one call.

A pass of a 4B model starts more than a thousand small kernels, which takes Python longer than the GPU takes
to run them. A graph is bound to shapes and to places in memory, so each shape is captured once, when it is
first needed, and all are dropped before the buffers move.

A graph is not bound to a thread. `torch.cuda.CUDAGraph` may be captured in one thread and replayed in
another, as long as no two replays run at once; it is the graph trees of `torch.compile` that belong to their
thread. A capture in ``thread_local`` mode is not disturbed by what other threads do on the GPU meanwhile,
such as a judge's model.
"""

import logging
import threading
from collections.abc import Callable

import torch

from refiner.decoding.kv_cache import Pass

Capture = Callable[[Pass], Pass]
"""Captures a pass, and gives what replays it. The next replay may change a replay's logits."""

_WARM_UP_PASSES = 2
"""What is compiled, chosen or allocated at first use must be so before a capture."""

_logger = logging.getLogger(__name__)
_one_capture_at_a_time = threading.Lock()  # torch allows one in a process


class CapturedPasses:
    """The captured passes of one model, by shape.

    ``begin_captures`` gives the `Capture` for one set of buffers. ``problem`` says why nothing is captured
    any more; it is empty as long as captures succeed.
    """

    def __init__(self, begin_captures: Callable[[], Capture]) -> None:
        self.problem = ""
        self._begin_captures = begin_captures
        self._capture: Capture | None = None
        self._replays: dict[tuple[int, int], Pass] = {}

    def run(self, shape: tuple[int, int], forward: Pass) -> torch.Tensor:
        """The logits of ``forward``, which for the same ``shape`` always computes the same over other inputs.

        Where a capture fails, this and all later passes run as they are. `torch.OutOfMemoryError` is passed
        on.
        """
        if shape not in self._replays and not self.problem:
            try:
                self._capture = self._capture or self._begin_captures()
                self._replays[shape] = self._capture(forward)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError as error:  # torch's own errors, those of CUDA among them, derive from it
                self._give_up(error)
        return self._replays[shape]() if shape in self._replays else forward()

    def drop(self) -> None:
        """Free every captured pass, because the buffers below them are about to go."""
        self._replays.clear()
        self._capture = None

    def _give_up(self, error: RuntimeError) -> None:
        if isinstance(error.__context__, torch.OutOfMemoryError):  # which broke the capture
            raise error.__context__
        self.drop()
        self.problem = f"no CUDA graphs ({next(iter(str(error).splitlines()), type(error).__name__)})"
        _logger.warning("A forward pass could not be captured as a CUDA graph: %s", error)


def begin_cuda_captures() -> Capture:
    """Captures over one set of buffers. No GPU has run these lines in the tests.

    The graphs share one pool of memory. That is safe here, because the logits of one are used up before the
    next runs.
    """
    stream: torch.cuda.Stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch's
    pool = torch.cuda.graph_pool_handle()

    def capture(forward: Pass) -> Pass:
        current = torch.cuda.current_stream()
        graph = torch.cuda.CUDAGraph()
        with _one_capture_at_a_time, torch.cuda.stream(current):  # leads back here from a capture that fails
            stream.wait_stream(current)
            with torch.cuda.stream(stream):
                for _ in range(_WARM_UP_PASSES):
                    forward()
            current.wait_stream(stream)
            with torch.cuda.graph(graph, pool=pool, stream=stream, capture_error_mode="thread_local"):
                logits = forward()

        def replay() -> torch.Tensor:
            graph.replay()
            return logits

        return replay

    return capture
