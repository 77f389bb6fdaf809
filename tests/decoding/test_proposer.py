"""Guessing what comes next: from the draft, through the answer's tags; and what is written stays what it was."""

import random
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cache
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from paths import SAMPLE_CASES
from timing import growth, relative_cost

from refiner import batch, pipeline
from refiner.decoding import proposer as proposer_module
from refiner.decoding.constrained_writer import ConstrainedWriter, UnconstrainedWriter, Writer
from refiner.decoding.grammar import Grammar
from refiner.decoding.kv_cache import KVCache, Pass
from refiner.decoding.lookup_text import LookupText
from refiner.decoding.loop import decode
from refiner.decoding.proposer import MAX_DRAFT_TOKENS, DraftToken, Proposer
from refiner.decoding.sampler import Sampler
from refiner.decoding.vocabulary import Vocabulary
from refiner.domain import Form, GenerationProgress, Message, Options
from refiner.engines.local import LocalEngine
from refiner.engines.protocol import GenerationRequest
from refiner.prompts.prompt_file import PromptTemplate

DRAFT = (
    ("1", "Air scatters blue light most."),
    ("", " "),
    ("2", "At dusk the path is longer, so red is left. That is why sunsets are red."),
    ("", " This was first explained by Rayleigh."),
)
SOURCE = "Rayleigh scattering is strongest for short waves. It was described in 1871."
ASKED = (Message("user", f"Why is the sky blue?\n{SOURCE}"),)


def run_as_it_comes(_: tuple[int, int], forward: Pass) -> torch.Tensor:
    """A pass of static shape, captured nowhere."""
    return forward()


def drafter(vocabulary: Vocabulary) -> Proposer:
    return Proposer(LookupText(DRAFT, [SOURCE]), ("1", "2", "3"), vocabulary, min_probability=0.02)


def held(vocabulary: Vocabulary, form: Form = "free", budget: int = 400) -> ConstrainedWriter:
    return ConstrainedWriter(Grammar(vocabulary, form, ("1", "2", "3")), budget)


def written(vocabulary: Vocabulary, writer: Writer, text: str) -> Writer:
    """The writer after the model has said ``text``."""
    while not writer.finished and len(writer.written) < len(text.encode()):
        writer.accept(vocabulary.encode(text.encode()[len(writer.written) :])[0])
    assert writer.text == text
    return writer


def follow(vocabulary: Vocabulary, writer: Writer, text: str) -> tuple[int, int]:
    """Passes and tokens of a model that says ``text``, guesses checked as the loop does."""
    guesses, passes, tokens = drafter(vocabulary), 0, len(writer.start())
    while not writer.finished:
        steps, right = guesses.propose(writer), 0
        passes += 1
        said = vocabulary.encode(text.encode()[len(writer.written) :])[0]
        while right < len(steps) and said == steps[right].tokens[0]:
            writer = steps[right].writer
            tokens += len(steps[right].tokens)
            right += 1
            if writer.finished:
                break
            said = vocabulary.encode(text.encode()[len(writer.written) :])[0]
        guesses.update(writer, steps, right)
        tokens += 0 if writer.finished else len(writer.accept(said))
    assert writer.text == text
    return passes, tokens


@pytest.mark.parametrize(
    ("text", "most"),
    [
        pytest.param(
            "<answer><snippet id=1>Air scatters blue light most.</snippet> <snippet id=2>At dusk the path is "
            "longer, so red is left. That is why sunsets are red.</snippet></answer>",
            6,
            id="the draft as it is",
        ),
        pytest.param(
            "<answer><snippet id=2>At dusk the path is longer, so red is left.</snippet> <snippet id=1>Air "
            "scatters blue light most.</snippet></answer>",
            8,
            id="in another order, cut",
        ),
        pytest.param(
            "<answer><snippet id=1>Air scatters short waves most.</snippet> <snippet id=2>At dusk the light's path "
            "is longer, so red is left.</snippet></answer>",
            11,
            id="words changed",
        ),
        pytest.param(
            "<answer><snippet id=1>Air scatters blue light most.</snippet> <snippet id=3>Rayleigh scattering is "
            "strongest for short waves.</snippet></answer>",
            7,
            id="a source quoted",
        ),
    ],
)
def test_an_answer_like_the_draft_takes_few_passes(qwen_vocabulary: Vocabulary, text: str, most: int) -> None:
    passes, tokens = follow(qwen_vocabulary, held(qwen_vocabulary), text)
    assert passes <= most
    assert tokens >= 20


def test_the_modules_own_example_is_true(qwen_vocabulary: Vocabulary) -> None:
    draft = (("1", "Air scatters blue light most."), ("", " "), ("2", "At dusk the path is longer."))
    proposer = Proposer(LookupText(draft, []), ("1", "2"), qwen_vocabulary, min_probability=0.02)
    writer = written(qwen_vocabulary, held(qwen_vocabulary), "<answer><snippet id=1>Air scatters")
    pieces = [qwen_vocabulary.decode(one.tokens).decode() for one in proposer.propose(writer)]
    shown = re.search(r"is then\n``(.*?)``", proposer_module.__doc__ or "", re.DOTALL)
    assert shown is not None
    assert "|".join(pieces).startswith(shown[1])


