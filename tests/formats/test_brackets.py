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
        pytest.param("[1-2]", ("1", "2"), id="a range of two, the shortest"),
        pytest.param("[1-30]", tuple(map(str, range(1, 31))), id="a range of thirty, the longest"),
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
    "bracket",
    ["[2021]", "[sic]", "[S18]", "[3-1]", "[3-3]", "[1-31]", "[100-400]", "[0.5]", "[]", "[1, see]", "[ ]"],
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
            "In sharp contrast, [4] proposes four new ways.",
            [("proposes four new ways.", "4")],
            id="three words before the subject",
        ),
        pytest.param(
            "In contrast to that [4] proposes four new ways.",
            [("In contrast to that", "4")],
            id="four words before are the claim",
        ),
        pytest.param(
            "[0] finds that rain falls. More.", [("finds that rain falls.", "0")], id="subject of a line"
        ),
        pytest.param(
            "[0] finds that rain falls [1].", [("finds that rain falls", "01")], id="subject and end"
        ),
        pytest.param("[1] Rain falls here.", [], id="three words after a line's first bracket"),
        pytest.param("[1] Rain falls here too.", [("Rain falls here too.", "1")], id="four words after it"),
        pytest.param("[1]: It rained for days.", [("It rained for days.", "1")], id="a colon after it"),
        pytest.param(
            "[1] finds that rain falls.\n[2] finds that snow falls.",
            [("finds that rain falls.", "1"), ("finds that snow falls.", "2")],
            id="a subject in each line",
        ),
        pytest.param(
            "Rain fell [1].\n[2] and [3] find that snow falls.",
            [("Rain fell", "1"), ("find that snow falls.", "23")],
            id="two subjects of a line",
        ),
        pytest.param(
            "[0] 雨 在 这里 下。好[1]", [("雨 在 这里 下。", "0"), ("好", "1")], id="a sentence of one letter"
        ),
        pytest.param("Vitamins:\nC [1]", [("C", "1")], id="a line of one letter"),
        pytest.param("Vitamins:\nC. [1]", [("C.", "1")], id="a line of one letter and its stop"),
        pytest.param(
            "Rain fell [1]. Snow fell [2][3].", [("Rain fell", "1"), ("Snow fell", "23")], id="side by side"
        ),
        pytest.param(
            "It rained [sic] and stopped [1].",
            [("It rained [sic] and stopped", "1")],
            id="after another bracket",
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
        pytest.param(
            "It rained [1].\n\n[1] Smith, A. Rain.\n\nIt snowed [1].",
            [("It rained", "1"), ("It snowed", "1")],
            id="text after a list entry",
        ),
    ],
)
def test_a_claim_is_the_words_a_reader_takes_the_bracket_for(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert [(claim.text, "".join(claim.ids)) for claim in read(text).claims] == expected


def test_blanks_stay_where_words_would_run_together() -> None:
    assert read("It rained [1](hard) there.").text == "It rained (hard) there."


LONG_LINE = "It rained on the hills for a week, and the river rose over i"
"""Sixty characters, as many as a line has that was broken for its length."""


@pytest.mark.parametrize(
    ("above", "claim"),
    [
        pytest.param(LONG_LINE, LONG_LINE, id="sixty characters"),
        pytest.param(LONG_LINE[1:], None, id="fifty-nine"),
        pytest.param(f"{LONG_LINE},", f"{LONG_LINE},", id="ends with a comma"),
        pytest.param(f"{LONG_LINE} (so)", f"{LONG_LINE} (so)", id="ends with a parenthesis"),
        pytest.param(f"{LONG_LINE}t.", None, id="ends with a full stop"),
        pytest.param(f"{LONG_LINE}\n", None, id="an empty line between"),
        pytest.param(f"Rivers\n{LONG_LINE}", LONG_LINE, id="a heading above"),
        pytest.param(f"Sun shines [7].\n{LONG_LINE}", LONG_LINE, id="a claim above"),
    ],
)
def test_a_bracket_that_begins_a_line_cites_the_line_above_if_that_is_wrapped(
    above: str, claim: str | None
) -> None:
    last = [one.text for one in read(f"{above}\n[3] and more.").claims if "3" in one.ids]
    assert last == ([] if claim is None else [claim])


def test_a_bracket_after_words_on_its_line_does_not_cite_the_line_above() -> None:
    found = read(f"{LONG_LINE}\nwhere snow fell [3].")
    assert [claim.text for claim in found.claims] == ["where snow fell"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param("Sun shines. Rain fell [1].", "Sun shines. Rain fell.", id="a sentence before"),
        pytest.param("It rained([4]).", "It rained.", id="parentheses after a word"),
        pytest.param("It rained (a lot [1]).", "It rained (a lot).", id="a parenthesis that goes on before"),
        pytest.param("It rained ([1] and more).", "It rained ( and more).", id="one that goes on after"),
        pytest.param("It rained [1].[2] It stopped.", "It rained. It stopped.", id="a blank only after"),
        pytest.param("It rained there [1]a lot.", "It rained there a lot.", id="a blank only before"),
        pytest.param("[1] Rain", "[1] Rain", id="a list entry of one word"),
        pytest.param(
            "Smith[4] proposes four new ways.", "Smith proposes four new ways.", id="a subject's name"
        ),
        pytest.param("Sun.\n[0] finds that rain falls.", "Sun.\nfinds that rain falls.", id="a line's first"),
        pytest.param(f"{LONG_LINE}\n[3] and more.", f"{LONG_LINE}\nand more.", id="a wrapped line's first"),
        pytest.param(f"{LONG_LINE}\r[3] and more.", f"{LONG_LINE}\rand more.", id="after a carriage return"),
    ],
)
def test_only_the_brackets_and_their_blanks_leave_the_text(text: str, left: str) -> None:
    assert read(text).text == left
