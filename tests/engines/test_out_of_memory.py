"""No memory left: all is freed, the request is tried once more with less, then the error says what to do."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch

from refiner.decoding.kv_cache import KVCache
from refiner.domain import Message
from refiner.engines import local
from refiner.engines.local import LocalEngine
from refiner.engines.protocol import GenerationRequest
from refiner.errors import EngineError

PROMPT = (Message("user", " ".join(f"Fact {n} is that it is so." for n in range(60))),)
JOB = GenerationRequest(PROMPT, "off", (), max_new_tokens=24)
CHATS = [(*PROMPT, Message("user", f"Claim {number}?")) for number in range(4)]


class Memory:
    """Runs out at the passes whose numbers are ``full``, and notes the sizes of all passes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, full: Sequence[int]) -> None:
        self.sizes: list[int] = []
        self.caches: list[KVCache] = []
        read = KVCache.forward

        def forward(cache: KVCache, tokens: list[int], rows: list[int], **inputs: Any) -> torch.Tensor:
            self.sizes.append(len(tokens))
            self.caches.append(cache)
            if len(self.sizes) - 1 in full:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nSee …")
            return read(cache, tokens, rows, **inputs)

        monkeypatch.setattr(KVCache, "forward", forward)


@pytest.fixture
def engine(qwen: LocalEngine) -> Iterator[LocalEngine]:
    qwen.release()
    yield qwen
    qwen.release()


@pytest.mark.parametrize("at", [0, 2], ids=["while the prompt is read", "after some text"])
def test_a_request_that_finds_no_memory_is_written_from_its_beginning_with_less(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    *_, plain = engine.stream(JOB, threading.Event())
    engine.release()
    memory = Memory(monkeypatch, [at])
    progress = list(engine.stream(JOB, threading.Event()))
    assert progress[-1].text == plain.text
    assert progress[-1].usage.ended == plain.usage.ended
    counts = [one.usage.completion_tokens for one in progress]
    again = counts[at:]
    assert again == sorted(again)
    assert again[0] <= 1
    assert max(memory.sizes[at + 1 :]) <= local._LEAN_CHUNK < memory.sizes[0]
    assert memory.caches[at + 1] is not memory.caches[at]


def test_a_request_that_finds_no_memory_twice_says_what_it_takes_and_what_to_lower(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        memory = Memory(patch, range(1000))
        with pytest.raises(EngineError) as raised:
            list(engine.stream(JOB, threading.Event()))
    tokens = engine.count_prompt(PROMPT) + JOB.max_new_tokens
    said = str(raised.value)
    assert "failed while writing: CUDA out of memory. Tried to allocate 2 GiB. " in said
    assert f"Keys and values of {tokens:,} tokens take 0.00 GB, beside 0.01 GB of weights." in said
    assert "Ask for fewer new tokens" in said
    assert "shorten the draft or the sources" in said
    assert len(memory.sizes) == 2
    assert engine._cache is None
    *_, last = engine.stream(JOB, threading.Event())  # the engine is free, and has its memory
    assert last.usage.ended == "budget"


def test_any_other_failure_of_torch_is_not_tried_again(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = []

    def fail(_: KVCache, tokens: list[int], *__: Any, **___: Any) -> torch.Tensor:
        passes.append(len(tokens))
        raise RuntimeError("The device is gone.")

    monkeypatch.setattr(KVCache, "forward", fail)
    with pytest.raises(EngineError, match=r"failed while writing: The device is gone\.$"):
        list(engine.stream(JOB, threading.Event()))
    assert len(passes) == 1


def test_judging_that_finds_no_memory_goes_on_with_what_is_unscored(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected: dict[int, Any] = {}
    for scored in engine.score_choices(CHATS, ["0", "1"]):
        expected.update(scored.probabilities)
    memory = Memory(monkeypatch, [0])
    found: dict[int, Any] = {}
    for scored in engine.score_choices(CHATS, ["0", "1"]):
        assert found.keys().isdisjoint(scored.probabilities)
        found.update(scored.probabilities)
    assert found.keys() == expected.keys()
    for number, probabilities in expected.items():
        assert found[number] == pytest.approx(probabilities, abs=1e-5)
    assert max(memory.sizes[1:]) <= local._LEAN_CHUNK < memory.sizes[0]
