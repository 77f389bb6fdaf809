"""What of a draft is raw tool output and what a model wrote."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refiner.formats import tool_output

FRAGMENTS = [
    *(
        "<tool_output>",
        "</tool_output>",
        "<snippet id=a>",
        "</snippet>",
        "<snippets id=b>",
        "</snippets>",
        "<think>",
    ),
    *(
        "<webpage id=w>",
        "</webpage>",
        "<answer>",
        "</answer>",
        "</think>",
        "Title: t\n",
        "URL: u\n",
        "words ",
        "<",
        "\n",
    ),
]
hostile = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=16).map("".join)


@given(hostile)
def test_blocks_are_spans_in_order_outside_answers_and_thinking(text: str) -> None:
    found = tool_output.scan(text)
    spans = [(block.start, block.end) for block in found.blocks]
    assert all(start < end <= len(text) for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    for start, _ in spans:
        assert not any(first <= start < last for first, last in (*found.answers, *found.thoughts))


@given(hostile, hostile)
def test_tool_output_never_stays_in_the_prose(before: str, after: str) -> None:
    before, after = before.replace("answer", ""), after.replace("answer", "")
    assert "raw" not in tool_output.split_draft(f"{before}<tool_output>raw</tool_output>{after}").prose


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            "Title: T\nURL: http://u\nSnippet: one\ntwo", ("T", "http://u", "one\ntwo", True), id="DR Tulu"
        ),
        pytest.param("title : T\nSearch Snippet: one", ("T", "", "one", True), id="another spelling"),
        pytest.param("Title: T\none\nURL: two", ("T", "", "one\nURL: two", True), id="only at the beginning"),
        pytest.param("The title: T", ("", "", "The title: T", False), id="none"),
        pytest.param("Title: T", ("T", "", "", True), id="a title alone is no text"),
    ],
)
def test_metadata_lines_are_read_at_the_beginning(body: str, expected: tuple[str, str, str, bool]) -> None:
    assert tool_output.labelled_fields(body) == expected
