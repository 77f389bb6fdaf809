"""Which bytes the answer format lets through, what it forces, and which tokens it offers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_vocabulary import small_vocabulary

from refiner.decoding.grammar import Grammar, Quotes
from refiner.decoding.states import Closed, InText, State
from refiner.decoding.vocabulary import AllowedTokens
from refiner.domain import Form

VOCABULARY = small_vocabulary("<snippet id=", "</snippet>", "</answer>", "S1", " the", "é.", "\n\n")
QUOTES: Quotes = ((("1", "One is here."), ("2", "One is there.")), (("2", "Two is p < 0.05."),))
EIGHT_OF_NINE = tuple("12345678")


def grammar_of(form: Form, ids: tuple[str, ...] = ("1", "2")) -> Grammar:
    return Grammar(VOCABULARY, form, ids, QUOTES if form == "extractive" else ())


def after(grammar: Grammar, text: str, *, may_open: bool = True) -> State | None:
    """The state after an answer's beginning, or None where the grammar forbids it."""
    return grammar.advance(grammar.start(may_open=may_open), f"<answer>{text}".encode(), may_open=may_open)


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        pytest.param("p < 0.05", True, id="less with blanks"),
        pytest.param("p <0.05", True, id="less before a digit"),
        pytest.param("x <= y", True, id="at most"),
        pytest.param("n < x", True, id="less than a letter"),
        pytest.param("n < !x", True, id="less than the first sign"),
        pytest.param("n < ~100", True, id="less than the last sign"),
        pytest.param("x <-5", True, id="less than a negative number"),
        pytest.param("so <-refined", False, id="an arrow"),
        pytest.param("< 5", False, id="less before any word"),
        pytest.param("End. <1 begins", False, id="less between sentences"),
        pytest.param("a<snippet id=1>b</snippet> <1", False, id="less after a claim"),
        pytest.param("a < /answer>", False, id="a tag with a blank"),
        pytest.param("a <  /answer>", False, id="a tag with two blanks"),
        pytest.param("a < Snippet id=1>", False, id="a claim with a blank"),
        pytest.param("n < \x7f", False, id="less than a control character"),
        pytest.param("<think>", False, id="thinking"),
        pytest.param("a</answer>", True, id="the end"),
        pytest.param("</answer>", False, id="the end before any word"),
        pytest.param("a</answer> b", False, id="after the end"),
        pytest.param("a</snippet>", False, id="the end of a claim that did not begin"),
        pytest.param("<snippet id=1>a</answer>", False, id="the end in a claim"),
        pytest.param("a<snippet id=1>b</snippet> c</answer>", True, id="text around a claim"),
        pytest.param("<snippet id=1>b</snippet></answer>", True, id="nothing but a claim"),
        pytest.param("a<snippet id=zz>", False, id="an invented id"),
        pytest.param("a<snippet id=1><snippet id=2>", False, id="a claim in a claim"),
        pytest.param("a<snippet id=1>b<snippet id=2>", False, id="a claim in a claim's text"),
        pytest.param("a<snippet id=1></snippet>", False, id="a claim without words"),
        pytest.param("a<snippet id=1> b", False, id="a claim that begins with a blank"),
        pytest.param("a<snippet id=1>é b", True, id="a blank in a claim"),
        pytest.param("a<snippet id=1,2>b</snippet>", True, id="two ids"),
        pytest.param("a<snippet id=1,1>b</snippet>", False, id="an id twice"),
        pytest.param("a<snippet id=1,2,", False, id="a comma after the last id"),
        pytest.param("a\x00b", False, id="a control character"),
        pytest.param("a\x7fb", False, id="the delete character"),
        pytest.param("é\tb\nc d", True, id="a tab, a line break and a blank"),
        pytest.param("Größe 测试 🧪", True, id="characters of two, three and four bytes"),
    ],
)
def test_the_free_form_lets_through_only_what_reads_back(text: str, *, stands: bool) -> None:
    assert (after(grammar_of("free"), text) is not None) is stands


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        pytest.param("Words", False, id="text outside a claim"),
        pytest.param("<snippet id=1>One.</snippet></answer>", True, id="one claim"),
        pytest.param("<snippet id=1>One.</snippet> <snippet id=1>Two.</snippet>", True, id="an id again"),
        pytest.param("<snippet id=1>One.</snippet><snippet id=1>", False, id="no blank between claims"),
        pytest.param("<snippet id=1>One.</snippet> Two", False, id="text between claims"),
        pytest.param("<snippet id=1>One</snippet>", False, id="half a sentence"),
        pytest.param("<snippet id=1>É </snippet>", False, id="a blank is no end of a sentence"),
        pytest.param('<snippet id=1>"É one." </snippet>', True, id="a quotation mark and a blank after it"),
        pytest.param("<snippet id=1>它在这里。</snippet>", True, id="a Chinese sentence"),
        pytest.param("<snippet id=1>What is x < ?</snippet>", True, id="a sentence that ends after less"),
        pytest.param(
            "<snippet id=1>É. Two goes on</snippet>", False, id="a second sentence that is not done"
        ),
    ],
)
def test_the_strict_form_has_nothing_but_claims_of_whole_sentences(text: str, *, stands: bool) -> None:
    assert (after(grammar_of("strict"), text) is not None) is stands


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        pytest.param("<snippet id=1>One is here.</snippet></answer>", True, id="the first sentence"),
        pytest.param("<snippet id=2>Two is p < 0.05.</snippet>", False, id="a later group first"),
        pytest.param(
            "<snippet id=2>One is there.</snippet> <snippet id=2>Two is p < 0.05.</snippet></answer>",
            True,
            id="one of each group",
        ),
        pytest.param("<snippet id=1>One is here.</snippet> <snippet id=2>One", False, id="two of a group"),
        pytest.param("<snippet id=1>One is here.</snippet><", True, id="the end after one"),
        pytest.param(
            "<snippet id=1>One is here.</snippet> <snippet id=2>Two is p < 0.05.</snippet> ",
            False,
            id="a blank after the last",
        ),
        pytest.param("<snippet id=1>One is there.", False, id="another's id"),
        pytest.param("</answer>", False, id="no sentence at all"),
    ],
)
def test_the_extractive_form_has_sentences_of_the_sources_in_their_order(text: str, *, stands: bool) -> None:
    assert (after(grammar_of("extractive"), text) is not None) is stands


