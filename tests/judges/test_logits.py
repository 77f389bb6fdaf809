"""The logits judge: one reading gives what a reading for each check gives, and no model is trusted blindly."""

import json
import math
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from paths import SAMPLE_CASES
from transformers import AutoModelForCausalLM
from verdicts import verdicts_of

from refiner.decoding.kv_cache import KVCache
from refiner.decoding.prefix_packing import pack, score_choices
from refiner.domain import (
    Check,
    ChoiceProbabilities,
    Criterion,
    GenerationProgress,
    Message,
    ModelInfo,
    Request,
    Source,
)
from refiner.engines.loaded_model import LoadedModel
from refiner.engines.local import LocalEngine
from refiner.engines.protocol import GenerationRequest
from refiner.formats import answer
from refiner.judges.ask import STOPPED, ask
from refiner.judges.logits import SCORES, LogitsJudge, expected_score, prompts
from refiner.prompts.prompt_file import PromptTemplate
from refiner.scoring import citations, rewards

CASE = json.loads(SAMPLE_CASES.read_text(encoding="utf-8").splitlines()[0])
SOURCES = tuple(Source(one["id"], one["text"], one["title"]) for one in CASE["sources"])
CRITERIA = tuple(Criterion(str(n), f"Point {n}", f"It says {n} things that matter.") for n in range(5))
REQUEST = Request(CASE["question"], CASE["draft"], SOURCES, CRITERIA)
DRAFT = answer.parse(CASE["draft"], [one.id for one in SOURCES], expect_block=False)
REFINED = answer.parse(f"<answer><snippet id={SOURCES[0].id}>{SOURCES[0].text[:300]}</snippet></answer>")
CHECKS = tuple(dict.fromkeys((*rewards.plan(REQUEST, DRAFT).checks, *rewards.plan(REQUEST, REFINED).checks)))


@dataclass
class Reading:
    """What prompts were found to say next, and what reading them took."""

    probabilities: list[tuple[float, ...] | None]
    tokens: int
    forward_passes: int


def reading(engine: LocalEngine, chats: Sequence[Sequence[Message]]) -> Reading:
    passes = list(engine.score_choices(chats, SCORES))
    found = {place: one for odds in passes for place, one in odds.probabilities.items()}
    tokens = [odds.tokens_read for odds in passes]
    return Reading([found[place] for place in range(len(chats))], sum(tokens), len(passes))


def one_by_one(engine: LocalEngine, chats: Sequence[Sequence[Message]]) -> list[tuple[float, ...]]:
    """The plain way, through the model's own forward: one prompt, one pass, no cache, no mask."""
    loaded = engine.loaded()
    found = []
    for chat in chats:
        with torch.inference_mode():
            logits = loaded.model(torch.tensor([loaded.prompt_tokens(chat)])).logits[0, -1]
        probabilities = torch.softmax(logits.float(), dim=-1)
        found.append(tuple(float(probabilities[list(loaded.choice_tokens(score))].sum()) for score in SCORES))
    return found


def test_reading_all_checks_together_gives_what_one_prompt_for_each_gives(scorer: LocalEngine) -> None:
    chats = prompts(CHECKS)
    together = reading(scorer, chats)
    assert len(CHECKS) > 20
    assert (
        np.ptp([expected_score(one) for one in together.probabilities if one]) > 0.1
    )  # they differ, so order is tested
    np.testing.assert_allclose(together.probabilities, one_by_one(scorer, chats), atol=1e-4)


@pytest.mark.real_model
def test_the_same_with_a_real_model(embedded: LocalEngine) -> None:
    chats = prompts(CHECKS)[::4]
    together = reading(embedded, chats)
    alone = one_by_one(embedded, chats)
    np.testing.assert_allclose(together.probabilities, alone, atol=1e-4)
    values = [expected_score(one) for one in together.probabilities if one]
    np.testing.assert_allclose(values, list(map(expected_score, alone)), atol=1e-4)


def test_what_checks_share_is_read_once(scorer: LocalEngine) -> None:
    loaded = scorer.loaded()
    chats = prompts(CHECKS)
    tokens = [tuple(loaded.prompt_tokens(chat)) for chat in chats]
    distinct = {one[:n] for one in tokens for n in range(1, len(one) + 1)}
    took = reading(scorer, chats)
    assert took.tokens <= 1.05 * len(distinct)
    assert took.forward_passes <= 4
    assert took.tokens < sum(map(len, tokens)) / 5


