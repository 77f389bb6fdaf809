"""An answer within its budget: when claims may open, which quotes fit, and what remains when it must end."""

import pytest
from small_vocabulary import small_vocabulary

from refiner.decoding.constrained_writer import ConstrainedWriter, UnconstrainedWriter
from refiner.decoding.grammar import Grammar, Quotes
from refiner.decoding.vocabulary import Vocabulary
from refiner.domain import Form

TAGS = small_vocabulary("<answer>", "</answer>", "</snippet>", "<snippet id=", "1>", "2>")
"""A token for each tag, and one for each byte."""
BYTES = small_vocabulary()
WORDS = small_vocabulary(".\n\n", ".</", " was", "</", " One", " Two")
CLOSING = b"</snippet></answer>"
CLAIM = "<answer><snippet id=1>One is so."


def writer_of(
    vocabulary: Vocabulary, form: Form, budget: int, quotes: Quotes = (), ids: tuple[str, ...] = ("1", "2")
) -> ConstrainedWriter:
    return ConstrainedWriter(Grammar(vocabulary, form, ids, quotes), budget)


def say(writer: ConstrainedWriter, vocabulary: Vocabulary, text: str, *, by_byte: bool = False) -> None:
    """Write on until ``text`` stands, with the tokenizer's tokens or each byte as one, or the budget ends."""
    while not writer.finished and len(writer.written) < len(text.encode()):
        left = text.encode()[len(writer.written) :]
        writer.accept(left[0] if by_byte else vocabulary.encode(left)[0])


def cut(vocabulary: Vocabulary, form: Form, text: str, budget: int, quotes: Quotes = ()) -> str:
    """What is left of ``text`` where the budget ends within it."""
    writer = writer_of(vocabulary, form, budget, quotes)
    writer.start()
    say(writer, vocabulary, text)
    assert writer.truncated
    assert writer.token_count <= budget
    return writer.text


def budget_for(vocabulary: Vocabulary, text: str) -> int:
    """The budget that ends with ``text``: room for its tokens, for the closing tags, and one to spare."""
    return len(vocabulary.encode(text.encode())) + len(vocabulary.encode(CLOSING)) + 1


# --- when the budget ends ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param(
            "<answer>One is here. Two is there. Three", "<answer>One is here. Two is there.", id="plain"
        ),
        pytest.param("<answer>One is here.\n\nTwo was", "<answer>One is here.", id="a paragraph"),
        pytest.param(
            "<answer>One is here. Two is there.", "<answer>One is here. Two is there.", id="all complete"
        ),
        pytest.param('<answer>"One is here." Two', '<answer>"One is here."', id="a quotation mark"),
        pytest.param("<answer>« One is here. » Two", "<answer>« One is here. »", id="French quotation marks"),
        pytest.param("<answer>它在这里。另一", "<answer>它在这里。", id="Chinese, without blanks"),
        pytest.param("<answer>One is 3.5 of what", "<answer>One is 3.5 of", id="a figure ends no sentence"),
        pytest.param("<answer>One is p < 0.05. Two", "<answer>One is p < 0.05.", id="less"),
        pytest.param("<answer>One goes on about", "<answer>One goes on", id="nothing complete"),
        pytest.param("<answer>One goes\non", "<answer>One goes", id="a line's end is a word's"),
        pytest.param("<answer>\nSupercalifragil", "<answer>\nSupercalifragil", id="a single word"),
        pytest.param("<answer>A supercalifragil", "<answer>A", id="a word of one letter before it"),
        pytest.param(
            "<answer><snippet id=1>One is here. Two is",
            "<answer><snippet id=1>One is here.</snippet>",
            id="in a claim",
        ),
        pytest.param(
            "<answer><snippet id=1>One is here.</snippet> <snippet id=2>Two is still written",
            "<answer><snippet id=1>One is here.</snippet>",
            id="a second claim",
        ),
        pytest.param(
            "<answer><snippet id=1>One is here</snippet>, Two is",
            "<answer><snippet id=1>One is here</snippet>",
            id="text after a claim",
        ),
        pytest.param(
            "<answer>(<snippet id=1>One is here</snippet>) Two is",
            "<answer>(<snippet id=1>One is here</snippet>)",
            id="a claim in brackets",
        ),
        pytest.param(
            "<answer><snippet id=1>One is here", "<answer><snippet id=1>One is</snippet>", id="half a claim"
        ),
        pytest.param(
            "<answer><snippet id=1>One is here. Two was.</sni",
            "<answer><snippet id=1>One is here. Two was.</snippet>",
            id="a sentence and half a tag",
        ),
        pytest.param(
            "<answer><snippet id=1>One is here. Two was.<",
            "<answer><snippet id=1>One is here. Two was.</snippet>",
            id="a sentence and a tag's first sign",
        ),
    ],
)
@pytest.mark.parametrize("vocabulary", [BYTES, WORDS], ids=["bytes", "words"])
def test_an_unfinished_sentence_is_dropped_if_something_complete_stands_before_it(
    vocabulary: Vocabulary, text: str, left: str
) -> None:
    assert cut(vocabulary, "free", f"{text} and on", budget_for(vocabulary, text)) == f"{left}</answer>"


