"""How a model runs its short passes on CUDA: in static shapes, as captured graphs, with compiled pieces.

So far only CPUs have run this code. What a GPU measured was a prototype of it (docs/decoding.md, "On a GPU").
"""

from collections.abc import Callable
from typing import Any

import torch

from refiner.decoding.attention import use_grouped_attention
from refiner.decoding.cuda_graphs import Capture, CapturedPasses, begin_cuda_captures
from refiner.decoding.fused import Piece, missing_for_compiling, static_pass, use_compiled_pieces
from refiner.decoding.kv_cache import KVCache, Pass


class StaticPasses:
    """The passes of static shape of ``model``, which must take a boolean mask, on ``device``.

    ``compiled`` has pieces compiled (True), leaves them (False), or compiles where all is there for it
    (None). ``begin_captures`` is for tests; by default CUDA's graphs are captured on CUDA, and nothing
    elsewhere.
    """

    def __init__(
        self,
        model: Any,
        device: str,
        *,
        compiled: bool | None = None,
        begin_captures: Callable[[], Capture] | None = None,
    ) -> None:
        self._model = model
        on_cuda = device == "cuda"
        begin_captures = begin_captures or (begin_cuda_captures if on_cuda else None)
        self._captured = CapturedPasses(begin_captures) if begin_captures else None
        self._missing = missing_for_compiling() if compiled is None and on_cuda else ""
        self._pieces: list[Piece] = []
        if compiled or (compiled is None and on_cuda and not self._missing):
            self._pieces = use_compiled_pieces(model)
        else:
            use_grouped_attention(model)

    @property
    def problems(self) -> list[str]:
        """What does not run as fast as it could, and why. Empty as long as all does."""
        why_plain = [self._missing, *(piece.problem for piece in self._pieces)]
        not_compiled = [f"not compiled ({why})" for why in dict.fromkeys(why_plain) if why]
        return [*filter(None, [self._captured.problem if self._captured else ""]), *not_compiled]

    def cache(self, capacity: int) -> KVCache:
        """An empty cache for the model's passes. What was captured over another cache is dropped."""
        self.drop()
        return KVCache(
            self._model, capacity, full_attention=True, run_static=self._run, drop_static=self.drop
        )

    def drop(self) -> None:
        """Free what was captured."""
        if self._captured:
            self._captured.drop()

    def _run(self, shape: tuple[int, int], forward: Pass) -> torch.Tensor:
        def run() -> torch.Tensor:
            return static_pass(forward)

        return self._captured.run(shape, run) if self._captured else run()
