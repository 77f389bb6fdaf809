"""The small pieces of a model, compiled: when, once for all layers, and what they give."""

import copy
from collections.abc import Iterator

import pytest
import torch
from transformers.models.qwen3 import modeling_qwen3

from refiner.decoding import fused
from refiner.decoding.fused import Piece, static_pass, use_compiled_pieces
from refiner.decoding.kv_cache import KVCache, Pass
from refiner.engines.local import LocalEngine

TOKENS = list(range(100, 200))


@pytest.fixture
def model(restless: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.nn.Module]:
    """A model of one's own, whose pieces other tests do not see."""
    monkeypatch.setattr(modeling_qwen3, "apply_rotary_pos_emb", modeling_qwen3.apply_rotary_pos_emb)
    fused.piece.cache_clear()
    yield copy.deepcopy(restless.loaded().model)
    fused.piece.cache_clear()


def run_static(_: tuple[int, int], forward: Pass) -> torch.Tensor:
    return static_pass(forward)


def logits_of(model: torch.nn.Module, *, static: bool, sizes: tuple[int, ...]) -> list[torch.Tensor]:
    cache = KVCache(model, 300, full_attention=True, run_static=run_static if static else None)
    return [
        cache.forward(TOKENS[:size], list(range(size))) for size in (70, *sizes)
    ]  # the first allocates and is never static


def test_each_piece_is_compiled_once_a_width_for_all_layers_and_nowhere_else(
    model: torch.nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphs: list[torch.fx.GraphModule] = []

    def backend(graph: torch.fx.GraphModule, _: object) -> object:
        graphs.append(graph)
        return graph.forward

    compile_ = torch.compile
    monkeypatch.setattr(torch, "compile", lambda plain, **more: compile_(plain, backend=backend, **more))
    expected = logits_of(model, static=False, sizes=(3, 8, 12))
    pieces = use_compiled_pieces(model)
    names = {piece.plain.__qualname__ for piece in pieces}
    assert names == {"Qwen3RMSNorm.forward", "Qwen3MLP.forward", "apply_rotary_pos_emb", "attend"}
    plain = logits_of(model, static=False, sizes=(3, 8, 12))
    assert graphs == []
    found = logits_of(model, static=True, sizes=(3, 8, 12))
    # two widths, 8 and 16; the norms are of hidden states, queries and keys
    assert len(graphs) == 2 * (3 + len(names) - 1)
    for one, two, three in zip(expected, plain, found, strict=True):
        torch.testing.assert_close(two, one, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(three, one, atol=1e-4, rtol=1e-4)
    again = copy.deepcopy(model)
    assert set(use_compiled_pieces(again)) == set(pieces)
    logits_of(again, static=True, sizes=(8,))
    assert len(graphs) == 2 * (3 + len(names) - 1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch's own, inside its compiler
def test_pieces_compiled_for_real_give_the_same_logits(model: torch.nn.Module) -> None:
    expected = logits_of(model, static=False, sizes=(5,))
    pieces = use_compiled_pieces(model)
    found = logits_of(model, static=True, sizes=(5,))
    assert {piece.problem for piece in pieces} == {""}
    torch.testing.assert_close(found[-1], expected[-1], atol=1e-4, rtol=1e-4)


def test_a_piece_that_cannot_be_compiled_is_plain_from_then_on_and_says_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> object:
        raise RuntimeError("No C++ compiler found\nin any of …")

    monkeypatch.setattr(torch, "compile", lambda _plain, **_more: fail)
    doubled = Piece(lambda number: 2 * number)
    for _ in range(2):
        assert static_pass(lambda: doubled(torch.tensor(4))) == 8
    assert doubled.problem == "No C++ compiler found"
    assert len(caplog.records) == 1


def test_no_memory_left_is_not_taken_for_a_piece_that_cannot_be_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> object:
        raise torch.OutOfMemoryError("Out of memory.")

    monkeypatch.setattr(torch, "compile", lambda _plain, **_more: fail)
    doubled = Piece(lambda number: 2 * number)
    with pytest.raises(torch.OutOfMemoryError):
        static_pass(lambda: doubled(torch.tensor(4)))
    assert doubled(4) == 8
    assert doubled.problem == ""
