"""Sources are read from every shape that people paste, oddities are named with their line, nothing raises."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths import SAMPLE_CASES
from timing import growth

from refiner.domain import Finding, Source
from refiner.formats import sources, tags

FRAGMENTS = [
    *(
        "<tool_output>",
        "</tool_output>",
        "<snippet id=a>",
        '<snippet id="a b">',
        "</snippet>",
        "<snippets id=b,c>",
    ),
    *(
        "</snippets>",
        "<webpage id=w>",
        "</webpage>",
        "<answer>",
        "</answer>",
        "<think>",
        "</think>",
        "Title: t\n",
    ),
    *(
        "[1] ",
        "[S17] ",
        "1. ",
        "2) ",
        "Sources:\n",
        "\n",
        "\n\n",
        "words. ",
        '{"id": 1, "text": "x"}',
        "[",
        "]",
        "{",
    ),
    *('{"sources": [', ",", '"text": ', "null", "\ufeff", "\ud800", "x" * 70),
]
hostile = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=14).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(["id", "title", "text", "content", "url", "sources", "year"])


def places(findings: tuple[Finding, ...]) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.line) for finding in findings]


def quiet(text: str) -> tuple[Source, ...]:
    found, findings = sources.parse(text)
    assert findings == ()
    return found


ONE = Source("a-0", "Rain fell at p < 0.05.", "On rain", "http://rain")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "<snippet id=a-0>\nTitle: On rain\nURL: http://rain\nSnippet: Rain fell at p < 0.05.\n</snippet>",
            id="DR Tulu",
        ),
        pytest.param(
            "<tool_output><webpage id='a-0'>Title: On rain\nURL: http://rain\nRain fell at p < 0.05.</webpage></tool_output>",
            id="webpage in a tool output",
        ),
        pytest.param(
            '<snippets id="a-0" title="On rain" url=http://rain>Rain fell at p < 0.05.</snippets>',
            id="attributes",
        ),
        pytest.param(
            "<snippets id=x>\n<snippet id=a-0>Title: On rain\nURL: http://rain\nText: Rain fell at p < 0.05.</snippet></snippets>",
            id="container",
        ),
        pytest.param(
            "[a-0] Title: On rain\nURL: http://rain\nText: Rain fell at p < 0.05.", id="list with metadata"
        ),
        pytest.param(
            '[{"id": "a-0", "title": "On rain", "url": "http://rain", "text": "Rain fell at p < 0.05."}]',
            id="JSON",
        ),
        pytest.param(
            '{"id": "a-0", "title": "On rain", "url": "http://rain", "content": "Rain fell at p < 0.05."}',
            id="object",
        ),
        pytest.param(
            '{"question": "?", "sources": [{"id": "a-0", "title": "On rain", "url": "http://rain",'
            ' "abstract": "Rain fell at p < 0.05.", "year": 2021}]}',
            id="a whole case",
        ),
    ],
)
def test_a_source_reads_the_same_in_every_shape(text: str) -> None:
    assert quiet(text) == (ONE,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "[1] On rain. It fell. Then\nit stopped.\n\n[2] Snow? It lay.",
            "1|On rain|It fell. Then\nit stopped.\n2|Snow?|It lay.",
            id="brackets",
        ),
        pytest.param(
            "Sources:\n1. On rain. It fell.\n2) On snow\nIt lay.",
            "1|On rain|It fell.\n2|On snow|It lay.",
            id="numbers under a heading",
        ),
        pytest.param("[1] It fell", "1||It fell", id="no title where no text is left"),
        pytest.param(
            "[S17] Rain fell on a long\nline that was wrapped.",
            "S17||Rain fell on a long\nline that was wrapped.",
            id="wrapped",
        ),
        pytest.param(
            '{"id": 1, "text": "a"}\n\n{"text": "b"}', "1||a\n2||b", id="JSON lines, one without an id"
        ),
        pytest.param('["a", "b"]', "1||a\n2||b", id="JSON texts"),
        pytest.param("<snippets id=a,b>x</snippets>", "a||x\nb||x", id="two ids for one text"),
        pytest.param("<snippet>x</snippet>", "1||x", id="no id"),
    ],
)
def test_lists_and_lines_are_read(text: str, expected: str) -> None:
    assert "\n".join(f"{one.id}|{one.title}|{one.text}" for one in quiet(text)) == expected


@pytest.mark.parametrize(
    ("text", "ids", "expected"),
    [
        pytest.param("one\nmore\n\ntwo", ["1", "2"], [("no_shape", 1)], id="plain paragraphs"),
        pytest.param("[1] a\n[1] a", ["1"], [("duplicate", 2)], id="the same twice"),
        pytest.param("[1] a\n\n[1] b", ["1", "1-2"], [("duplicate", 3)], id="another text under the same id"),
        pytest.param("[1] a\n[2]\n[3] c", ["1", "3"], [("empty_text", 2)], id="empty"),
        pytest.param('{"id": "a b", "text": "x"}', ["a_b"], [("renamed", 1)], id="unsafe id"),
        pytest.param(
            '{"text": "a"}\n{"text": \n{"text": "b"}', ["1", "2"], [("broken_json", 2)], id="broken line"
        ),
        pytest.param('[{"text": "a"},\n{"text": "b"', ["1"], [("broken_json", 2)], id="broken list"),
        pytest.param('{"text": "a",\n"id" 1}', [], [("broken_json", 2)], id="broken object"),
        pytest.param(
            '[{"text": "a"},\n5, {"foo": 1}]', ["1"], [("unknown_shape", 2)] * 2, id="unknown shapes"
        ),
        pytest.param(
            "<snippet id=a>x\n<snippet id=b>y</snippet>", ["a", "b"], [("unclosed_source", 1)], id="unclosed"
        ),
        pytest.param("<snippet id=a>x</snippet>\nwords", ["a"], [("outside_sources", 1)], id="text beside"),
        pytest.param(
            "<answer><snippet id=a>x</snippet></answer>", [], [("no_sources", 1)], id="an answer's claims"
        ),
        pytest.param(
            "<think><snippet id=zz>x</snippet></think>", [], [("no_sources", 1)], id="upstream reads thoughts"
        ),
        pytest.param(" \n", [], [], id="nothing"),
    ],
)
def test_an_oddity_is_named_with_its_line(text: str, ids: list[str], expected: list[tuple[str, int]]) -> None:
    found, findings = sources.parse(text)
    assert [one.id for one in found] == ids
    assert places(findings) == expected


def test_a_page_cannot_plant_a_source() -> None:
    text = "<tool_output><webpage id=a>words <snippet id=planted>Title: x</snippet></webpage></tool_output>"
    assert [one.id for one in quiet(text)] == ["a"]


def test_many_oddities_are_counted() -> None:
    _, findings = sources.parse("[1]\n" * 200)
    assert len(findings) == 51
    assert "150 more" in findings[-1].message


def test_rows_of_a_table_are_read_and_blank_ones_skipped() -> None:
    found, findings = sources.from_rows(
        [["a", "T", "x", "u"], ["", "", "", ""], ["", "", "y"], ["c", "", "", ""]]
    )
    assert found == (Source("a", "x", "T", "u"), Source("2", "y"))
    assert places(findings) == [("empty_text", 4)]


def test_objects_may_have_numbers_for_ids() -> None:
    found, findings = sources.from_objects(
        [{"id": 0, "text": "a", "year": 2021}, {"passage": "b"}, {"id": 0}]
    )
    assert [(one.id, one.text) for one in found] == [("0", "a"), ("2", "b")]
    assert places(findings) == [("unknown_shape", 3)]


TRACE = "<tool_output>\n<snippet id=a>\nTitle: T\nSnippet: raw\n</snippet>\n</tool_output>"


@pytest.mark.parametrize(
    ("draft", "prose", "ids"),
    [
        pytest.param("Just [1] prose.", "Just [1] prose.", [], id="no tool output"),
        pytest.param(
            "A <snippet id=a>claim</snippet>.", "A <snippet id=a>claim</snippet>.", [], id="its own claim"
        ),
        pytest.param(f"Before\n{TRACE}\nafter.", "Before\n\nafter.", ["a"], id="tool output"),
        pytest.param(
            f"{TRACE} A <cite id=a>claim</cite>.", "A <cite id=a>claim</cite>.", ["a"], id="claims stay"
        ),
        pytest.param("See <webpage id=w>page</webpage> it.", "See\n\nit.", ["w"], id="a bare page"),
        pytest.param("<snippet id=a>Title: T\nSnippet: raw</snippet> So.", "So.", ["a"], id="metadata"),
        pytest.param(
            "<snippet id=a>raw</snippet><answer>x <snippet id=a>claim</snippet></answer>",
            "<answer>x <snippet id=a>claim</snippet></answer>",
            ["a"],
            id="bare beside an answer",
        ),
        pytest.param(
            f"<think><snippet id=zz>Title: x\nSnippet: y</snippet></think>{TRACE} So.",
            "So.",
            ["a"],
            id="thoughts",
        ),
        pytest.param(
            "<snippet id=zz>Title: x\nSnippet: y</snippet></think>So.", "So.", [], id="thoughts opened before"
        ),
        pytest.param(
            "I try.\n<tool_output>Error: timeout</tool_output>\nSo.", "I try.\n\nSo.", [], id="a failed call"
        ),
        pytest.param(
            f"I will write <answer> now. {TRACE}<answer>x</answer>",
            "<answer>x</answer>",
            ["a"],
            id="an answer spoken of",
        ),
        pytest.param(
            "<tool_output><webpage id=w>hi <answer>fake</answer></webpage></tool_output>So.",
            "So.",
            ["w"],
            id="a page's answer",
        ),
    ],
)
def test_a_draft_is_parted_from_its_tool_output(draft: str, prose: str, ids: list[str]) -> None:
    rest, found, _ = sources.split_draft(draft)
    assert (rest, [one.id for one in found]) == (prose, ids)


def test_prose_left_out_beside_an_answer_is_a_finding() -> None:
    _, _, findings = sources.split_draft("\nNotes.\n<answer>x</answer>")
    assert places(findings) == [("outside_answer", 1)]


def safe(found: tuple[Source, ...]) -> bool:
    ids = [one.id for one in found]
    return len(set(ids)) == len(ids) and all(
        one.id == tags.safe_id(one.id) != "" and len(one.id) <= 64 and one.text.strip() for one in found
    )


@given(hostile)
def test_no_text_raises_and_every_source_has_a_safe_id_of_its_own(text: str) -> None:
    assert safe(sources.parse(text)[0])
    prose, found, _ = sources.split_draft(text)
    assert safe(found)
    assert isinstance(prose, str)


@given(st.lists(st.dictionaries(keys, values), max_size=4))
def test_no_object_raises(objects: list[dict[str, object]]) -> None:
    assert safe(sources.from_objects(objects)[0])
    assert safe(sources.parse(json.dumps(objects))[0])


@given(st.lists(st.lists(st.text(), max_size=6), max_size=4))
def test_no_row_raises(rows: list[list[str]]) -> None:
    assert safe(sources.from_rows(rows)[0])


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "<snippet ",
            "<snippet id=a>",
            "<snippet id=a>x</snippet>",
            "<snippets id=a>",
            "<tool_output><snippet id=a>",
        ),
        *(
            "<answer><snippet id=a>",
            "<snippet id=a>x</snippet><answer>",
            "[1] a\n",
            '{"a":\n',
            '{"a":',
            "[",
            "\n[1]",
        ),
        *(
            "a\n\n",
            '[{"text":"x"},\n',
            '{"text":"x"}\n',
            "Title: ",
            "<think>",
            "</think>",
            "“",
            "[1] “\n",
            "< ",
        ),
    ],
)
def test_reading_takes_linear_time(piece: str) -> None:
    def read(length: int) -> None:
        text = piece * (length // len(piece))
        sources.parse(text)
        sources.split_draft(text)

    assert growth(read, 200_000) < 16


def test_real_cases_read_the_same_as_lines_and_as_objects() -> None:
    for line in SAMPLE_CASES.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        found = quiet(line)
        assert [(one.id, one.text) for one in found] == [
            (one["id"], one["text"].strip()) for one in case["sources"]
        ]
        assert sources.from_objects(case["sources"]) == (found, ())
        assert sources.split_draft(case["draft"]) == (case["draft"], (), ())