def test_a_model_that_sees_a_window_only_is_read_prompt_by_prompt(
    scorer: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    chats = prompts(CHECKS[:3])
    together = reading(scorer, chats)
    monkeypatch.setattr(scorer.loaded(), "takes_mask", False)
    monkeypatch.setattr(scorer.loaded(), "full_attention", False)
    alone = reading(scorer, chats)
    assert alone.forward_passes == 3
    assert alone.tokens > together.tokens
    np.testing.assert_allclose(together.probabilities, alone.probabilities, atol=1e-4)


@given(
    st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=12),
    st.integers(8, 40),
    st.integers(0, 4),
)
def test_however_prompts_are_packed_each_is_whole_behind_what_it_shares(
    given_prompts: list[list[int]], most: int, worth: int
) -> None:
    whole: dict[int, list[int]] = {}
    for stretches in pack(given_prompts, most, worth):
        tokens = [token for stretch in stretches for token in stretch.tokens]
        assert len(tokens) <= most
        for stretch in stretches:
            assert all(place < stretch.start for place in stretch.ancestors)
            whole[stretch.prompt] = [*(tokens[place] for place in stretch.ancestors), *stretch.tokens]
    assert [whole[number] for number in range(len(given_prompts))] == given_prompts


def test_a_check_is_shown_the_most_sources_that_hold_its_own() -> None:
    first, second = SOURCES[:2]
    alone = Check("support", "Why?", "", "It is so.", (first,))
    other = Check("support", "How?", "", "It is so.", (first,))
    every = Check("criterion", "Why?", "It is.", evidence=(first, second), criterion=CRITERIA[0])
    shown = [
        "<source" in chat[1].content and second.text in chat[1].content
        for chat in prompts([alone, other, every])
    ]
    assert shown == [True, False, True]


class Saying:
    """A model whose odds are given."""

    info = ModelInfo("a model", is_refiner=False)

    def __init__(self, *probabilities: tuple[float, ...] | None) -> None:
        self._chances = probabilities

    def score_choices(
        self, prompts: Sequence[Sequence[Message]], choices: Sequence[str], stop: object = None
    ) -> Generator[ChoiceProbabilities]:
        del stop
        assert list(choices) == ["0", "1", "2"]
        yield ChoiceProbabilities(dict(enumerate(self._chances[: len(prompts)])))


@pytest.mark.parametrize(
    ("probabilities", "value"),
    [
        pytest.param((0.0, 0.0, 0.9), 1.0, id="all on 2"),
        pytest.param((0.2, 0.2, 0.2), 0.5, id="spread, and enough of it"),
        pytest.param((0.8, 0.1, 0.1), 0.15, id="the expected score, halved"),
        pytest.param((0.0, 0.0, 1.0001), 1.0, id="a little more than all, as rounding leaves it"),
        pytest.param((0.1, 0.1, 0.2), None, id="less than half on the scores"),
        pytest.param((math.nan, math.nan, math.nan), None, id="not a number"),
        pytest.param(None, None, id="too long to read"),
    ],
)
def test_the_value_is_the_expected_score_if_the_model_answers_in_the_form_asked(
    probabilities: tuple[float, ...] | None, value: float | None
) -> None:
    (verdict,) = verdicts_of(LogitsJudge(Saying(probabilities)), CHECKS[:1])
    assert verdict.value == (None if value is None else pytest.approx(value))
    assert verdict.basis == "judged"
    assert verdict.reason
    answered = probabilities is not None and not math.isnan(sum(probabilities))
    assert verdict.confidence == (pytest.approx(min(sum(probabilities or ()), 1.0)) if answered else None)


def test_eager_attention_takes_no_such_mask_and_is_read_prompt_by_prompt(
    scorer: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eager attention would add the mask's true and false as 1 and 0, and be wrong without a word."""
    model = AutoModelForCausalLM.from_pretrained(str(scorer._model), attn_implementation="eager")
    eager = LoadedModel(model.eval(), scorer.loaded().tokenizer, "cpu", 0.0)
    chats = prompts(CHECKS[::6])
    together = reading(scorer, chats)
    monkeypatch.setattr(scorer, "_loaded", eager)
    alone = reading(scorer, chats)
    assert not eager.takes_mask
    assert alone.forward_passes == len(chats)
    assert alone.tokens <= together.tokens + len(chats)  # what they share is read once all the same
    np.testing.assert_allclose(together.probabilities, alone.probabilities, atol=1e-4)


def test_judging_starts_from_what_was_read_for_writing_and_says_the_same(scorer: LocalEngine) -> None:
    chats, ids = prompts(CHECKS), tuple(source.id for source in SOURCES)
    scorer.release()
    before = reading(scorer, chats)
    job = GenerationRequest(
        PromptTemplate.from_file().messages(REQUEST.question, DRAFT, SOURCES), "free", ids, max_new_tokens=24
    )
    end = last_of(scorer, job)
    after = reading(scorer, chats)
    shared = before.tokens - after.tokens
    assert shared > 0.5 * end.usage.prompt_tokens
    np.testing.assert_allclose(before.probabilities, after.probabilities, atol=1e-4)
    again = last_of(scorer, job)  # as for a group of samples
    assert again.usage.reused_tokens >= shared
    assert again.text == end.text
    scorer.release()
    assert last_of(scorer, job).usage.reused_tokens == 0
    scorer.release()
    assert reading(scorer, chats).tokens == before.tokens


def last_of(engine: LocalEngine, job: GenerationRequest) -> GenerationProgress:
    *_, end = engine.stream(job, threading.Event())
    return end


def test_a_stop_ends_the_reading_and_leaves_every_check_unscored(scorer: LocalEngine) -> None:
    verdicts = verdicts_of(LogitsJudge(scorer), CHECKS, lambda: True)
    assert {(verdict.value, verdict.reason) for verdict in verdicts} == {(None, STOPPED)}
    assert verdicts_of(LogitsJudge(scorer), CHECKS[:1])[0].value is not None  # the model is free again


def test_each_pass_tells_of_the_checks_that_it_answered(scorer: LocalEngine) -> None:
    took = reading(scorer, prompts(CHECKS))
    counts = [len(so_far) for so_far in ask(LogitsJudge(scorer), CHECKS)]
    assert len(counts) == 1 + took.forward_passes > 2
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, len(CHECKS))


