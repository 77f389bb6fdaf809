"""The decoding loop on a tiny model: what it writes, in how many passes, and how it ends."""

import time
from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from small_vocabulary import WIDTH, small_vocabulary
from transformers import Qwen3Config, Qwen3ForCausalLM

from refiner.decoding.constrained_writer import ConstrainedWriter, UnconstrainedWriter, Writer
from refiner.decoding.grammar import Grammar
from refiner.decoding.kv_cache import PREFILL_CHUNK, KVCache, Pass
from refiner.decoding.loop import decode
from refiner.decoding.proposer import MAX_DRAFT_TOKENS, DraftToken, Proposer
from refiner.decoding.sampler import Sampler
from refiner.domain import GenerationProgress

VOCABULARY = small_vocabulary("<snippet id=", "</snippet>", "</answer>")
PROMPT = list(b"Why is the sky blue?")
QUOTES = ((("1", "One is here."), ("2", "Two is here.")), (("1", "Three is."), ("2", "Four is.")))


@pytest.fixture(scope="module")
def model() -> Qwen3ForCausalLM:
    """A random model whose every word hangs on all words before.

    With this seed it writes a claim in the free form and ends by itself. In the strict form it goes on and on.
    """
    torch.manual_seed(4)
    made = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=WIDTH,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=8,
            max_position_embeddings=8192,
            tie_word_embeddings=False,
        )
    ).eval()
    tiny._unsettle(made)
    return made


class Foreseeing(Proposer):
    """Proposes what the model is known to choose. The ``wrong``-th token of a proposal is another one, and the last."""

    def __init__(self, chosen: Sequence[int], wrong: int = 0) -> None:
        self._chosen, self._wrong = list(chosen), wrong
        self.accepted: list[int] = []
        self.widths: list[int] = []

    def propose(self, writer: Writer, max_tokens: int = MAX_DRAFT_TOKENS) -> list[DraftToken]:
        proposal: list[DraftToken] = []
        ahead = copy(writer)
        for number, right in enumerate(self._chosen[sum(self.accepted) + len(self.accepted) :], 1):
            token = right if number != self._wrong else another(ahead, right)
            tokens = ahead.accept(token)
            max_tokens -= len(tokens)
            if max_tokens < 0:
                break
            proposal.append(DraftToken(tokens, copy(ahead), 0, ()))
            if token != right or ahead.finished:
                break
        self.widths.append(sum(len(draft_token.tokens) for draft_token in proposal))
        return proposal

    def update(self, _: Writer, proposal: Sequence[DraftToken], accepted: int) -> None:
        assert accepted <= len(proposal)
        self.accepted.append(accepted)


def another(writer: Writer, token: int) -> int:
    """Another token that may come; the same one where no other may."""
    allowed = writer.allowed()
    mask = np.ones(256, dtype=np.bool_) if allowed is None else allowed.mask
    tokens = (allowed.tokens if allowed else ()) if mask is None else np.flatnonzero(mask).tolist()
    return next((one for one in tokens if one != token), token)


def writer_of(form: str, budget: int = 80) -> Writer:
    if form == "off":
        return UnconstrainedWriter(VOCABULARY, budget, frozenset({WIDTH - 1}))
    return ConstrainedWriter(Grammar(VOCABULARY, form, ("1", "2"), QUOTES), budget)  # type: ignore[arg-type]  # a form


def read_anew(model: Any, prompt: Sequence[int], writer: Writer) -> tuple[str, list[int]]:
    """The text that the model writes when it reads everything again for each token, and the tokens it chose."""
    sampler, chosen = Sampler(0.0, None), []
    tokens = [*prompt, *writer.start()]
    while not writer.finished:
        with torch.inference_mode():
            logits = model(torch.tensor([tokens]), logits_to_keep=1).logits[0, -1]
        chosen.append(sampler.sample(logits, writer.allowed()))
        tokens += writer.accept(chosen[-1])
    return writer.text, chosen


def run(
    model: Any, prompt: Sequence[int], writer: Writer, proposer: Proposer | None = None, **more: Any
) -> list[GenerationProgress]:
    cache = KVCache(model, 512, full_attention=True, **more)
    return list(decode(cache, prompt, writer, Sampler(0.0, None), lambda: False, proposer=proposer))


FORMS = ["off", "free", "strict", "extractive"]
Known = dict[str, tuple[str, list[int]]]


@pytest.fixture(scope="module")
def known(model: Qwen3ForCausalLM) -> Known:
    """What the model writes and chooses in each form, from reading all of it anew."""
    return {form: read_anew(model, PROMPT, writer_of(form)) for form in FORMS}


@pytest.mark.parametrize("form", FORMS)
def test_the_text_is_what_reading_all_of_it_anew_for_each_token_gives(
    model: Qwen3ForCausalLM, known: Known, form: str
) -> None:
    text, chosen = known[form]
    *passes, last = run(model, PROMPT, writer_of(form))
    assert last.text == text
    assert len(chosen) > 1
    assert last.usage.forward_passes == len(passes) == len(chosen)
    assert [one.usage.forward_passes for one in passes] == list(range(1, len(passes) + 1))
    assert last.usage.guessed_tokens == 0
    assert last.usage.drafting_seconds == 0
    assert last.usage.prompt_tokens == len(PROMPT)


