"""The page's functions as plain functions: fields to a request, stages to views, runs that stop, votes that are kept."""

import multiprocessing
import pickle
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from refiner.domain import (
    Finished,
    GenerationProgress,
    JudgingProgress,
    Options,
    Prepared,
    Refinement,
    Request,
    Source,
    Stage,
    Usage,
)
from refiner.engines.scripted import ScriptedEngine
from refiner.errors import EngineError, InputError, RefinerError
from refiner.feedback.storage.store import Store
from refiner.formats.sources import read
from refiner.judges.lexical.judge import LexicalJudge
from refiner.settings import Settings
from refiner.ui import theme, zerogpu
from refiner.ui.inputs import fields
from refiner.ui.page import Work, build
from refiner.ui.rating import form
from refiner.ui.run.duration import Pace
from refiner.ui.run.follow import View, follow
from refiner.ui.run.stopping import Runs, stages_of
from refiner.ui.run.waiting_queue import Line

SOURCES = (Source("s1", "The sky is blue on a clear day. Water is wet."),)
REQUEST = Request("Why is the sky blue?", "The sky is blue [s1]. It is high.", SOURCES)
ANSWER = "<answer><snippet id=s1>The sky is blue on a clear day.</snippet> It is high.</answer>"
NO_RUBRIC = [["", "", "asks for", "1"]]


def given(
    question: str = "Q?", draft: str = "A draft.", pasted: str = "[1] T. The text."
) -> tuple[object, ...]:
    """The fields as Gradio gives them."""
    return (
        question,
        draft,
        "Paste",
        pasted,
        [["", "", "", ""]],
        NO_RUBRIC,
        "As the model does best",
        64,
        0,
        None,
        False,
    )


def views(
    engine: ScriptedEngine, request: Request = REQUEST, stop_file: str = "/nonexistent/stop"
) -> list[View]:
    return list(follow(stages_of(engine, LexicalJudge()), request, Options(), stop_file))


def refinement() -> Refinement:
    done = views(ScriptedEngine([ANSWER]))[-1].done
    assert done is not None
    return done


# --- fields ----------------------------------------------------------------------------------------

LACKING = [
    pytest.param({"question": " "}, "no question", id="question"),
    pytest.param({"draft": "\n"}, "no draft", id="draft"),
    pytest.param({"pasted": ""}, "no sources", id="sources"),
]


@pytest.mark.parametrize(("field", "words"), LACKING)
def test_what_is_lacking_is_said_and_no_model_is_asked(field: dict[str, str], words: str) -> None:
    engine = ScriptedEngine([ANSWER])
    [view] = Work(engine, Runs(), stages_of(engine, LexicalJudge())).refine("me", *given(**field))
    assert words in view.status
    assert (view.running, view.result, engine.requests) == (False, None, [])


def test_sources_in_the_draft_itself_are_found() -> None:
    draft = "<tool_output><snippet id=a1>Title: T\nSnippet: Found text.</snippet></tool_output>\n<answer>It is so.</answer>"
    request = fields.request("Q?", draft, (), NO_RUBRIC)
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
    [one] = fields.criteria([row, ["", "", "asks for", "1"]])
    assert (one.title, one.description, one.polarity, one.weight) == wanted
    assert fields.criteria(fields.criteria_rows([one])) == (one,)


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
        fields.criteria([["T", "D", "", "1"], row])


@pytest.mark.parametrize(("tokens", "temperature"), [(15, 0), (8193, 0), (64, -0.1), (64, 2.1)])
def test_numbers_out_of_range_are_refused(tokens: int, temperature: float) -> None:
    with pytest.raises(InputError):
        fields.options("As the model does best", tokens, temperature, None)


def test_every_example_is_read_without_a_finding_and_cites_what_it_has() -> None:
    cases = fields.examples()
    assert len(cases) >= 6
    for case in cases:
        sources, found = read(case.sources)
        assert sources
        assert not found
        assert fields.request(case.question, case.draft, sources, NO_RUBRIC).sources == sources