@pytest.mark.parametrize("form", ["free", "strict", "extractive"])
@pytest.mark.parametrize(
    ("text", "stands"),
    [("One is here.</answer>", True), ("One is here.</snippet>", False), ("One <snippet", False)],
)
def test_where_no_claim_may_be_opened_the_answer_is_plain_text(
    form: Form, text: str, *, stands: bool
) -> None:
    assert (after(grammar_of(form), text, may_open=False) is not None) is stands


@pytest.mark.parametrize("form", ["free", "strict"])
def test_without_ids_no_claim_is_opened(form: Form) -> None:
    grammar = grammar_of(form, ids=())
    assert after(grammar, "One.</answer>") == Closed()
    assert after(grammar, "One <snippet") is None


def test_a_claim_has_eight_ids_at_most() -> None:
    grammar = grammar_of("free", tuple("123456789"))
    assert after(grammar, f"<snippet id={','.join(EIGHT_OF_NINE)}>a") is not None
    assert after(grammar, f"<snippet id={','.join(EIGHT_OF_NINE)},9>") is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x80", id="the middle of a character at its beginning"),
        pytest.param(b"\xc3a", id="a letter within a character"),
        pytest.param(b"\xe6\xb5<", id="a tag within a character"),
        pytest.param(b"\xf5", id="no character's beginning"),
    ],
)
def test_text_is_well_formed_utf8(data: bytes) -> None:
    grammar = grammar_of("free")
    state: State | None = after(grammar, "a")
    for byte in data:
        state = grammar.advance(state, bytes([byte])) if state else None
    assert state is None


@pytest.mark.parametrize(
    ("form", "ids", "text", "forced"),
    [
        pytest.param("free", ("1",), None, "<answer>", id="the opening tag"),
        pytest.param("free", ("1", "2"), "a<snippet", " id=", id="the rest of a claim's tag"),
        pytest.param("free", ("1",), "a<snippet", " id=1>", id="the only id"),
        pytest.param("free", ("S10", "S11"), "a<snippet", " id=S1", id="what all ids begin with"),
        pytest.param("free", ("1",), "a", "", id="nothing in text"),
        pytest.param("free", ("1",), "a</answer>", "", id="nothing after the end"),
        pytest.param(
            "strict", ("1", "2"), None, "<answer><snippet id=", id="a claim, as nothing else may come"
        ),
        pytest.param("strict", ("1",), "<snippet id=1>A.<", "/snippet>", id="the rest of a claim's end"),
        pytest.param("extractive", ("1", "2"), None, "<answer><snippet id=", id="the id tells the quote"),
        pytest.param(
            "extractive",
            ("1", "2"),
            "<snippet id=1",
            ">One is here.</snippet>",
            id="all of a sentence that alone begins so",
        ),
        pytest.param(
            "extractive",
            ("1", "2"),
            "<snippet id=1>One is here.</snippet> ",
            "<snippet id=2>Two is p < 0.05.</snippet></answer>",
            id="the last sentence and the end",
        ),
    ],
)
def test_what_must_come_next_is_forced(
    form: Form, ids: tuple[str, ...], text: str | None, forced: str
) -> None:
    grammar = grammar_of(form, ids)
    state = grammar.start(may_open=True) if text is None else after(grammar, text)
    assert state is not None
    written, then = grammar.forced(state)
    assert written.decode() == forced
    direct = grammar.advance(state, written)
    assert direct is not None
    assert tokens_of(grammar.allowed(then)) == tokens_of(grammar.allowed(direct))


WORDS = small_vocabulary(
    "<snippet id=", "</snippet>", "</answer>", ">Half", " word", " world", " is", " so", "><"
)