@pytest.mark.parametrize(
    ("form", "quotes"),
    [("free", ((("1", "Three is here."),),)), ("extractive", ())],
    ids=["with sentences that it need not quote", "without a sentence to quote"],
)
def test_a_sentence_of_ones_own_is_complete_where_none_must_be_quoted(form: Form, quotes: Quotes) -> None:
    text = "<answer>One is here. Two"
    assert cut(BYTES, form, f"{text} was", budget_for(BYTES, text), quotes) == "<answer>One is here.</answer>"


def spelled_by_byte(form: Form, budget: int) -> ConstrainedWriter:
    """An answer of one claim, its closing tags begun with a byte although there are tokens for them."""
    writer = writer_of(TAGS, form, budget)
    writer.start()
    say(writer, TAGS, CLAIM.removesuffix("One is so."))
    say(writer, TAGS, f"{CLAIM}{CLOSING.decode()}", by_byte=True)
    return writer


@pytest.mark.parametrize("form", ["free", "strict"])
@pytest.mark.parametrize("spare", range(12))
def test_closing_tags_spelled_in_many_tokens_stay_in_the_budget(form: Form, spare: int) -> None:
    budget = budget_for(TAGS, CLAIM) + spare
    writer = spelled_by_byte(form, budget)
    assert writer.text == f"{CLAIM}{CLOSING.decode()}"
    assert writer.token_count <= budget


def test_closing_tags_that_are_forced_at_once_stand_where_they_just_fit() -> None:
    budgets = range(budget_for(TAGS, CLAIM), 40)
    least = next(budget for budget in budgets if not spelled_by_byte("strict", budget).truncated)
    assert spelled_by_byte("strict", least).token_count == least


def test_of_quoted_sentences_only_whole_ones_are_kept() -> None:
    vocabulary = small_vocabulary("</answer>", "</snippet>", "<snippet id=", " Rayleigh")
    quotes = ((("1", "So it is."),), (("1", "Who? Rayleigh."), ("1", "Who? Ray.")))
    first, second = "<answer><snippet id=1>So it is.</snippet>", " <snippet id=1>Who? Rayleigh.</snippet>"
    writer = writer_of(vocabulary, "extractive", budget_for(vocabulary, f"{first}{second}") + 3, quotes)
    writer.start()
    say(writer, vocabulary, f"{first}{second}", by_byte=True)  # more tokens than the tokenizer would take
    assert writer.truncated
    assert writer.text == f"{first}</answer>"


@pytest.mark.parametrize(
    ("form", "text", "kept"),
    [
        pytest.param("free", "<answer>", "<answer>", id="nothing"),
        pytest.param("free", "<answer>One goes on ab", "<answer>One goes on ab", id="half a word"),
        pytest.param("free", "<answer>One is.\n\n", "<answer>One is.", id="blank lines"),
        pytest.param("free", "<answer>x > y >", "<answer>x > y >", id="a greater sign"),
        pytest.param("free", "<answer>One is p <", "<answer>One is p", id="a sign that may begin a tag"),
        pytest.param("free", "<answer>One <snippet id=1,", "<answer>One", id="a claim without its ids"),
        pytest.param("free", "<answer>One <snippet id=1>", "<answer>One", id="a claim without a word"),
        pytest.param("free", "<answer><snippet id=1>", "<answer>", id="nothing but a claim without a word"),
        pytest.param(
            "free",
            "<answer><snippet id=1>x >",
            "<answer><snippet id=1>x ></snippet>",
            id="a greater sign in a claim",
        ),
        pytest.param(
            "strict",
            "<answer><snippet id=1>One goes on",
            "<answer><snippet id=1>One goes on</snippet>",
            id="half a sentence",
        ),
        pytest.param(
            "strict",
            "<answer><snippet id=1>One is.</snippet> <snippet id=",
            "<answer><snippet id=1>One is.</snippet>",
            id="half a claim's tag",
        ),
        pytest.param(
            "extractive",
            "<answer><snippet id=1>One is p < 0.05 and",
            "<answer><snippet id=1>One is p < 0.05 and</snippet>",
            id="less in a quoted sentence",
        ),
    ],
)
def test_a_stopped_answer_keeps_what_was_written_but_half_a_tag(form: Form, text: str, kept: str) -> None:
    quotes = ((("1", "One is p < 0.05 and x."), ("1", "One is p < 0.05 and y.")),)
    writer = writer_of(BYTES, form, 400, quotes)
    writer.start()
    say(writer, BYTES, text)
    writer.finish(keep_unfinished=True)
    assert writer.text == f"{kept}</answer>"
    assert writer.finished
    assert not writer.truncated
    written, count = writer.written, writer.token_count
    writer.finish(keep_unfinished=False)
    assert (writer.written, writer.token_count) == (written, count)


