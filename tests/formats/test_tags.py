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
