"""Sentences are found with exact spans, in any text, in linear time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timing import growth

from refiner.text import sentences


def texts(text: str) -> list[str]:
    return [sentence.text for sentence in sentences.split(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("One. Two! Three?", ["One.", "Two!", "Three?"], id="full stops"),
        pytest.param(
            "We found it. [1] Then more [2].", ["We found it. [1]", "Then more [2]."], id="citation"
        ),
        pytest.param("A line\nanother line", ["A line", "another line"], id="a line break always splits"),
        pytest.param(
            "At p < 0.05, e.g. in mice.", ["At p < 0.05, e.g. in mice."], id="abbreviation, decimal"
        ),
        pytest.param("😀 Hi there. Next.", ["😀 Hi there.", "Next."], id="beyond the basic plane"),
        pytest.param("这是第一句。这是第二句。", ["这是第一句。", "这是第二句。"], id="Chinese"),
        pytest.param(" \n\t\n", [], id="blank"),
    ],
)
def test_sentences_are_split_where_a_reader_would(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


@given(st.text(alphabet=st.characters() | st.sampled_from(list('.!?\n"“” [1]ab\ud800')), max_size=300))
def test_every_sentence_is_a_span_of_the_text_and_nothing_but_blanks_is_lost(text: str) -> None:
    found = sentences.split(text)
    assert all(text[one.start : one.end] == one.text == one.text.strip() != "" for one in found)
    ends = [0, *(one.end for one in found)]
    starts = [*(one.start for one in found), len(text)]
    assert all(not text[end:start].strip() for end, start in zip(ends, starts, strict=True))


def test_a_sentence_over_the_edge_of_a_window_stays_whole() -> None:
    line = "A short sentence with seven words stands. " * 400
    assert set(texts(line)) == {"A short sentence with seven words stands."}


@pytest.mark.parametrize("piece", ["“", '"', "([", "A. ", "a "])
def test_a_long_line_takes_linear_time(piece: str) -> None:
    assert growth(lambda length: sentences.split(piece * (length // len(piece))), 300_000) < 16