# --- stages to views -------------------------------------------------------------------------------


def test_a_run_ends_with_its_result_to_be_rated() -> None:
    seen = views(ScriptedEngine([ANSWER]))
    assert [view.running for view in seen] == [True] * (len(seen) - 1) + [False]
    assert seen[-1].done is not None
    assert "What changed" in (seen[-1].result or "")


def test_a_failure_is_said_and_what_was_written_stays() -> None:
    seen = views(ScriptedEngine([ANSWER], fail_after=48, failure="The model ran out of memory."))
    assert "The model ran out of memory." in seen[-1].status
    assert (seen[-1].running, seen[-1].done) == (False, None)
    assert "What was written so far" in (seen[-1].result or "")
    assert "The sky is blue on a clea" in (seen[-1].result or "")
    assert "caret" not in (seen[-1].result or "")


def test_a_bug_stays_loud() -> None:
    def broken(_request: Request, _options: Options, _stop_file: str) -> Iterator[Stage]:
        yield Prepared((), 1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(follow(broken, REQUEST, Options(), ""))


def test_a_run_says_how_long_each_step_took_and_from_the_second_on_what_to_expect() -> None:
    engine, pace = ScriptedEngine([ANSWER], delay=0.05), Pace()
    seen = [
        [
            view.status
            for view in follow(
                stages_of(engine, LexicalJudge()), REQUEST, Options(), "/nonexistent/stop", pace=pace
            )
        ]
        for _ in range(2)
    ]
    assert "of about" not in seen[0][0]
    assert pace.runs(2) == pytest.approx(2 * (pace.runs(1) or 0.0))
    writing = [status for status in seen[1] if ">Writing " in status and "data-clock" in status]
    assert any("of about" in status or "longer than usual" in status for status in writing)
    judging = next(status for status in seen[1] if "Judging 0 of" in status)
    assert "Read " in judging
    assert "Wrote " in judging
    assert "Done in" in seen[1][-1]


def test_a_blind_run_tells_nothing_of_the_answer_before_the_vote() -> None:
    engine = ScriptedEngine([ANSWER], delay=0.02, step=8)
    seen = list(
        follow(stages_of(engine, LexicalJudge()), REQUEST, Options(), "/nonexistent/stop", blind="refined")
    )
    assert [view.result for view in seen[:-1]] == [None] * (len(seen) - 1)
    shown = seen[-1].result or ""
    assert seen[-1].blind == "refined"
    assert shown.index("The sky is blue on a clear day.") < shown.index("It is high.")
    for word in ("scripted", "score", "ins>", "del>", "badge", "support"):
        assert word not in shown.casefold(), word


def test_the_sides_of_blind_runs_are_drawn() -> None:
    engine = ScriptedEngine([ANSWER])
    work = Work(engine, Runs(), stages_of(engine, LexicalJudge()))
    fields_ = (*given()[:-1], True)
    assert {list(work.refine("me", *fields_))[-1].blind for _ in range(20)} == {"refined", "draft"}


def test_what_a_stopped_run_took_is_not_learnt() -> None:
    pace = Pace()
    pace.learn(replace(refinement(), usage=Usage(10, 10, 1, 1.0, 2.0, ended="stopped")), 5, 1.0)
    assert pace.runs(1) is None


@pytest.fixture
def hundredths(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The hundredths of 0.55 seconds, on the clock that the views look at."""
    clock = SimpleNamespace(now=1000.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(sys.modules[follow.__module__], "time", clock)

    def passing() -> Iterator[int]:
        for number in range(55):
            yield number
            clock.now += 0.01

    return passing()


def test_text_is_shown_at_most_ten_times_a_second(hundredths: Iterator[int]) -> None:
    def fast(_request: Request, _options: Options, _stop_file: str) -> Iterator[Stage]:
        for _ in hundredths:
            yield GenerationProgress("<answer>", Usage())

    assert 4 <= len(list(follow(fast, REQUEST, Options(), ""))) <= 6


def test_judging_is_told_at_most_ten_times_a_second_and_its_diff_drawn_once(
    hundredths: Iterator[int],
) -> None:
    done = refinement()

    def fast(_request: Request, _options: Options, _stop_file: str) -> Iterator[Stage]:
        yield Prepared((), 1)
        yield GenerationProgress("<answer>", Usage())
        for told in hundredths:
            yield JudgingProgress(done.answer, done.draft, done.changes, done.usage, told, 10**9)
        yield Finished(done)

    _, _, first, *more, last = follow(fast, REQUEST, Options(), "")
    assert "Judging 0 of" in first.status
    assert "What changed" in (first.result or "")
    assert 1 <= len(more) <= 5
    assert all("Judging " in view.status and view.result is None for view in more)
    assert last.done is done


def test_leaving_a_run_ends_the_work_behind_it() -> None:
    ended = threading.Event()

    def work(_request: Request, _options: Options, _stop_file: str) -> Iterator[Stage]:
        try:
            yield Prepared((), 1)
            yield Prepared((), 2)
        finally:
            ended.set()

    running = follow(work, REQUEST, Options(), "")
    next(running)
    running.close()  # type: ignore[attr-defined]  # it is a generator, typed as the iterator it is used as
    assert ended.is_set()


# --- runs ------------------------------------------------------------------------------------------


def test_stop_ends_the_run_keeps_the_text_and_the_next_one_starts_at_once() -> None:
    engine = ScriptedEngine([ANSWER], delay=0.2, step=8)
    work = Work(engine, Runs(), stages_of(engine, LexicalJudge()))
    running = work.refine("me", *given())
    next(view for view in running if "sky" in (view.result or ""))
    began = time.monotonic()
    assert work.runs.stop("me")
    *_, last = running
    assert time.monotonic() - began < 1.0
    assert last.done is not None
    assert last.done.usage.ended == "stopped"
    assert "sky" in last.done.answer.text
    assert not work.runs.stop("me"), "the run is cleared away"
    assert next(work.refine("me", *given())).running


def test_a_stop_reaches_a_forked_process(tmp_path: Path) -> None:
    """As on ZeroGPU: the child shares no event with its parent, and hands over what it yields."""
    stop_file, stages = (
        tmp_path / "stop",
        stages_of(ScriptedEngine([ANSWER], delay=0.2, step=8), LexicalJudge()),
    )
    fork = multiprocessing.get_context("fork")
    results = fork.SimpleQueue()

    def child() -> None:
        for stage in stages(REQUEST, Options(), str(stop_file)):
            results.put(stage)

    process = fork.Process(target=child)
    process.start()
    seen = [results.get()]
    stop_file.touch()
    while not isinstance(seen[-1], Finished):
        seen.append(results.get())
    process.join(10)
    assert seen[-1].refinement.usage.ended == "stopped"


def test_a_forked_process_tells_how_far_judging_is() -> None:
    stages, fork = stages_of(ScriptedEngine([ANSWER]), LexicalJudge()), multiprocessing.get_context("fork")
    results = fork.SimpleQueue()

    def child() -> None:
        for stage in stages(REQUEST, Options(), "/nonexistent/stop"):
            results.put(stage)

    process = fork.Process(target=child)
    process.start()
    seen = [results.get()]
    while not isinstance(seen[-1], Finished):
        seen.append(results.get())
    process.join(10)
    told = [(stage.done, stage.total) for stage in seen if isinstance(stage, JudgingProgress)]
    assert [done for done, _ in told] == list(range(told[0][1] + 1))


def test_a_stop_reaches_its_own_session_only() -> None:
    runs = Runs()
    with runs.open("a") as first, runs.open("b") as second:
        runs.stop("b")
        assert (Path(first).exists(), Path(second).exists()) == (False, True)
    assert not Path(second).exists()


def test_a_new_run_of_a_session_stops_the_one_before() -> None:
    runs = Runs()
    with runs.open("a") as first, runs.open("a") as second:
        assert (Path(first).exists(), Path(second).exists()) == (True, False)


def test_stopping_where_nothing_runs_does_nothing() -> None:
    assert not Runs().stop("nobody")


@pytest.mark.parametrize("error", [InputError("a"), EngineError("b")], ids=["input", "engine"])
def test_what_crosses_into_a_forked_process_can_be_pickled(error: RefinerError) -> None:
    for value in (REQUEST, Options(), refinement(), error):
        assert str(pickle.loads(pickle.dumps(value))) == str(value)  # noqa: S301 - our own bytes


def test_without_zerogpu_the_work_is_left_as_it_is() -> None:
    work = stages_of(ScriptedEngine([ANSWER]), LexicalJudge())
    assert zerogpu.on_gpu(work, zerogpu.expected_seconds) is work


@pytest.mark.parametrize(("tokens", "least", "most"), [(16, 20, 20), (1024, 30, 60), (8192, 240, 240)])
def test_the_time_asked_for_grows_with_the_answer_and_is_bounded(tokens: int, least: int, most: int) -> None:
    assert least <= zerogpu.expected_seconds(REQUEST, Options(max_new_tokens=tokens), "file") <= most


# --- the line --------------------------------------------------------------------------------------


def test_the_line_serves_in_order_and_tells_each_its_place() -> None:
    line = Line()
    with line.join() as first:
        with line.join() as second, line.join() as third:
            assert [line.ahead(one) for one in (first, second, third)] == [0, 1, 2]
        with line.join() as later:
            assert line.ahead(later) == 1


def test_a_second_visitor_waits_is_told_so_and_can_leave_or_be_served() -> None:
    engine = ScriptedEngine([ANSWER], delay=0.2, step=8)
    work = Work(engine, Runs(), stages_of(engine, LexicalJudge()))
    running = work.refine("first", *given())
    next(view for view in running if "sky" in (view.result or ""))
    second, third = work.refine("second", *given()), work.refine("third", *given())
    assert "1 run before yours" in next(second).status
    assert "2 runs before yours" in next(third).status
    work.runs.stop("second")
    [left] = second
    assert (left.running, "Stopped before it began" in left.status) == (False, True)
    work.runs.stop("first")
    assert [view.done is not None for view in running][-1]
    *_, last = third
    assert last.done is not None
    assert len(engine.requests) == 2


# --- the page --------------------------------------------------------------------------------------


@pytest.fixture(name="page", scope="module")
def _page(tmp_path_factory: pytest.TempPathFactory) -> gr.Blocks:
    url = f"sqlite:///{(tmp_path_factory.mktemp('store') / 'f.db').as_posix()}"
    return build(ScriptedEngine([ANSWER]), LexicalJudge(), Store(url), Settings())


def test_the_page_builds_and_offers_no_helper_as_api(page: gr.Blocks) -> None:
    assert page.get_api_info()["named_endpoints"] == {}


def test_analytics_are_off(page: gr.Blocks) -> None:
    assert page.analytics_enabled is False


def test_the_keys_are_printed_on_their_buttons(page: gr.Blocks) -> None:
    words = {block.value for block in page.blocks.values() if isinstance(block, gr.Button)}
    assert {"Refine (Ctrl+Enter)", "Stop (Esc)", *form.labels()} <= words


def test_every_html_component_keeps_the_template_that_runs_nothing(page: gr.Blocks) -> None:
    assert {block.html_template for block in page.blocks.values() if isinstance(block, gr.HTML)} == {
        "${value}"
    }


def test_theme_and_head_name_no_other_host() -> None:
    options = theme.launch_options(Settings())
    for sheet in (theme.theme()._get_theme_css(), options["head"], *map(str, theme.theme()._font_css)):
        assert "http" not in sheet.replace("http://www.w3.org/2000/svg", "")
