"""Whatever logits say, what is written under the grammar is a valid answer within its budget."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from timing import relative_cost

from refiner.decoding.constrained_writer import ConstrainedWriter
from refiner.decoding.grammar import Grammar, Quotes
from refiner.decoding.states import InText
from refiner.decoding.vocabulary import AllowedTokens, Vocabulary
from refiner.domain import Answer, Claim, Form
from refiner.formats.answer import defang, invented_ids, parse

Seen = dict[tuple[Form, InText, bool], AllowedTokens]
IDS = st.lists(
    st.text("abcS_-.:/0129äß测", min_size=1, max_size=24).filter(lambda one: not one.endswith("/")),
    min_size=1,
    max_size=12,
    unique=True,
).map(tuple)
SENTENCE = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Zs")) | st.just(" "), max_size=80
).map(lambda text: " ".join(defang(text).split()))
BUDGETS = st.integers(16, 120)


class Chance:
    """Random logits. ``bias`` lifts the tokens that are not plain, which chance alone would hardly meet."""

    def __init__(self, vocabulary: Vocabulary, seed: int, bias: float) -> None:
        self._random = np.random.default_rng(seed)
        self._lift = np.zeros(vocabulary.size)
        self._lift[[token for token, data in vocabulary.context_dependent if b"<" in data]] = bias

    def __call__(self, allowed: AllowedTokens) -> int:
        logits = self._random.gumbel(size=len(self._lift)) + self._lift
        if allowed.mask is None:
            return max(allowed.tokens, key=lambda token: logits[token])
        return int(np.where(allowed.mask, logits, -np.inf).argmax())


def write(writer: ConstrainedWriter, pick: Chance, stop_after: int | None = None) -> str:
    writer.start()
    for _ in range(stop_after if stop_after is not None else 10_000):
        if writer.finished:
            break
        writer.accept(pick(writer.allowed()))
    writer.finish(keep_unfinished=True)
    return writer.text


def check(text: str, ids: Sequence[str], writer: ConstrainedWriter, budget: int) -> Answer:
    """What holds of every answer."""
    answer = parse(text, ids)
    assert text.startswith("<answer>")
    assert text.endswith("</answer>")
    assert answer.findings == ()
    assert invented_ids(answer, ids) == ()
    assert writer.finished
    assert writer.token_count <= budget
    return answer


@given(ids=IDS, budget=BUDGETS, seed=st.integers(0, 2**32 - 1), bias=st.sampled_from([0.0, 6.0, 12.0]))
@pytest.mark.parametrize("form", ["free", "strict"])
@settings(max_examples=60)
def test_random_logits_write_a_valid_answer(
    qwen_vocabulary: Vocabulary,
    seen: Seen,
    form: Form,
    ids: tuple[str, ...],
    budget: int,
    seed: int,
    bias: float,
) -> None:
    writer = ConstrainedWriter(Grammar(qwen_vocabulary, form, ids, mask_cache=seen), budget)
    check(write(writer, Chance(qwen_vocabulary, seed, bias)), ids, writer, budget)


@given(
    ids=IDS,
    budget=BUDGETS,
    seed=st.integers(0, 2**32 - 1),
    stop_after=st.integers(0, 40),
    form=st.sampled_from(["free", "strict"]),
)
@settings(max_examples=60)
def test_stopping_anywhere_leaves_a_valid_answer_that_keeps_what_was_written(
    qwen_vocabulary: Vocabulary,
    seen: Seen,
    form: Form,
    ids: tuple[str, ...],
    budget: int,
    seed: int,
    stop_after: int,
) -> None:
    writer = ConstrainedWriter(Grammar(qwen_vocabulary, form, ids, mask_cache=seen), budget)
    check(write(writer, Chance(qwen_vocabulary, seed, 6.0), stop_after), ids, writer, budget)


@st.composite
def quoted(draw: st.DrawFn) -> Quotes:
    sentences = draw(st.lists(SENTENCE.filter(bool), min_size=1, max_size=8, unique=True))
    ids = draw(IDS)
    pairs = [(draw(st.sampled_from(ids)), sentence) for sentence in sentences]
    width = draw(st.integers(1, 3))
    return tuple(tuple(pairs[n : n + width]) for n in range(0, len(pairs), width))


@given(quotes=quoted(), budget=BUDGETS, seed=st.integers(0, 2**32 - 1))
@example(quotes=((("1", "Half a word."), ("2", "Half a world.")),), budget=40, seed=0)
@settings(max_examples=100)
def test_extractive_answers_are_sentences_of_the_sources_none_twice(
    qwen_vocabulary: Vocabulary, quotes: Quotes, budget: int, seed: int
) -> None:
    ids = tuple(dict.fromkeys(one for group in quotes for one, _ in group))
    writer = ConstrainedWriter(Grammar(qwen_vocabulary, "extractive", ids, quotes), budget)
    answer = check(write(writer, Chance(qwen_vocabulary, seed, 0.0)), ids, writer, budget)
    given_pairs = [(one, sentence) for group in quotes for one, sentence in group]
    claims = [(claim.ids[0], claim.text) for claim in answer.claims]
    assert len(set(claims)) == len(claims)
    if len(claims) > 1:
        assert [given_pairs.index(claim) for claim in claims] == sorted(map(given_pairs.index, claims))


@pytest.mark.parametrize("form", ["free", "strict", "extractive"])
@pytest.mark.parametrize("budget", range(16, 40))
def test_the_smallest_budgets_hold_something(
    qwen_vocabulary: Vocabulary, seen: Seen, form: Form, budget: int
) -> None:
    quotes = ((("7", "The sky is blue on a clear day."),),)
    writer = ConstrainedWriter(Grammar(qwen_vocabulary, form, ("7",), quotes, mask_cache=seen), budget)
    answer = check(write(writer, Chance(qwen_vocabulary, budget, 6.0)), ("7",), writer, budget)
    assert answer.text


@pytest.mark.parametrize("form", ["free", "strict", "extractive"])
def test_without_sources_the_answer_is_plain_text(qwen_vocabulary: Vocabulary, form: Form) -> None:
    writer = ConstrainedWriter(Grammar(qwen_vocabulary, form, ()), 64)
    answer = check(write(writer, Chance(qwen_vocabulary, 1, 6.0)), (), writer, 64)
    assert answer.claims == ()


def test_strict_answers_have_words_only_in_claims(qwen_vocabulary: Vocabulary, seen: Seen) -> None:
    writer = ConstrainedWriter(Grammar(qwen_vocabulary, "strict", ("a", "b"), mask_cache=seen), 200)
    answer = parse(write(writer, Chance(qwen_vocabulary, 3, 12.0)), ("a", "b"))
    assert all(isinstance(part, Claim) or not part.text.strip() for part in answer.parts)


def test_a_mask_is_made_once_and_a_token_takes_little_time(qwen_vocabulary: Vocabulary) -> None:
    grammar = Grammar(qwen_vocabulary, "free", ("1", "2"))
    writer, pick = ConstrainedWriter(grammar, 400), Chance(qwen_vocabulary, 0, 0.0)
    writer.start()
    tokens = []
    for _ in range(200):
        tokens.append(pick(writer.allowed()))
        writer.accept(tokens[-1])
    assert len(grammar.mask_cache) < 20

    def write_again() -> None:
        again = ConstrainedWriter(grammar, 400)
        again.start()
        for token in tokens:
            again.allowed()
            again.accept(token)

    assert relative_cost(write_again, 3) < 3  # the milliseconds, the first masks included: BENCHMARKS.md


@pytest.fixture(scope="module")
def seen() -> Seen:
    """What may come next, shared by the grammars of this module, as an engine shares them."""
    return {}
