"""The small pieces of a model compiled: many small kernels become few. The model's own code stays.

Normalization, rotary embedding, the MLP and attention are compiled, each once for all layers that share its
shapes. That takes seconds, and torch keeps the result on disk across starts. Compiling a whole model takes
minutes.

Only passes of static shape use what was compiled. Other passes have ever new lengths, each of which would be
compiled.
"""

import logging
import shutil
import sys
import threading
from collections.abc import Callable
from functools import cache
from types import MethodType
from typing import Any

import torch
from torch.utils._triton import has_triton

from refiner.decoding.attention import attend, use_grouped_attention

_MODULES = ("RMSNorm", "MLP")
"""Modules whose class names end like this are compiled."""
_ROTARY = "apply_rotary_pos_emb"
_MAX_SHAPES = 2048
"""Shapes that one piece may be compiled for: widths times numbers of visible slots, with room."""

_logger = logging.getLogger(__name__)
_thread = threading.local()


class Piece:
    """A function that is compiled within `static_pass`, and ``plain`` elsewhere.

    ``problem`` says why it could not be compiled. From then on it is plain everywhere.
    """

    def __init__(self, plain: Callable[..., Any]) -> None:
        self.plain, self.problem = plain, ""
        self._compiled = torch.compile(plain, dynamic=False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function gives."""
        if self.problem or not getattr(_thread, "static_pass", False):
            return self.plain(*args, **kwargs)
        try:
            return self._compiled(*args, **kwargs)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:  # those of torch's compilers derive from it
            self.problem = next(iter(str(error).splitlines()), type(error).__name__)
            _logger.warning("A piece of the model could not be compiled: %s", error)
            return self.plain(*args, **kwargs)


@cache
def piece(plain: Callable[..., Any]) -> Piece:
    """The one piece of a function, for every model that has it."""
    return Piece(plain)


def static_pass(forward: Callable[[], torch.Tensor]) -> torch.Tensor:
    """Run ``forward`` with the pieces compiled, in this thread."""
    _thread.static_pass = True
    try:
        return forward()
    finally:
        _thread.static_pass = False


def use_compiled_pieces(model: Any) -> list[Piece]:
    """Compile the pieces of ``model`` at their first use, grouped attention among them. Returns the pieces.

    Classes are recognized by how their names end, as transformers names them in every model.
    """
    config = torch._dynamo.config  # noqa: SLF001 - documented, for all its name
    config.recompile_limit = max(config.recompile_limit, _MAX_SHAPES)
    config.accumulated_recompile_limit = max(config.accumulated_recompile_limit, _MAX_SHAPES)
    found = {attention := piece(attend)}
    use_grouped_attention(model, attention)
    for module in model.modules():
        if type(module).__name__.endswith(_MODULES):
            compiled = piece(type(module).forward)
            module.forward = MethodType(compiled, module)
            found.add(compiled)
    code = sys.modules[type(model).__module__]
    rotary = getattr(code, _ROTARY, None)
    if rotary is not None:
        compiled = rotary if isinstance(rotary, Piece) else piece(rotary)
        setattr(code, _ROTARY, compiled)
        found.add(compiled)
    return list(found)


def missing_for_compiling() -> str:
    """What compiling for a GPU lacks on this machine; empty where it lacks nothing."""
    if not has_triton():
        return "Triton is missing"
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):  # Triton builds what starts its kernels with one
        return "a C compiler is missing"
    return ""