def test_half_a_character_is_no_text() -> None:
    writer = writer_of(BYTES, "free", 400)
    writer.start()
    for byte in "Größe".encode()[:3]:
        writer.accept(byte)
    assert writer.text == "<answer>Gr"
    writer.finish(keep_unfinished=True)
    assert writer.text == "<answer>Gr</answer>"


def test_an_answer_that_ends_by_itself_is_not_cut() -> None:
    writer = writer_of(TAGS, "free", 100)
    assert (writer.finished, writer.truncated, writer.text) == (False, False, "")
    assert TAGS.decode(writer.start()) == b"<answer>"
    assert (writer.finished, writer.truncated, writer.token_count) == (False, False, 1)
    say(writer, TAGS, "<answer>One.</answer>")
    assert (writer.finished, writer.truncated, writer.token_count) == (True, False, 6)
    assert writer.allowed().tokens == ()
    with pytest.raises(ValueError, match="forbidden"):
        writer.accept(ord("a"))


def test_closing_tags_that_begin_within_the_budget_are_written_whole() -> None:
    text = "<answer><snippet id=1>One is so.<"
    writer = writer_of(BYTES, "strict", budget_for(BYTES, text) + 1)
    writer.start()
    say(writer, BYTES, f"{text}/snippet></answer>")
    assert writer.text == f"{text}/snippet></answer>"
    assert (writer.finished, writer.truncated) == (True, False)
    assert writer.token_count == len(writer.written)


# --- what the budget holds -----------------------------------------------------------------------------


def claim_opens(writer: ConstrainedWriter, text: str) -> bool:
    try:
        say(writer, TAGS, text)
    except ValueError:
        return False
    return writer.written.endswith(b"<snippet id=")


def room_in_smallest_claim(form: Form, before: str) -> int:
    """The tokens of text in a claim that opens at the smallest budget at which one may."""
    for budget in range(16, 60):
        writer = writer_of(TAGS, form, budget)
        writer.start()
        if claim_opens(writer, f"{before}<snippet id="):
            writer.accept(TAGS.token_by_bytes[b"1>"])
            begun = writer.token_count
            while not writer.finished:
                last = writer.token_count
                writer.accept(ord("a"))
            return last + 1 - begun
    raise AssertionError("no budget holds a claim")


@pytest.mark.parametrize(
    ("form", "before"),
    [("strict", "<answer>"), ("free", "<answer>"), ("free", "<answer>So ")],
    ids=["strict", "free", "free, after some text"],
)
def test_a_claim_opens_where_the_budget_holds_eight_tokens_of_text_and_two_more(
    form: Form, before: str
) -> None:
    assert room_in_smallest_claim(form, before) == 8 + 2


@pytest.mark.parametrize("ids", [("1", "longer"), ("longer", "1")])
def test_the_longest_id_must_fit(ids: tuple[str, ...]) -> None:
    """With every byte a token: `<answer>`, `<snippet id=longer>`, eight for text, two to spare, and the end."""
    least = len("<answer><snippet id=longer>") + 8 + 2 + len(CLOSING) + 1
    for budget, opens in ((least - 1, False), (least, True)):
        writer = writer_of(BYTES, "strict", budget, ids=ids)
        writer.start()
        assert writer.written.endswith(b"<snippet id=") is opens


SECOND_GROUP = (("2", "Twofold it is."), ("2", "Twosome it is."))
FIRST, SECOND = "<answer><snippet id=1>One is here.</snippet>", " <snippet id=2>Twofold it is.</snippet>"


@pytest.mark.parametrize(("more", "holds"), [(-1, False), (0, True)])
@pytest.mark.parametrize("by_byte", [False, True], ids=["as the tokenizer spells it", "in two tokens more"])
@pytest.mark.parametrize("others", [(), (("2", "No."),)], ids=["the first is forced", "the first is chosen"])
def test_a_sentence_is_offered_where_it_fits_and_two_tokens_more(
    more: int, others: tuple[tuple[str, str], ...], *, holds: bool, by_byte: bool
) -> None:
    vocabulary = small_vocabulary("<answer>", "</answer>", "</snippet>", "<snippet id=", "Two")
    budget = budget_for(vocabulary, f"{FIRST}{SECOND}") + 2 + more
    quotes = ((("1", "One is here."), *others), SECOND_GROUP)
    writer = writer_of(vocabulary, "extractive", budget, quotes)
    writer.start()
    say(writer, vocabulary, FIRST)
    say(writer, vocabulary, f"{FIRST}{SECOND}", by_byte=by_byte)
    assert writer.text == f"{FIRST}{SECOND if holds else ''}</answer>"
    assert not writer.truncated


