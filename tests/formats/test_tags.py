"""Tags, their attributes and ids are read in every spelling that models use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refiner.formats import tags

CITE = tags.pattern("cite", "snippets?")


def only(text: str) -> tags.Tag:
    (tag,) = tags.find(CITE, text)
    return tag


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("<cite id=a>", ("a",), id="bare"),
        pytest.param("<cite id=a,b>", ("a", "b"), id="comma"),
        pytest.param('<cite id="a,b,c">', ("a", "b", "c"), id="quoted"),
        pytest.param('<cite id="a, b">', ("a", "b"), id="comma and blank"),
        pytest.param("<cite id='a;b c'>", ("a", "b", "c"), id="semicolon and blank"),
        pytest.param("<cite ids=a, b>", ("a", "b"), id="ids, bare with a blank"),
        pytest.param('<CITE ID="a">', ("a",), id="capitals"),
        pytest.param("<cite id=“a”>", ("a",), id="typographic quotes"),
        pytest.param('<cite id="a","b">', ("a", "b"), id="each quoted"),
        pytest.param('<cite id=["a", "b"]>', ("a", "b"), id="as a list"),
        pytest.param('<cite title="x id=z" id=a n=1>', ("a",), id="other attributes"),
        pytest.param("<cite url=http://x?id=z id=a>", ("a",), id="a bare address before"),
        pytest.param("<snippets id=a1b2c3d4-0>", ("a1b2c3d4-0",), id="a call's id"),
        pytest.param('<cite id="a=b/">', ("a_b_",), id="made safe"),
        pytest.param("<cite>", (), id="none"),
        pytest.param("<cite data-id=a>", (), id="another name"),
    ],
)
def test_ids_are_read_in_any_spelling(text: str, expected: tuple[str, ...]) -> None:
    assert tags.ids(only(text)) == expected


@given(st.text())
def test_a_safe_id_survives_the_format_and_being_made_safe_again(text: str) -> None:
    safe = tags.safe_id(text)
    assert safe == tags.safe_id(safe)
    assert len(safe) <= 64
    assert not safe or tags.ids(only(f"<cite id={safe}>")) == (safe,)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("<think>a</think>b", "b", id="closed"),
        pytest.param("<think>a<answer>b", "<answer>b", id="open up to the answer"),
        pytest.param("<think>a", "", id="open to the end"),
        pytest.param("a</think>b", "b", id="opened by the prompt"),
        pytest.param(
            "<tool_output>x</tool_output>a</think>b", "<tool_output>x</tool_output>b", id="after a tool"
        ),
        pytest.param(
            "<tool_output><think></tool_output>b", "<tool_output><think></tool_output>b", id="a page's"
        ),
        pytest.param("<think>a <answer>x</answer></think>b", "b", id="an answer thought of"),
    ],
)
def test_thinking_ends_where_the_model_stopped_thinking(text: str, left: str) -> None:
    spans, _ = tags.thinking(text)
    for start, end in reversed(spans):
        text = text[:start] + text[end:]
    assert text == left


@pytest.mark.parametrize(
    ("text", "closing", "empty"),
    [
        pytest.param("<cite id=a>", False, False, id="opening"),
        pytest.param("</cite>", True, False, id="closing"),
        pytest.param("< / cite >", True, False, id="closing with blanks"),
        pytest.param("<cite id=a/>", False, True, id="empty"),
        pytest.param("</cite/>", True, False, id="a closing tag is never empty"),
    ],
)
def test_a_tag_opens_closes_or_is_empty(text: str, closing: bool, empty: bool) -> None:  # noqa: FBT001 - a case
    tag = only(f"ab{text}c")
    assert (tag.name, tag.closing, tag.empty, tag.start, tag.end) == (
        "cite",
        closing,
        empty,
        2,
        2 + len(text),
    )


def test_attributes_are_values_by_their_names_in_small_letters_and_the_first_counts() -> None:
    assert tags.attributes("ID=\"a b\" n=1 title='x' id=c") == {"id": "a b", "n": "1", "title": "x"}
    assert tags.attributes('id="a", "b"; \'c\' n=2') == {"id": "a,b,c", "n": "2"}
    assert tags.attributes('id="a') == {"id": "a"}
    assert tags.attributes('id="') == {"id": ""}
    assert tags.attributes('id="a"n=2') == {"id": "a", "n": "2"}


def test_a_list_of_quoted_values_ends_where_something_else_follows() -> None:
    assert tags.attributes('id="a"b "c" n=2') == {"id": "a", "n": "2"}


def test_id_counts_before_ids_unless_it_is_empty() -> None:
    assert tags.ids(only("<cite ids=b id=a>")) == ("a",)
    assert tags.ids(only('<cite id="" ids=b>')) == ("b",)
    assert tags.ids(only("<cite id=a,b,a>")) == ("a", "b", "a")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        pytest.param("a" * 64, "a" * 64, id="64 characters"),
        pytest.param("a" * 65, "a" * 64, id="65 characters"),
        pytest.param("a/b", "a/b", id="a slash inside"),
        pytest.param("ab/", "ab_", id="a slash at the end"),
        pytest.param(" a b ", "a_b", id="blanks"),
    ],
)
def test_a_safe_id_has_at_most_64_characters_and_nothing_that_ends_a_tag(text: str, safe: str) -> None:
    assert tags.safe_id(text) == safe


@pytest.mark.parametrize(
    ("text", "spans", "unclosed"),
    [
        pytest.param("a<think>b</think>c", ((1, 17),), None, id="closed"),
        pytest.param("a<think>b", ((1, 9),), 1, id="open"),
        pytest.param("<think>a<think>b", ((0, 8), (8, 16)), 0, id="open twice: the first is named"),
        pytest.param("<think>a<think>b</think>c", ((0, 8), (8, 24)), 0, id="open, then closed"),
        pytest.param("a</think>b", ((0, 9),), None, id="closed alone, from the beginning"),
        pytest.param("a</think>b</think>c", ((0, 9), (9, 18)), None, id="closed alone twice"),
        pytest.param("<answer>a</answer>b</think>c", ((18, 27),), None, id="closed alone after an answer"),
        pytest.param("<answer>a</think>b</answer>", (), None, id="closed alone in an answer is no thinking"),
        pytest.param("<answer>a<think>b</think>c</answer>", ((9, 25),), None, id="in an answer"),
        pytest.param(
            "<tool_output>a</think></tool_output>b</think>c", ((36, 45),), None, id="a page's closes nothing"
        ),
        pytest.param("<tool_output>a</think>b", ((13, 22),), None, id="an open tool output hides nothing"),
        pytest.param("<think>a<answer>b</answer>", ((0, 8),), 0, id="open up to the answer"),
        pytest.param(
            "<think>a<tool_output>b</tool_output>c<answer>d", ((0, 37),), 0, id="open across a tool's output"
        ),
    ],
)
def test_thinking_has_its_spans_and_the_place_of_the_first_unclosed(
    text: str, spans: tuple[tuple[int, int], ...], unclosed: int | None
) -> None:
    assert tags.thinking(text) == (spans, unclosed)


def test_a_line_is_counted_from_one() -> None:
    assert [tags.line_of("a\nb\n\nc", at) for at in (0, 1, 2, 4, 5)] == [1, 1, 2, 3, 4]


def test_a_closing_tag_is_the_partner_of_the_last_opening_one_of_its_name() -> None:
    found = list(tags.find(CITE, "<cite><snippet></cite></cite><cite><cite></cite></snippet>"))
    assert tags.partners(found) == {0: 2, 1: 7, 5: 6}