@pytest.mark.parametrize(
    ("sentences", "text", "forced"),
    [
        pytest.param(("Half a word.", "Half a world."), "", "<snippet id=|1|>Half| |a", id="words alike"),
        pytest.param(("No.", "Yes."), "", "<snippet id=|1|>", id="nothing alike"),
        pytest.param(("Half a day.", "Hans."), "", "<snippet id=|1", id="a token over a tag's end"),
        pytest.param(("He is so.", "He is sad."), "<snippet id=1>He", " is", id="a token of one alone"),
        pytest.param(("He is so.", "He is so too."), "<snippet id=1>He", " is| so", id="a longer sentence"),
    ],
)
def test_of_sentences_that_begin_alike_the_certain_tokens_are_forced(
    sentences: tuple[str, ...], text: str, forced: str
) -> None:
    grammar = Grammar(WORDS, "extractive", ("1",), (tuple(("1", one) for one in sentences),))
    state = after(grammar, text)
    assert state is not None
    tokens, then = grammar.forced_tokens(state)
    assert "|".join(WORDS.token_bytes(token).decode() for token in tokens) == forced
    for sentence in sentences:
        rest = f"<snippet id=1>{sentence}</snippet></answer>".removeprefix(text + forced.replace("|", ""))
        assert grammar.advance(then, rest.encode()) == Closed()


def test_sentences_that_the_budget_does_not_hold_are_passed_over() -> None:
    quotes = (
        (("1", "A long sentence."), ("1", "Short.")),
        (("1", "Another long sentence."),),
        (("1", "So."),),
    )
    grammar = Grammar(VOCABULARY, "extractive", ("1",), quotes)
    whole = "<answer><snippet id=1>Short.</snippet> <snippet id=1>So.</snippet>"

    def holds(data: bytes) -> bool:
        return len(data) <= len(whole) and b"long" not in data

    written, then = grammar.forced(grammar.start(may_open=True), holds)
    assert written == b"<answer><snippet id=1>Short.</snippet>"  # then the end, or the last sentence
    assert grammar.advance(then, b" <snippet id=1>So.</snippet></answer>") == Closed()
    assert grammar.forced(grammar.start(may_open=True), lambda _: False)[0] == b"<answer></answer>"
    assert grammar.forced(
        grammar.start(may_open=True), lambda data: len(data) < len(whole) and holds(data)
    ) == (
        b"<answer><snippet id=1>Short.</snippet></answer>",
        Closed(),
    )


def tokens_of(allowed: AllowedTokens) -> set[int]:
    if allowed.mask is None:
        return set(allowed.tokens)
    return {int(token) for token in np.flatnonzero(allowed.mask)}


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("free", "<answer>The é <5. A<snippet id=1,S1>测 the.</snippet>\n</answer>"),
        ("strict", "<answer><snippet id=S1>The é < 5.</snippet> <snippet id=1>So.</snippet></answer>"),
        (
            "extractive",
            "<answer><snippet id=1>One is here.</snippet> <snippet id=2>Two is p < 0.05.</snippet></answer>",
        ),
        ("free", "<answer>"),
    ],
)
def test_the_tokens_offered_are_those_that_the_grammar_lets_through(form: Form, text: str) -> None:
    grammar = grammar_of(form, ids=("1", "S1"))
    state = grammar.start(may_open=True)
    vocabulary = VOCABULARY.token_by_bytes
    for byte in text.encode():
        for may_open in (False, True):
            fitting = {
                token
                for data, token in vocabulary.items()
                if grammar.advance(state, data, may_open=may_open) is not None
            }
            assert tokens_of(grammar.allowed(state, may_open=may_open)) == fitting
        following = grammar.advance(state, bytes([byte]))
        assert following is not None
        state = following
    assert grammar.allowed(Closed()) == AllowedTokens()


def test_claims_may_be_opened_unless_it_is_said_otherwise() -> None:
    grammar = grammar_of("free")
    state = after(grammar, "a")
    assert state is not None
    tag = VOCABULARY.token_by_bytes[b"<snippet id="]
    assert tag in tokens_of(grammar.allowed(state))
    assert tag not in tokens_of(grammar.allowed(state, may_open=False))


@given(
    st.builds(InText, claim=st.booleans(), filled=st.booleans(), sentence_ended=st.booleans()),
    st.text(st.sampled_from("ab .!?\"')]\n\t>=1"), min_size=1),
)
def test_many_plain_characters_at_once_are_what_they_are_one_by_one(state: InText, text: str) -> None:
    grammar = grammar_of("free")
    one_by_one: State | None = state
    for byte in text.encode():
        assert one_by_one is None or isinstance(one_by_one, InText)
        one_by_one = grammar._after_byte(one_by_one, byte, may_open=True) if one_by_one else None
    assert grammar.advance(state, text.encode()) == one_by_one


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        pytest.param("It is so.", True, id="a full stop"),
        pytest.param('He said "so." ', True, id="a quotation mark and a blank after it"),
        pytest.param("它在这里。", True, id="Chinese"),
        pytest.param("It is 3.5", False, id="a figure"),
        pytest.param("It is so", False, id="half a sentence"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_the_state_says_whether_the_text_so_far_ends_a_sentence(text: str, *, ends: bool) -> None:
    state = after(grammar_of("free"), text)
    assert isinstance(state, InText)
    assert state.sentence_ended is ends