def test_a_text_that_repeats_itself_is_guessed_to_go_on(qwen_vocabulary: Vocabulary) -> None:
    writer = UnconstrainedWriter(qwen_vocabulary, 300, frozenset())
    said = written(qwen_vocabulary, writer, "The answer is: The answer is: The answer is:")
    guess = b"".join(qwen_vocabulary.decode(step.tokens) for step in drafter(qwen_vocabulary).propose(said))
    assert guess.startswith(b" The answer is: The answer is: The answer is:")


def test_where_nothing_is_known_nothing_is_guessed(qwen_vocabulary: Vocabulary) -> None:
    writer = UnconstrainedWriter(qwen_vocabulary, 300, frozenset())
    assert drafter(qwen_vocabulary).propose(written(qwen_vocabulary, writer, "Quark")) == []


def test_a_guess_stays_within_the_pass_and_the_budget(qwen_vocabulary: Vocabulary) -> None:
    writer = held(qwen_vocabulary)
    written(qwen_vocabulary, writer, "<answer><snippet id=1>Air scatters")
    assert sum(len(step.tokens) for step in drafter(qwen_vocabulary).propose(writer)) > 5
    for most in (0, 1, 9, MAX_DRAFT_TOKENS):
        steps = drafter(qwen_vocabulary).propose(writer, max_tokens=most)
        assert sum(len(step.tokens) for step in steps) <= most
    short = held(qwen_vocabulary, budget=32)
    written(qwen_vocabulary, short, "<answer><snippet id=1>Air scatters")
    steps = drafter(qwen_vocabulary).propose(short)
    assert steps[-1].writer.token_count <= 32


@settings(max_examples=60)
@given(
    draft=st.lists(st.tuples(st.sampled_from(["", "1", "1,2"]), st.text()), max_size=4),
    source=st.text(),
    begun=st.sampled_from(["<answer>", "<answer><snippet id=1>Air", "<answer><snippet id=1>Air.</snippet>"]),
    form=st.sampled_from(["free", "strict"]),
)
def test_whatever_is_known_every_guess_is_allowed_and_touches_nothing(
    qwen_vocabulary: Vocabulary, draft: list[tuple[str, str]], source: str, begun: str, form: Form
) -> None:
    writer = held(qwen_vocabulary, form)
    writer.start()
    if begun.startswith(writer.text):
        written(qwen_vocabulary, writer, begun)
    guesses = Proposer(LookupText(draft, [source]), ("1", "2"), qwen_vocabulary, min_probability=0.001)
    before, spent = writer.text, writer.token_count
    steps = guesses.propose(writer)
    assert (writer.text, writer.token_count) == (before, spent)
    for step in steps:
        assert writer.accept(step.tokens[0]) == step.tokens  # raises on a token that is forbidden
    guesses.update(writer, steps, len(steps))
    guesses.update(writer, steps, 0)