@pytest.mark.parametrize("wrong", [0, 1, 2, 4])
@pytest.mark.parametrize("form", FORMS)
def test_right_proposals_save_passes_and_wrong_ones_change_nothing(
    model: Qwen3ForCausalLM, known: Known, form: str, wrong: int
) -> None:
    text, chosen = known[form]
    proposer = Foreseeing(chosen, wrong)
    last = run(model, PROMPT, writer_of(form), proposer)[-1]
    assert last.text == text
    assert last.usage.guessed_tokens == sum(proposer.accepted)
    passes = last.usage.forward_passes
    assert len(chosen) - sum(proposer.accepted) in {
        passes,
        passes - 1,
    }  # the last of all may be a proposed one
    assert passes <= -(-len(chosen) // (wrong or 10))


def test_a_pass_without_a_fixed_shape_is_as_wide_as_drafts_may_be(
    model: Qwen3ForCausalLM, known: Known
) -> None:
    proposer = Foreseeing(known["off"][1])
    run(model, PROMPT, writer_of("off"), proposer)
    assert proposer.widths[:2] == [MAX_DRAFT_TOKENS - len(PROMPT), MAX_DRAFT_TOKENS - 1]


def test_passes_of_static_shape_hold_what_is_proposed(model: Qwen3ForCausalLM, known: Known) -> None:
    widths = []

    def run_static(shape: tuple[int, int], forward: Pass) -> torch.Tensor:
        widths.append(shape[0])
        return forward()

    text, chosen = known["free"]
    proposer = Foreseeing(chosen)
    last = run(model, PROMPT, writer_of("free"), proposer, run_static=run_static)[-1]
    assert last.text == text
    assert len(widths) == last.usage.forward_passes - 1  # the prompt is read by a pass of its own
    assert all(width > proposed for width, proposed in zip(widths, proposer.widths[1:], strict=True))


@pytest.mark.parametrize(
    ("size", "passes"),
    [
        pytest.param(PREFILL_CHUNK, 1, id="one chunk"),
        pytest.param(PREFILL_CHUNK + 1, 2, id="one token more"),
        pytest.param(2 * PREFILL_CHUNK + 1, 3, id="two chunks and a token"),
    ],
)
def test_a_long_prompt_is_read_in_chunks(model: Qwen3ForCausalLM, size: int, passes: int) -> None:
    prompt = (PROMPT * 200)[:size]
    text, chosen = read_anew(model, prompt, writer_of("off", 4))
    progress = run(model, prompt, writer_of("off", 4))
    assert progress[-1].text == text
    assert progress[-1].usage.forward_passes == passes + len(chosen) - 1
    assert progress[0].usage.forward_passes == passes


def test_reading_a_long_prompt_can_be_stopped(model: Qwen3ForCausalLM) -> None:
    asked = iter([False, False, True])
    cache = KVCache(model, 512, full_attention=True)
    (last,) = decode(cache, PROMPT * 200, writer_of("free"), Sampler(0.0, None), lambda: next(asked))
    assert (last.usage.ended, last.text) == ("stopped", "<answer></answer>")
    assert len(cache.tokens) == 2 * PREFILL_CHUNK


def test_what_the_cache_holds_of_the_prompt_is_not_read_again(model: Qwen3ForCausalLM) -> None:
    cache = KVCache(model, 512, full_attention=True)
    texts = []
    for reused in (0, len(PROMPT) - 1):
        *_, last = decode(cache, PROMPT, writer_of("free"), Sampler(0.0, None), lambda: False)
        assert last.usage.reused_tokens == reused
        texts.append(last.text)
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("form", "budget", "stop_after", "ended"),
    [
        pytest.param("extractive", 120, 400, "end", id="the answer's own end"),
        pytest.param("off", 4, 400, "budget", id="the budget"),
        pytest.param("strict", 60, 400, "budget", id="the budget of an answer"),
        pytest.param("strict", 60, 12, "stopped", id="stopped"),
        pytest.param("strict", 60, 0, "stopped", id="stopped before the first pass"),
    ],
)
def test_the_last_progress_says_how_it_ended(
    model: Qwen3ForCausalLM, form: str, budget: int, stop_after: int, ended: str
) -> None:
    calls = 0

    def stopped() -> bool:
        nonlocal calls
        calls += 1
        return calls > stop_after

    cache = KVCache(model, 512, full_attention=True)
    *before, last = decode(cache, PROMPT, writer_of(form, budget), Sampler(0.0, None), stopped)
    assert last.usage.ended == ended
    assert [one.usage.ended for one in before] == [""] * len(before)
    if ended == "stopped":
        assert len(before) == stop_after
        assert last.usage.completion_tokens > 0
        assert last.text.startswith(before[-1].text if before else "<answer>")
        assert last.text.endswith("</answer>")


def test_the_times_are_parts_of_the_whole(model: Qwen3ForCausalLM, known: Known) -> None:
    began = time.perf_counter()
    usage = run(model, PROMPT, writer_of("free"), Foreseeing(known["free"][1], wrong=3))[-1].usage
    took = time.perf_counter() - began
    assert 0 < usage.prefill_seconds <= usage.seconds <= took
    assert usage.grammar_seconds > 0
    assert usage.drafting_seconds > 0
    assert usage.grammar_seconds + usage.drafting_seconds < usage.seconds
