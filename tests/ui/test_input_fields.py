"""The page's fields become a request, options, sources and criteria, or an error that names the field."""

from dataclasses import replace

import pytest
from page_runs import ANSWER, SOURCES, values

from refiner.domain import Source
from refiner.engines.scripted import ScriptedEngine
from refiner.errors import InputError
from refiner.formats.sources import parse
from refiner.judges.lexical.judge import LexicalJudge
from refiner.ui.inputs import fields
from refiner.ui.run.controller import RunController
from refiner.ui.run.stopping import make_run_function

LACKING = [
    pytest.param({"question": " "}, "no question", id="question"),
    pytest.param({"draft": "\n"}, "no draft", id="draft"),
    pytest.param({"pasted": ""}, "no sources", id="sources"),
]


@pytest.mark.parametrize(("field", "words"), LACKING)
def test_what_is_lacking_is_said_and_no_model_is_asked(field: dict[str, str], words: str) -> None:
    engine = ScriptedEngine([ANSWER])
    [view] = RunController(engine, make_run_function(engine, LexicalJudge())).refine("me", values(**field))
    assert words in view.status
    assert (view.running, view.result, engine.requests) == (False, None, [])


def test_sources_in_the_draft_itself_are_found() -> None:
    draft = "<tool_output><snippet id=a1>Title: T\nSnippet: Found text.</snippet></tool_output>\n<answer>It is so.</answer>"
    request = fields.read_request(values(draft=draft, pasted=""))
    assert [(one.id, one.text) for one in request.sources] == [("a1", "Found text.")]


def test_the_table_is_read_when_it_is_switched_on() -> None:
    rows = [["a", "T", "Text.", "https://example.org"], ["", "", "", ""]]
    assert fields.read_sources("Table", "[1] T. Other.", rows)[0] == (
        Source("a", "Text.", "T", "https://example.org"),
    )
    assert [one.text for one in fields.read_sources("Paste", "[1] Title. Other.", rows)[0]] == ["Other."]


def test_rows_of_sources_come_back_as_they_were() -> None:
    assert fields.read_sources("Table", "", fields.source_rows(SOURCES))[0] == SOURCES


RUBRIC = [
    pytest.param(["T", "D", "fault", "2"], ("T", "D", "negative", 2.0), id="fault"),
    pytest.param(["T", "", "", ""], ("T", "T", "positive", 1.0), id="title-only"),
    pytest.param([None, "D", "Asks for", 0.5], ("D", "D", "positive", 0.5), id="description-only"),
]


@pytest.mark.parametrize(("row", "wanted"), RUBRIC)
def test_a_row_of_the_rubric_becomes_a_criterion(row: list[object], wanted: tuple[object, ...]) -> None:
    [one] = fields.read_criteria([row, ["", "", "asks for", "1"]])
    assert (one.title, one.description, one.polarity, one.weight) == wanted
    assert fields.read_criteria(fields.criteria_rows([one])) == (one,)


BAD_ROWS = [
    pytest.param(["T", "D", "maybe", "1"], "kind", id="kind"),
    *(
        pytest.param(["T", "D", "", bad], "weight", id=bad)
        for bad in ("0", "-1", "nan", "inf", "much", "1e9")
    ),
]


@pytest.mark.parametrize(("row", "words"), BAD_ROWS)
def test_a_row_that_cannot_be_read_is_named(row: list[str], words: str) -> None:
    with pytest.raises(InputError, match=f"row 2.*{words}"):
        fields.read_criteria([["T", "D", "", "1"], row])


@pytest.mark.parametrize(("tokens", "temperature"), [(15, 0), (8193, 0), (64, -0.1), (64, 2.1)])
def test_numbers_out_of_range_are_refused(tokens: int, temperature: float) -> None:
    with pytest.raises(InputError):
        fields.read_options(replace(values(), max_new_tokens=tokens, temperature=temperature))


def test_every_example_is_read_without_a_finding_and_cites_what_it_has() -> None:
    cases = fields.examples()
    assert len(cases) >= 6
    for case in cases:
        sources, found = parse(case.sources)
        assert sources
        assert not found
        assert fields.read_request(values(case.question, case.draft, case.sources)).sources == sources