def test_the_work_of_a_guess_grows_with_the_draft_no_more_than_in_proportion(
    qwen_vocabulary: Vocabulary,
) -> None:
    """Each step reads the known texts a few times at the speed of a search; 16 times the draft, 16 times at most."""

    @cache
    def begun(words: int) -> tuple[Proposer, Writer]:
        text = " ".join(f"word{n % 97} of {n}." for n in range(words // 3))
        guesses = Proposer(LookupText([("1", text)], [text]), ("1",), qwen_vocabulary, min_probability=0.02)
        plain = UnconstrainedWriter(qwen_vocabulary, 900, frozenset())
        return guesses, written(qwen_vocabulary, plain, text[:400])

    def propose(words: int) -> None:
        guesses, writer = begun(words)
        for _ in range(20):
            guesses.propose(writer)

    propose(200)
    propose(3200)  # both are begun before one is measured
    assert growth(propose, 3200, times=16, limit=16) < 16
    assert relative_cost(lambda: propose(3200), 8) < 8


# --- with a model ---------------------------------------------------------------------------------------


def last(engine: LocalEngine, job: GenerationRequest) -> GenerationProgress:
    *_, end = engine.stream(job, threading.Event())
    return end


def plainly(
    engine: LocalEngine, job: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> GenerationProgress:
    with monkeypatch.context() as patch:
        patch.setattr(type(engine.loaded()), "proposer", lambda *_: None)
        return last(engine, job)


class Told:
    """Knows what the model will say, but for one word in eight: guesses that are right, and wrong, everywhere."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - repeatable, no secret
        self._said: dict[tuple[int, bytes], int] = {}
        self._patch = monkeypatch

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear what is said meanwhile."""
        with self._patch.context() as patch:
            for kind in (UnconstrainedWriter, ConstrainedWriter):
                patch.setattr(kind, "accept", self._heard(kind.accept))
            yield

    def _heard(self, take: Callable[..., list[int]]) -> Callable[..., list[int]]:
        def heard(writer: Writer, token: int) -> list[int]:
            self._said[writer.token_count, writer.written] = token
            return take(writer, token)

        return heard

    def propose(self, writer: Writer, max_tokens: int = MAX_DRAFT_TOKENS) -> list[DraftToken]:
        ghost, steps = copy(writer), list[DraftToken]()
        for _ in range(self._dice.randrange(24)):
            token = self._said.get((ghost.token_count, ghost.written), 0)
            token = token if self._dice.random() < 7 / 8 else self._dice.randrange(1000)
            try:
                tokens = ghost.accept(token)
            except ValueError:
                break
            max_tokens -= len(tokens)
            if max_tokens < 0 or ghost.finished:
                break
            steps.append(DraftToken(tokens, copy(ghost), 0, ()))
        return steps

    def update(self, writer: Writer, steps: Sequence[DraftToken], right: int) -> None:
        """Nothing to learn."""


@pytest.mark.parametrize("form", ["off", "free", "strict"])
@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("static", [False, True], ids=["growing", "of static shape"])
def test_guessing_changes_no_token_greedy_or_sampled(
    restless: LocalEngine, monkeypatch: pytest.MonkeyPatch, form: Form, temperature: float, *, static: bool
) -> None:
    """Sampled: the same draws from the same chances, so the distribution is the model's own."""
    loaded = restless.loaded()
    memory = KVCache(loaded.model, 400, full_attention=True, run_static=run_as_it_comes if static else None)
    guessed = 0
    for seed in range(3):
        told = Told(monkeypatch, seed)
        job = GenerationRequest(
            ASKED, form, ("1", "2", "30"), (), DRAFT, (16, 33, 90)[seed], temperature, seed
        )
        with told.listening():
            plain = plainly(restless, job, monkeypatch)
        *_, fast = decode(
            memory,
            loaded.prompt_tokens(ASKED),
            loaded.writer(job),
            Sampler(temperature, seed),
            lambda: False,
            proposer=told,  # type: ignore[arg-type]  # in its place
        )
        assert fast.text == plain.text
        assert fast.usage.completion_tokens == plain.usage.completion_tokens
        assert fast.usage.ended == plain.usage.ended
        guessed += fast.usage.guessed_tokens
    assert guessed > 15


@pytest.mark.parametrize("form", ["off", "free", "strict"])
@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_our_own_guesses_change_no_token(
    restless: LocalEngine, monkeypatch: pytest.MonkeyPatch, form: Form, temperature: float
) -> None:
    job = GenerationRequest(ASKED, form, ("1", "2", "3"), (), DRAFT, 90, temperature, 1)
    plain, fast = plainly(restless, job, monkeypatch), last(restless, job)
    assert fast.text == plain.text


@pytest.mark.real_model
def test_what_the_tokenizer_cannot_spell_costs_the_guess_and_not_the_run(embedded: LocalEngine) -> None:
    draft = (("1", "Air scatters blue \x13 light and \x04 red."), ("2", "\x13\x14"))
    job = GenerationRequest(ASKED, "strict", ("1", "2"), (), draft, 40)
    assert last(embedded, job).usage.ended


@pytest.mark.parametrize("ids", [("Ä1", "Ö1"), ("源", "溝"), ("a=1", "a=2")])
def test_ids_that_begin_alike_in_bytes_are_guessed_whole(
    restless: LocalEngine, monkeypatch: pytest.MonkeyPatch, ids: tuple[str, str]
) -> None:
    job = GenerationRequest(ASKED, "strict", ids, (), ((ids[1], "Air scatters light."),), 60)
    assert last(restless, job).text == plainly(restless, job, monkeypatch).text


def test_letting_go_does_not_reach_into_anothers_run(
    restless: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = GenerationRequest(ASKED, "off", (), (), DRAFT, 60)
    alone = plainly(restless, job, monkeypatch)
    loaded = restless.loaded()
    cache = KVCache(loaded.model, 400, full_attention=True, run_static=run_as_it_comes)
    monkeypatch.setattr(loaded, "cache", lambda *_, **__: cache)
    running = restless.stream(job, threading.Event())
    next(running)
    restless.release()  # the run before ends here
    *_, end = running
    assert end.text == alone.text
    restless.release()
    assert restless._cache is not None
    assert restless._cache.tokens == []


@pytest.mark.real_model
@pytest.mark.parametrize("form", ["free", "strict", "off"])
def test_the_embedded_model_writes_the_same_in_fewer_passes(
    embedded: LocalEngine, monkeypatch: pytest.MonkeyPatch, form: Form
) -> None:
    case = next(batch.read_cases(SAMPLE_CASES))
    draft, prompt = pipeline.read_and_prompt(batch.request_of(case), embedded, PromptTemplate.from_file())
    job = pipeline.generation_request(prompt, draft, embedded, Options(100, form))
    plain, fast = plainly(embedded, job, monkeypatch), last(embedded, job)
    assert fast.text == plain.text
    assert fast.usage.forward_passes * 1.5 < plain.usage.forward_passes
    assert fast.usage.guessed_tokens > 3


def test_text_still_arrives_as_it_is_written(qwen: LocalEngine) -> None:
    job = GenerationRequest(ASKED, "off", (), (), DRAFT, 60)
    texts = [writing.text for writing in qwen.stream(job, threading.Event())]
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
