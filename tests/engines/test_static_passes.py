"""The engine as it runs on CUDA, on a CPU: static shapes, measured costs, a stand-in for the captures."""

import copy
import threading
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from refiner.decoding.cuda_graphs import Capture
from refiner.decoding.kv_cache import STATIC_WIDTHS, Pass
from refiner.decoding.pass_costs import PassCosts
from refiner.domain import Form, Message
from refiner.engines.loaded_model import LoadedModel
from refiner.engines.local import LocalEngine
from refiner.engines.protocol import GenerationRequest
from refiner.engines.static_passes import StaticPasses

SOURCE = "Rayleigh scattering is strongest for short waves. It was described in 1871."
PROMPT = (Message("user", f"Why is the sky blue?\n{SOURCE}"),)
DRAFT = (("1", "Air scatters blue light most."), ("2", "At dusk the path is longer, so red is left."))


class Captures:
    """Notes each capture, and replays by running. It fails from the capture of number ``fails_at``."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.made, self.replayed, self._fails_at = 0, 0, fails_at

    def begin(self) -> Capture:
        return self.capture

    def capture(self, forward: Pass) -> Pass:
        if self.made == self._fails_at:
            raise RuntimeError("the stream does not like it")
        self.made += 1

        def replay() -> torch.Tensor:
            self.replayed += 1
            return forward()

        return replay


def as_on_cuda(engine: LocalEngine, captures: Captures) -> LoadedModel:
    """The engine's model with the passes that it has on CUDA; nothing is compiled."""
    loaded = engine.loaded()
    fast = LoadedModel(copy.deepcopy(loaded.model), loaded.tokenizer, "cpu", 1.0)
    fast.static_passes = StaticPasses(fast.model, "cpu", compiled=False, begin_captures=captures.begin)
    fast.costs = PassCosts()
    return fast


def job(form: Form, temperature: float = 0.0) -> GenerationRequest:
    return GenerationRequest(PROMPT, form, ("1", "2"), (), DRAFT, 60, temperature, seed=1)


@pytest.mark.parametrize(
    ("form", "temperature", "fails_at"),
    [
        pytest.param("free", 0.0, None, id="greedy"),
        pytest.param("off", 1.0, None, id="sampled"),
        pytest.param("strict", 0.0, 0, id="never captured"),
        pytest.param("strict", 1.0, 1, id="a capture fails half-way"),
    ],
)
def test_it_writes_the_same_text_in_captured_passes(
    restless: LocalEngine,
    monkeypatch: pytest.MonkeyPatch,
    form: Form,
    temperature: float,
    fails_at: int | None,
) -> None:
    *_, plain = restless.stream(job(form, temperature), threading.Event())
    captures = Captures(fails_at)
    fast = as_on_cuda(restless, captures)
    monkeypatch.setattr(restless, "_loaded", fast)
    monkeypatch.setattr(restless, "_cache", None)
    for again in range(2):
        *_, last = restless.stream(job(form, temperature), threading.Event())
        assert last.text == plain.text
        assert (last.usage.reused_tokens > 0) == bool(again)
    assert fast.costs is not None
    assert fast.costs.measured
    assert captures.made == (len(STATIC_WIDTHS) if fails_at is None else fails_at)
    assert fast.detail.startswith("cpu, float32, loaded in 1.0 s")
    said = "no CUDA graphs (the stream does not like it)" in restless.info.detail
    assert said == (fails_at is not None)


def test_judging_reads_over_the_same_buffers_and_says_the_same(
    scorer: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chances() -> Sequence[object]:
        prompts = [(*PROMPT, Message("user", f"Claim {n}: air scatters.")) for n in range(5)]
        found: dict[int, object] = {}
        for scored in scorer.score_choices(prompts, ["0", "1", "2"]):
            found.update(scored.probabilities)
        return [found[number] for number in range(5)]

    plain = chances()
    captures = Captures()
    monkeypatch.setattr(scorer, "_loaded", as_on_cuda(scorer, captures))
    monkeypatch.setattr(scorer, "_cache", None)
    *_, first = scorer.stream(job("free"), threading.Event())
    made = captures.made
    np.testing.assert_allclose(chances(), plain, atol=1e-4)  # type: ignore[arg-type]  # tuples of numbers
    *_, second = scorer.stream(job("free"), threading.Event())
    assert second.text == first.text
    assert captures.made == made
    scorer.release()
    *_, third = scorer.stream(job("free"), threading.Event())
    assert third.text == first.text
    assert third.usage.reused_tokens == 0
    assert captures.made == made  # the buffers were kept, and with them what was captured


def test_what_is_missing_for_speed_stands_in_the_device_line(
    restless: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("refiner.engines.static_passes.missing_for_compiling", lambda: "Triton is missing")
    loaded = restless.loaded()
    fast = LoadedModel(copy.deepcopy(loaded.model), loaded.tokenizer, "cuda", 1.0)
    assert fast.detail == "cuda, float32, loaded in 1.0 s, not compiled (Triton is missing)"
    assert fast.takes_mask
    forbidden = LoadedModel(copy.deepcopy(loaded.model), loaded.tokenizer, "cuda", 1.0, compiled=False)
    assert forbidden.detail == "cuda, float32, loaded in 1.0 s"


def test_models_and_devices_without_static_passes_stay_as_they_are(restless: LocalEngine) -> None:
    loaded = restless.loaded()
    assert loaded.static_passes is None
    assert loaded.costs is None
    assert loaded.model.config._attn_implementation == "sdpa"
    windowed = copy.deepcopy(loaded.model)
    windowed.config.layer_types = ["sliding_attention", "full_attention"]
    assert LoadedModel(windowed, loaded.tokenizer, "cuda", 1.0).static_passes is None
    assert windowed.config._attn_implementation == "sdpa"
