"""Bracket citations: which brackets cite, and what each one covers."""

import pytest

from refiner.domain import Answer
from refiner.formats import answer


def read(text: str, *known: str) -> Answer:
    return answer.parse(text, known, expect_block=False)


@pytest.mark.parametrize(
    ("bracket", "ids"),
    [
        pytest.param("[1]", ("1",), id="one"),
        pytest.param("[1, 2]", ("1", "2"), id="comma"),
        pytest.param("[1; 2]", ("1", "2"), id="semicolon"),
        pytest.param("[1-3]", ("1", "2", "3"), id="range"),
        pytest.param("[1–3, 7]", ("1", "2", "3", "7"), id="range with a dash"),
        pytest.param("[1][2]", ("1", "2"), id="side by side"),
        pytest.param("[1], [2] and [3]", ("1", "2", "3"), id="joined by words"),
        pytest.param("[2, 2]", ("2",), id="repeated"),
        pytest.param("([4])", ("4",), id="in parentheses"),
        pytest.param("[S17]", ("S17",), id="a known name"),
        pytest.param("[S17, S99]", ("S17", "S99"), id="an invented one beside it"),
        pytest.param("[a1b2-0]", ("a1b2-0",), id="a known name with a dash"),
        pytest.param("[777]", ("777",), id="an invented number"),
    ],
)
def test_a_citing_bracket_leaves_the_text(bracket: str, ids: tuple[str, ...]) -> None:
    found = read(f"It rained {bracket}. Then it stopped.", "S17", "a1b2-0")
    assert [(claim.text, claim.ids) for claim in found.claims] == [("It rained", ids)]
    assert found.text == "It rained. Then it stopped."


@pytest.mark.parametrize(
    "bracket", ["[2021]", "[sic]", "[S18]", "[3-1]", "[100-400]", "[0.5]", "[]", "[1, see]", "[ ]"]
)
def test_another_bracket_is_text(bracket: str) -> None:
    text = f"It rained {bracket} all day."
    assert (read(text, "S17").text, read(text, "S17").claims) == (text, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("We saw rain. [1] It stopped.", [("We saw rain.", "1")], id="after the full stop"),
        pytest.param(
            "We saw rain.[1] It stopped [2].", [("We saw rain.", "1"), ("It stopped", "2")], id="no blank"
        ),
        pytest.param(
            "Rain fell [1], and snow fell [2].", [("Rain fell", "1"), ("and snow fell", "2")], id="two in one"
        ),
        pytest.param("It rained [1]. [2] It stopped.", [("It rained", "12")], id="before and after the stop"),
        pytest.param("Sun. Rain [1]\nSnow [2]", [("Rain", "1"), ("Snow", "2")], id="lines"),
        pytest.param(
            "In contrast, [4] proposes four new ways.", [("proposes four new ways.", "4")], id="subject"
        ),
        pytest.param(
            "Paper [0] reviews the whole field.", [("reviews the whole field.", "0")], id="named subject"
        ),
        pytest.param(
            "[0] finds that rain falls. More.", [("finds that rain falls.", "0")], id="subject of a line"
        ),
        pytest.param(
            "[0] finds that rain falls [1].", [("finds that rain falls", "01")], id="subject and end"
        ),
        pytest.param(
            f"{'It rained and rained. ' * 3}It rained on crystals\n[3] and snow.",
            [("It rained on crystals", "3")],
            id="wrap",
        ),
        pytest.param(
            "It rained [1].\n\nReferences\n[1] Smith, A. Rain and its many uses.",
            [("It rained", "1")],
            id="list entry",
        ),
    ],
)
def test_a_claim_is_the_words_a_reader_takes_the_bracket_for(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert [(claim.text, "".join(claim.ids)) for claim in read(text).claims] == expected


def test_blanks_stay_where_words_would_run_together() -> None:
    assert read("It rained [1](hard) there.").text == "It rained (hard) there."
