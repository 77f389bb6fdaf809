"""The answer format: every text is read, what is read can be written, and what is written reads back."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths import SAMPLE_CASES
from timing import growth

from refiner.domain import Answer, Claim, Plain
from refiner.formats import answer

FRAGMENTS = [
    *(
        "<answer>",
        "</answer>",
        "<answer/>",
        "<snippet id=A>",
        '<snippets id="A, B">',
        "<cite id='C'>",
        "<snippet>",
    ),
    *(
        "</snippet>",
        "</snippets>",
        "</cite>",
        "<snippet id=A/>",
        "<think>",
        "</think>",
        "<tool_output>",
        "<b>",
    ),
    *(
        "</tool_output>",
        "<",
        ">",
        "</",
        "<sni",
        "ppet id=A>",
        "< answer >",
        "[1]",
        "[1, 2]",
        "[2-4]",
        "[2021]",
    ),
    *(
        "[S17]",
        "(",
        ")",
        "p < 0.05",
        " ",
        "\n",
        "\r\n",
        ".",
        "found. ",
        "The first of them ",
        "é",
        "“",
        "\ud800",
    ),
    *("and", "one two three four five", "x" * 60),
]
hostile = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=14).map("".join)


def claims(found: Answer) -> list[tuple[str, tuple[str, ...]]]:
    return [(claim.text, claim.ids) for claim in found.claims]


def codes(found: Answer) -> list[str]:
    return [finding.code for finding in found.findings]


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        pytest.param("<snippet id=A,B>x</snippet>", [("x", ("A", "B"))], id="the refiner's own"),
        pytest.param('<snippets id="A">x</snippets>', [("x", ("A",))], id="snippets"),
        pytest.param('<cite id="A">x</cite>', [("x", ("A",))], id="cite"),
        pytest.param('<cite id="a,b,c">x</cite>', [("x", ("a", "b", "c"))], id="upstream keeps only c"),
        pytest.param('<cite id="a, b">x</cite>', [("x", ("a", "b"))], id="upstream loses the claim"),
        pytest.param('<cite ids="a">x</cite>', [("x", ("a",))], id="upstream does not know ids"),
        pytest.param("<snippet id=A>p < 0.05</snippet>", [("p < 0.05", ("A",))], id="upstream stops at <"),
        pytest.param(
            "<snippet id=A>a <b>b</b></snippet>", [("a <b>b</b>", ("A",))], id="upstream stops at <b>"
        ),
        pytest.param("<snippet id=A>a<b, c>d</snippet>", [("a<b, c>d", ("A",))], id="comparisons"),
        pytest.param(
            "<snippet id=A>x</snippet> <snippet id=B>x</snippet>", [("x", ("A",)), ("x", ("B",))], id="twice"
        ),
        pytest.param("<snippet id=A> x\n</snippet>", [("x", ("A",))], id="blanks are no claim's"),
        pytest.param(
            "<snippet id=A>x</snippet> more [1].", [("x", ("A",))], id="brackets beside tags are text"
        ),
    ],
)
def test_a_claim_is_read_with_its_ids(inner: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    assert claims(answer.parse(f"<answer>{inner}</answer>")) == expected


@pytest.mark.parametrize(
    ("text", "code", "line", "written"),
    [
        pytest.param("\nx\ny", "no_block", 1, "x\ny", id="no block"),
        pytest.param(
            "<answer>a</answer>\n<answer>b</answer>", "several_blocks", 2, "b", id="the last counts"
        ),
        pytest.param("\n<answer>a", "unclosed_answer", 2, "a", id="unclosed answer"),
        pytest.param("Sure:\n<answer>a</answer>", "outside_block", 1, "a", id="outside"),
        pytest.param("-<answer>a</answer>", "outside_block", 1, "a", id="one character outside"),
        pytest.param(
            "<answer><snippet id=A>a\nb",
            "unclosed_claim",
            1,
            "<snippet id=A>a</snippet>\nb",
            id="unclosed claim",
        ),
        pytest.param(
            "<answer><snippet id=A>a <cite id=B>b</cite> c</snippet></answer>",
            "nested_claim",
            1,
            "<snippet id=A>a</snippet> <snippet id=B>b</snippet> <snippet id=A>c</snippet>",
            id="nested",
        ),
        pytest.param("<answer>a<snippet id=A> </snippet></answer>", "empty_claim", 1, "a", id="empty"),
        pytest.param("<answer>a <cite id=A/></answer>", "empty_claim", 1, "a", id="empty in one tag"),
        pytest.param("<answer><snippet>a</snippet></answer>", "claim_without_id", 1, "a", id="no id"),
        pytest.param("<answer>\n\na</snippet></answer>", "stray_tag", 3, "a", id="closes nothing"),
        pytest.param(
            "<answer>a\n <b>b</b>\n<i></answer>", "unknown_tag", 2, "a\n <b>b</b>\n<i>", id="unknown"
        ),
        pytest.param("<answer>a</think>b</answer>", "stray_tag", 1, "ab", id="no thinking to close"),
        pytest.param("<answer>a</answer> <sni", "cut_tag", 1, "a", id="cut off"),
        pytest.param("<think>x <answer>a</answer>", "unclosed_think", 1, "a", id="unclosed thought"),
        pytest.param(
            "<answer><cite id=A,A>a</cite></answer>",
            "repeated_id",
            1,
            "<snippet id=A>a</snippet>",
            id="repeated",
        ),
    ],
)
def test_a_repair_is_a_finding_with_its_line(text: str, code: str, line: int, written: str) -> None:
    found = answer.parse(text)
    assert (code, line) in [(finding.code, finding.line) for finding in found.findings]
    assert answer.write(found) == f"<answer>{written}</answer>"


def test_a_hostile_text_yields_a_dozen_findings_and_not_thousands() -> None:
    (finding,) = answer.parse("<answer>" + "</snippet>" * 5000 + "</answer>").findings
    assert finding.code == "stray_tag"
    assert "5000 times" in finding.message


def test_a_finding_says_how_often_the_repair_was_needed_if_it_was_more_than_once() -> None:
    (once,) = answer.parse("<answer>It rained.</snippet></answer>").findings
    (twice,) = answer.parse("<answer>It</cite> rained.</snippet></answer>").findings
    assert "times" not in once.message
    assert twice.message == f"{once.message} (2 times)"


def test_a_closing_tag_of_no_block_is_one_stray_tag() -> None:
    (_, stray) = answer.parse("It rained.</answer>").findings
    assert (stray.code, "times" in stray.message) == ("stray_tag", False)


def test_findings_come_in_the_order_of_the_text() -> None:
    found = answer.parse("<answer>It <b>really</b> rained.</snippet></answer>")
    assert codes(found) == ["unknown_tag", "stray_tag"]


@pytest.mark.parametrize(
    ("tail", "left"),
    [
        pytest.param("<sn", "", id="two letters of a name"),
        pytest.param("<s", "<s", id="one letter may be a variable"),
        pytest.param("<", "<", id="a sign may be a comparison"),
        pytest.param("</", "", id="the beginning of a closing tag"),
        pytest.param("</s", "", id="a closing tag of one letter"),
        pytest.param("</b", "</b", id="a closing tag of another name"),
        pytest.param('<snippet id="A', "", id="within an attribute"),
        pytest.param("<span id=A", "<span id=A", id="another tag's attribute"),
    ],
)
def test_a_tag_of_the_format_that_the_end_cuts_off_is_left_out(tail: str, left: str) -> None:
    alone, after_words = answer.parse(tail), answer.parse(f"<answer>It rained. {tail}")
    assert (alone.text, after_words.text) == (left, f"It rained. {left}".strip())
    assert ("cut_tag" in codes(alone)) is ("cut_tag" in codes(after_words)) is (left == "")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<answer>yes<answer/>", id="closes the open block"),
        pytest.param("<answer/>yes</answer>", id="opens a block"),
    ],
)
def test_an_empty_answer_tag_closes_the_open_block_or_opens_one(text: str) -> None:
    found = answer.parse(text)
    assert (found.text, found.findings) == ("yes", ())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<think>First <answer>no</answer></think><answer>yes</answer>", id="closed"),
        pytest.param(
            "First <snippet id=z>no</snippet></think>\n<answer>yes</answer>", id="opened by the prompt"
        ),
        pytest.param("</think>\n<answer>yes</answer>", id="opened by the prompt and empty"),
        pytest.param("<answer>y<think>Or no?</think>es</answer>", id="within the answer"),
        pytest.param(
            "<answer>y<think>So <cite id=z>no</cite>?</think>es</answer>", id="a claim within the thinking"
        ),
    ],
)
def test_thinking_is_dropped_in_silence(text: str) -> None:
    found = answer.parse(text)
    assert (found.text, found.findings) == ("yes", ())


def test_a_claim_left_open_does_not_take_the_next_one_with_it() -> None:
    found = answer.parse("<answer><snippet id=A>one. <snippet id=B>two</snippet> three</answer>")
    assert claims(found) == [("one.", ("A",)), ("two", ("B",))]


def test_thinking_that_begins_at_the_end_is_named_once() -> None:
    assert codes(answer.parse("<answer>yes</answer><think>")) == ["unclosed_think"]


def test_claims_left_open_end_with_their_lines_and_no_word_is_read_twice() -> None:
    found = answer.parse("<answer>So <cite id=A>rain fell\n<cite id=B>snow fell\nand melted</answer>")
    assert claims(found) == [("rain fell", ("A",)), ("snow fell", ("B",))]
    assert found.text == "So rain fell\nsnow fell\nand melted"


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        pytest.param(
            "<cite id=A>rain <cite>fell</cite></cite>", [("rain", ("A",)), ("fell", ("A",))], id="in a claim"
        ),
        pytest.param(
            "<cite id=A>rain <cite id=B>fell <cite>hard</cite></cite></cite>",
            [("rain", ("A",)), ("fell", ("B",)), ("hard", ("B",))],
            id="in a claim in a claim",
        ),
    ],
)
def test_a_claim_without_an_id_inside_another_cites_what_that_cites(
    inner: str, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    assert claims(answer.parse(f"<answer>{inner}</answer>")) == expected


@pytest.mark.parametrize(
    ("inner", "parts"),
    [
        pytest.param("\n\n<cite id=A>rain</cite>\n", ["rain"], id="blanks around a claim"),
        pytest.param("It: <cite id=A>rain</cite>\n", ["It: ", "rain"], id="blanks after a claim"),
        pytest.param("<cite id=A>rain</cite>\n It was", ["rain", "\n It was"], id="words after a claim"),
        pytest.param("<cite id=A>rain  \nIt was", ["rain", "  \nIt was"], id="plain text of two origins"),
    ],
)
def test_parts_are_trimmed_at_the_ends_and_plain_text_is_one_part(inner: str, parts: list[str]) -> None:
    assert [part.text for part in answer.parse(f"<answer>{inner}</answer>").parts] == parts


def test_a_draft_without_a_block_is_read_whole_and_without_a_finding() -> None:
    found = answer.parse("It rained [1].", expect_block=False)
    assert (found.text, claims(found), found.findings) == ("It rained.", [("It rained", ("1",))], ())


def test_a_model_that_wrote_the_block_cites_by_its_tags_alone() -> None:
    held = answer.parse("<answer>It rained [99].</answer>", ("1",))
    assert claims(held) == []
    assert held.text == "It rained [99]."
    assert claims(answer.parse("It rained [99].", ("1",))) == [("It rained", ("99",))]


def test_brackets_count_where_tags_made_no_claim() -> None:
    in_block = answer.parse("<answer>It rained [1].</answer>", expect_block=False)
    assert claims(in_block) == [("It rained", ("1",))]
    without_id = answer.parse("<answer><snippet>It</snippet> rained [1].</answer>", expect_block=False)
    assert claims(without_id) == [("It", ("1",)), ("rained", ("1",))]


def test_an_empty_answer_is_written_and_read() -> None:
    assert answer.write(answer.parse("")) == "<answer></answer>"
    assert answer.parse("<answer></answer>") == Answer("<answer></answer>", ())


def test_text_joined_over_a_removed_tag_makes_no_new_tag() -> None:
    found = answer.parse("<answer><sni</cite>ppet id=A>x</answer>")
    assert answer.write(found) == "<answer>‹snippet id=A>x</answer>"


def test_an_answer_built_by_hand_cannot_break_the_format() -> None:
    built = Answer("", (Plain("a</answer>", 0, 10), Claim("b</snippet>", ("x y>",), 10, 21)))
    assert answer.write(built) == "<answer>a‹/answer><snippet id=x_y_>b‹/snippet></snippet></answer>"


@given(text=hostile, expect_block=st.booleans())
def test_every_part_is_a_span_of_the_raw_text_in_order(text: str, *, expect_block: bool) -> None:
    found = answer.parse(text, {"S17"}, expect_block=expect_block)
    assert found.raw == text
    assert all(part.text == text[part.start : part.end] != "" for part in found.parts)
    ends = [part.end for part in found.parts]
    assert all(end <= part.start for end, part in zip(ends, found.parts[1:], strict=False))
    assert all(claim.ids and claim.text.strip() == claim.text for claim in found.claims)
    assert all(len(set(claim.ids)) == len(claim.ids) for claim in found.claims)
    assert len(set(codes(found))) == len(codes(found))


@given(text=hostile, known=st.sampled_from([frozenset(), frozenset({"S17"})]), expect_block=st.booleans())
def test_what_is_written_reads_back_without_a_repair(
    text: str, known: frozenset[str], *, expect_block: bool
) -> None:
    first = answer.parse(text, known, expect_block=expect_block)
    written = answer.write(first)
    second = answer.parse(written, known)
    assert claims(second) == claims(first)
    assert second.text.replace("<", "‹") == first.text.replace("<", "‹")
    assert set(codes(second)) <= {"unknown_tag"}
    assert answer.write(second) == written


@given(st.text())
def test_no_text_raises(text: str) -> None:
    assert answer.write(answer.parse(text)).startswith("<answer>")


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "<snippet ",
            "<",
            "< ",
            "<snippet id=a>",
            "<snippet id=a>x</snippet>",
            "[1] ",
            "a [1]. ",
            "\n [1]",
            "[1-30]",
        ),
        *(
            "<think>",
            "</think>",
            "<answer>",
            "<tool_output><think>",
            "“",
            "[",
            "<b>",
            '"a" ',
            "</",
            "a=",
            "\t",
        ),
    ],
)
def test_reading_takes_linear_time(piece: str) -> None:
    def read(length: int) -> None:
        text = piece * (length // len(piece))
        answer.write(answer.parse(f"<snippet id={text}"))
        answer.parse(text)

    assert growth(read, 200_000) < 16


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("p < 0.05 and p<0.05", "p < 0.05 and p<0.05", id="comparisons stay"),
        pytest.param("</answer><snippet id=a>", "‹/answer>‹snippet id=a>", id="ours"),
        pytest.param("</response><criterion>", "‹/response>‹criterion>", id="a judge's fence"),
        pytest.param("< / answer> < snippet id=a>", "‹ / answer> ‹ snippet id=a>", id="ours after blanks"),
        pytest.param(
            "<|im_end|><!-- <?xml <▁x <｜x｜>", "‹|im_end|>‹!-- ‹?xml ‹▁x ‹｜x｜>", id="a template's"
        ),
    ],
)
def test_defang_makes_tags_harmless(text: str, expected: str) -> None:
    assert answer.defang(text) == expected


@given(hostile)
def test_a_defanged_text_holds_no_tag_keeps_its_length_and_stays(text: str) -> None:
    harmless = answer.defang(text)
    assert len(harmless) == len(text)
    assert answer.defang(harmless) == harmless
    found = answer.parse(f"<answer><snippet id=A>x{harmless}</snippet></answer>")
    assert "".join(found.text.split()) == "".join(f"x{harmless}".split())
    assert {ids for _, ids in claims(found)} == {("A",)}


def test_an_invented_id_is_named_once() -> None:
    found = answer.parse("<answer><cite id=1,9>a</cite> <cite id=9,8>b</cite></answer>")
    assert answer.invented_ids(found, {"1"}) == ("9", "8")


def cases() -> Sequence[dict[str, object]]:
    lines = (SAMPLE_CASES).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    ("index", "cited", "invented"),
    [
        pytest.param(0, ["0", "1", "2", "3"], (), id="norman_bio_2"),
        pytest.param(1, ["0", "1", "2", "4"], ("4",), id="weijia_cs_2"),
        pytest.param(2, [str(number) for number in range(10)], (), id="akari_cs_2"),
    ],
)
def test_a_real_draft_gives_every_citation(index: int, cited: list[str], invented: tuple[str, ...]) -> None:
    case = cases()[index]
    known = {source["id"] for source in case["sources"]}  # type: ignore[attr-defined] # JSON of a known shape
    found = answer.parse(str(case["draft"]), known, expect_block=False)
    assert sorted({one for claim in found.claims for one in claim.ids}) == cited
    assert answer.invented_ids(found, known) == invented
    assert "[" not in found.text
    assert " ." not in found.text