def test_a_sentence_that_does_not_fit_is_not_offered_beside_one_that_does() -> None:
    quotes = ((("1", "One is here."),), (("1", "Two is it."), ("2", "Two is far from here, as it were.")))
    whole = "<answer><snippet id=1>One is here.</snippet> <snippet id=1>Two is it.</snippet>"
    writer = writer_of(BYTES, "extractive", budget_for(BYTES, whole) + 2, quotes)
    writer.start()
    say(writer, BYTES, f"{whole[: whole.rindex('<')]}")
    assert writer.text == f"{whole}</answer>"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        pytest.param(0, "The sky is blue.", id="all of it fits"),
        pytest.param(-1, "The sky is", id="one token less"),
        pytest.param(-6, "The sky is", id="six less"),
        pytest.param(-7, "The sky", id="seven less"),
        pytest.param(-13, "The", id="a single word"),
        pytest.param(-14, "", id="not even a word"),
    ],
)
@pytest.mark.parametrize(
    "others",
    [
        pytest.param((), id="alone"),
        pytest.param(
            ((("1", "The sky is blue and the day long."), ("2", "The sea is as blue.")),), id="of many"
        ),
    ],
)
def test_where_no_sentence_fits_the_first_is_cut_at_a_words_end(
    others: Quotes, more: int, sentence: str
) -> None:
    first = (("2", "The sky is blue."), *((("1", "The sea is so blue."),) if others else ()))
    whole = "<answer><snippet id=2>The sky is blue.</snippet>"
    writer = writer_of(BYTES, "extractive", budget_for(BYTES, whole) + 2 + more, (first, *others))
    writer.start()
    claim = f"<snippet id=2>{sentence}</snippet>" if sentence else ""
    assert writer.text == f"<answer>{claim}" + ("</answer>" if claim else "")


@pytest.mark.parametrize("form", ["free", "strict", "extractive"])
@pytest.mark.parametrize("budget", [16, 20, 21, 27, 28])
def test_a_budget_that_holds_the_tags_alone_gives_an_empty_answer(form: Form, budget: int) -> None:
    writer = writer_of(BYTES, form, budget, ((("1", "One is here."),),))
    writer.start()
    while not writer.finished:
        writer.accept(ord("a"))
    assert writer.truncated
    assert writer.text == "<answer></answer>"


@pytest.mark.parametrize("form", ["free", "strict", "extractive"])
def test_without_sources_the_whole_budget_is_for_plain_text(form: Form) -> None:
    writer = writer_of(TAGS, form, 60, ids=())
    writer.start()
    while not writer.finished:
        writer.accept(ord("a"))
    assert writer.text == f"<answer>{'a' * (60 - 4)}</answer>"  # the tags' three tokens, and one to spare


# --- without a format ----------------------------------------------------------------------------------


def test_a_free_writer_ends_at_the_models_own_end_or_the_budget() -> None:
    end = 400
    writer = UnconstrainedWriter(TAGS, 3, frozenset({end}))
    assert (writer.start(), writer.allowed(), writer.text) == ([], None, "")
    assert (writer.finished, writer.truncated, writer.token_count) == (False, False, 0)
    assert writer.accept(ord("a")) == [ord("a")]
    assert (writer.text, writer.finished, writer.truncated, writer.token_count) == ("a", False, False, 1)
    writer.accept(end)
    assert (writer.text, writer.finished, writer.truncated, writer.token_count) == ("a", True, False, 2)
    writer = UnconstrainedWriter(TAGS, 2, frozenset({end}))
    writer.accept(ord("a"))
    writer.accept(ord("b"))
    assert (writer.text, writer.finished, writer.truncated) == ("ab", True, True)
    writer = UnconstrainedWriter(TAGS, 2, frozenset({end}))
    writer.accept(ord("a"))
    writer.accept(end)
    assert (writer.text, writer.finished, writer.truncated) == ("a", True, False)


def test_a_free_writer_that_is_stopped_keeps_its_text() -> None:
    writer = UnconstrainedWriter(TAGS, 3, frozenset())
    writer.accept(ord("a"))
    writer.finish(keep_unfinished=True)
    assert (writer.text, writer.finished, writer.truncated) == ("a", True, False)