def test_a_stop_half_way_keeps_what_was_judged(scorer: LocalEngine) -> None:
    stop = threading.Event()
    seen = []
    for so_far in ask(LogitsJudge(scorer), CHECKS, stop.is_set):
        seen.append(so_far)
        if so_far:
            stop.set()
    _, partial, every = seen
    assert 0 < len(partial) < len(every) == len(CHECKS)
    assert every.items() >= partial.items()
    assert None not in {verdict.value for verdict in partial.values()}
    assert {every[check].reason for check in every.keys() - partial.keys()} == {STOPPED}


def test_no_memory_left_half_way_keeps_what_was_judged(
    scorer: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_, left = KVCache.forward, iter([True])

    def read_once(self: KVCache, *positional: Any, **more: Any) -> torch.Tensor:
        if not next(left, False):
            raise torch.OutOfMemoryError("Out of memory.")
        return pass_(self, *positional, **more)

    monkeypatch.setattr(KVCache, "forward", read_once)
    _, partial, every = ask(LogitsJudge(scorer), CHECKS)
    assert 0 < len(partial) < len(every) == len(CHECKS)
    (reason,) = {every[check].reason for check in every.keys() - partial.keys()}
    assert "failed while judging: Out of memory. Keys and values of " in reason
    assert "Shorten the sources, or choose a judge" in reason
    assert not scorer._busy.locked()


def test_who_leaves_half_way_frees_the_model(scorer: LocalEngine) -> None:
    asked = ask(LogitsJudge(scorer), CHECKS)
    assert [len(next(asked)) > 0 for _ in range(2)] == [False, True]
    assert scorer._busy.locked()
    asked.close()
    assert not scorer._busy.locked()


def test_after_a_stop_nothing_is_taken_for_read_that_is_no_text(scorer: LocalEngine) -> None:
    loaded = scorer.loaded()
    tokens = [loaded.prompt_tokens(chat) for chat in prompts(CHECKS)]
    memory = loaded.cache(0)
    passes = score_choices(memory, tokens, [[1]])
    assert [next(passes).tokens_read for _ in range(2)]
    passes.close()
    first = pack(tokens)[0][0]
    assert memory.tokens == list(first.tokens)[: len(memory.tokens)]


def test_a_stop_is_heard_while_another_request_has_the_model(scorer: LocalEngine) -> None:
    with scorer._busy:
        assert list(scorer.score_choices(prompts(CHECKS[:1]), SCORES, lambda: True)) == []


@pytest.mark.real_model
def test_the_embedded_model_is_no_judge_and_that_is_said(embedded: LocalEngine) -> None:
    verdicts = verdicts_of(LogitsJudge(embedded), CHECKS[:6])
    assert {verdict.value for verdict in verdicts} == {None}
    assert "did not answer in the form asked" in verdicts[0].reason


def test_a_prompt_longer_than_the_model_reads_fails_alone(
    scorer: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorer.loaded(), "context", 400)
    short = Check("needs_citation", "Why?", "", "Air scatters blue light most.")
    long = Check("needs_citation", "How?", "", "Air scatters light. " * 100)
    first, second = verdicts_of(LogitsJudge(scorer), [short, long])
    assert first.value is not None
    assert second.value is None
    assert "longer than the judge can read" in second.reason


def test_its_verdicts_make_a_whole_reward(scorer: LocalEngine) -> None:
    *_, verdicts = ask(LogitsJudge(scorer), CHECKS)
    reward = rewards.plan(REQUEST, REFINED).reward(verdicts)
    assert reward.basis == "judged"
    assert reward.total.value is not None
    assert 0 <= reward.total.value <= 1
    assert reward.total.coverage == pytest.approx(1.0)
    assert citations.plan(REQUEST.question, REFINED, SOURCES).reward(verdicts).basis == "judged"
