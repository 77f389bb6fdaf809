"""For any valid answer, the tokenizer's own tokens are allowed one after the other, and what is forced is among them.

A model writes best in the tokens that it was trained on. Tested on four real vocabularies.
"""

from collections.abc import Iterator

import edits
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from paths import SAMPLE_CASES

from refiner import batch
from refiner.decoding.constrained_writer import ConstrainedWriter
from refiner.decoding.grammar import Grammar, Quotes
from refiner.decoding.states import Closed
from refiner.decoding.vocabulary import Vocabulary
from refiner.domain import Form
from refiner.formats.answer import parse

pytestmark = pytest.mark.model

VOCABULARIES = ("qwen_vocabulary", "llama3_vocabulary", "mistral_vocabulary", "embedded_vocabulary")
WIDE = 100_000
"""A budget that no answer here uses up."""
MASKS: dict[int, dict[object, object]] = {}
"""What may come next in text, by vocabulary: made once for all tests."""


@pytest.fixture(scope="module", params=VOCABULARIES)
def vocabulary(request: pytest.FixtureRequest) -> Vocabulary:
    found: Vocabulary = request.getfixturevalue(request.param)
    return found


def grammar_of(vocabulary: Vocabulary, form: Form, ids: tuple[str, ...], quotes: Quotes = ()) -> Grammar:
    masks = MASKS.setdefault(id(vocabulary), {})
    return Grammar(vocabulary, form, ids, quotes, masks)  # type: ignore[arg-type]  # one for all forms


def is_valid(grammar: Grammar, answer: str) -> bool:
    return grammar.advance(grammar.start(may_open=True), answer.encode()) == Closed()


def forbidden(grammar: Grammar, answer: str) -> Iterator[tuple[str, bytes]]:
    """The tokenizer's own tokens of an answer that may not be written, or that something else is forced for."""
    vocabulary = grammar.vocabulary
    natural = vocabulary.encode(answer.encode())
    writer = ConstrainedWriter(grammar, WIDE)
    written = writer.start()
    while not writer.finished:
        if written != natural[: len(written)]:
            yield writer.text, vocabulary.decode(written)
            return
        token, allowed = natural[len(written)], writer.allowed()
        if not (token in allowed.tokens if allowed.mask is None else allowed.mask[token]):
            yield writer.text, vocabulary.token_bytes(token)
            return
        written += writer.accept(token)


IDS = st.lists(
    st.sampled_from(("1", "2", "10", "S1", "S2", "S_a1B9xQ2", "call_abc-12", "源1", "a.b/c", "W3x")),
    min_size=1,
    max_size=5,
    unique=True,
).map(tuple)
WORDS = st.sampled_from(
    (
        "The",
        "sky",
        "is",
        "blue",
        "(It",
        "scatters)",
        "3.5",
        "50%",
        "é",
        "中文",
        '"so"',
        "x>y",
        "2-3",
        "🧪",
        "I'm",
        "a,b",
    )
)
ENDS = st.sampled_from((".", "!", "?", "。", '."', ".)", "…", ""))
SENTENCES = st.builds(lambda words, end: " ".join(words) + end, st.lists(WORDS, min_size=1, max_size=6), ENDS)
BETWEEN = st.sampled_from(
    (
        "",
        " ",
        "\n",
        "\n\n",
        ".",
        ". ",
        ", ",
        "\n- ",
        "\n\n## Heading\n\n",
        "\n1. ",
        " In short: ",
        ":\n\n* ",
        "** ",
        "\t",
        ")",
    )
)


@st.composite
def answers(draw: st.DrawFn) -> tuple[tuple[str, ...], str]:
    """Ids, and an answer in the free form."""
    ids = draw(IDS)
    parts = [draw(BETWEEN)]
    for _ in range(draw(st.integers(1, 4))):
        cited = ",".join(draw(st.lists(st.sampled_from(ids), min_size=1, max_size=3, unique=True)))
        parts += [f"<snippet id={cited}>{draw(SENTENCES)}</snippet>", draw(BETWEEN)]
    return ids, f"<answer>{''.join(parts)}</answer>"


@settings(max_examples=25)
@given(case=answers())
@example(case=(("S1",), "<answer><snippet id=S1>The sky is blue</snippet>.\n</answer>"))
@example(
    case=(
        ("S1", "S2"),
        "<answer>- <snippet id=S1,S2>In air.</snippet>\n- <snippet id=S2>(So)</snippet></answer>",
    )
)
@example(
    case=(("call_abc-12",), "<answer>\n\n<snippet id=call_abc-12>It is.</snippet>\n\n## Next\n</answer>")
)
def test_every_natural_token_of_a_free_answer_is_allowed(
    vocabulary: Vocabulary, case: tuple[tuple[str, ...], str]
) -> None:
    ids, answer = case
    grammar = grammar_of(vocabulary, "free", ids)
    assume(is_valid(grammar, answer))
    assert list(forbidden(grammar, answer)) == []


@settings(max_examples=25)
@given(
    ids=IDS, sentences=st.lists(SENTENCES.filter(lambda text: text[-1] in '.!?。)"…'), min_size=1, max_size=4)
)
def test_every_natural_token_of_a_strict_answer_is_allowed(
    vocabulary: Vocabulary, ids: tuple[str, ...], sentences: list[str]
) -> None:
    grammar = grammar_of(vocabulary, "strict", ids)
    claims = (f"<snippet id={ids[n % len(ids)]}>{text}</snippet>" for n, text in enumerate(sentences))
    answer = f"<answer>{' '.join(claims)}</answer>"
    assume(is_valid(grammar, answer))
    assert list(forbidden(grammar, answer)) == []


@settings(max_examples=25)
@given(ids=IDS, sentences=st.lists(SENTENCES, min_size=2, max_size=6, unique=True), data=st.data())
def test_every_natural_token_of_quotations_is_allowed(
    vocabulary: Vocabulary, ids: tuple[str, ...], sentences: list[str], data: st.DataObject
) -> None:
    groups = [sentences[at : at + 2] for at in range(0, len(sentences), 2)]
    quotes = tuple(tuple((ids[n % len(ids)], one) for n, one in enumerate(group)) for group in groups)
    chosen = [data.draw(st.sampled_from(group)) for group in quotes]
    answer = " ".join(f"<snippet id={one}>{text}</snippet>" for one, text in chosen)
    grammar = grammar_of(vocabulary, "extractive", ids, quotes)
    answer = f"<answer>{answer}</answer>"
    assume(is_valid(grammar, answer))
    assert list(forbidden(grammar, answer)) == []


@pytest.mark.parametrize("kind", ["light", "heavy"])
def test_every_natural_token_of_edited_drafts_is_allowed(vocabulary: Vocabulary, kind: str) -> None:
    for case in batch.read_cases(SAMPLE_CASES):
        request = batch.request_of(case)
        ids = tuple(source.id for source in request.sources)
        answer = edits.answer_of(kind, parse(request.draft, ids), request.sources, "a seed")
        grammar = grammar_of(vocabulary, "free", ids)
        assert is_valid(grammar, answer)
        assert list(forbidden(grammar, answer)) == []
