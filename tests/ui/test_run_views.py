"""The stages of a run become views: what the page shows, how often, and what a blind run hides."""

import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
from page_runs import ANSWER, REQUEST, refinement, values, views

from refiner.domain import (
    Finished,
    GenerationProgress,
    JudgingProgress,
    Options,
    Prepared,
    Request,
    Stage,
    Usage,
)
from refiner.engines.scripted import ScriptedEngine
from refiner.judges.lexical.judge import LexicalJudge
from refiner.ui.run.controller import RunController
from refiner.ui.run.duration import DurationEstimator
from refiner.ui.run.stopping import make_run_function
from refiner.ui.run.views import run_views


def test_a_run_ends_with_its_result_to_be_rated() -> None:
    seen = views(ScriptedEngine([ANSWER]))
    assert [view.running for view in seen] == [True] * (len(seen) - 1) + [False]
    assert seen[-1].finished is not None
    assert "What changed" in (seen[-1].result or "")


def test_a_failure_is_said_and_what_was_written_stays() -> None:
    seen = views(ScriptedEngine([ANSWER], fail_after=48, failure="The model ran out of memory."))
    assert "The model ran out of memory." in seen[-1].status
    assert (seen[-1].running, seen[-1].finished) == (False, None)
    assert "What was written so far" in (seen[-1].result or "")
    assert "The sky is blue on a clea" in (seen[-1].result or "")
    assert "caret" not in (seen[-1].result or "")


def test_a_bug_stays_loud() -> None:
    def broken(_request: Request, _options: Options, _stop_file: str) -> Iterator[Stage]:
        yield Prepared((), 1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(run_views(broken, REQUEST, Options(), ""))


def test_a_run_says_how_long_each_step_took_and_from_the_second_on_what_to_expect() -> None:
    engine, estimator = ScriptedEngine([ANSWER], delay=0.05), DurationEstimator()
    seen = [
        [
            view.status
            for view in run_views(
                make_run_function(engine, LexicalJudge()),
                REQUEST,
                Options(),
                "/nonexistent/stop",
                estimator=estimator,
            )
        ]
        for _ in range(2)
    ]
    assert "of about" not in seen[0][0]
    assert estimator.run_seconds(2) == pytest.approx(2 * (estimator.run_seconds(1) or 0.0))
    writing = [status for status in seen[1] if ">Writing " in status and "data-clock" in status]
    assert any("of about" in status or "longer than usual" in status for status in writing)
    judging = next(status for status in seen[1] if "Judging 0 of" in status)
    assert "Read " in judging
    assert "Wrote " in judging
    assert "Done in" in seen[1][-1]


def test_a_blind_run_tells_nothing_of_the_answer_before_the_vote() -> None:
    engine = ScriptedEngine([ANSWER], delay=0.02, step=8)
    seen = list(
        run_views(
            make_run_function(engine, LexicalJudge()),
            REQUEST,
            Options(),
            "/nonexistent/stop",
            blind_left="refined",
        )
    )
    assert [view.result for view in seen[:-1]] == [None] * (len(seen) - 1)
    shown = seen[-1].result or ""
    assert seen[-1].blind_left == "refined"
    assert shown.index("The sky is blue on a clear day.") < shown.index("It is high.")
    for word in ("scripted", "score", "ins>", "del>", "badge", "support"):
        assert word not in shown.casefold(), word


def test_the_sides_of_blind_runs_are_drawn() -> None:
    engine = ScriptedEngine([ANSWER])
    controller = RunController(engine, make_run_function(engine, LexicalJudge()))
    blind = replace(values(), blind=True)
    assert {list(controller.refine("me", blind))[-1].blind_left for _ in range(20)} == {"refined", "draft"}


def test_what_a_stopped_run_took_is_not_learnt() -> None:
    estimator = DurationEstimator()
    estimator.learn(replace(refinement(), usage=Usage(10, 10, 1, 1.0, 2.0, ended="stopped")), 5, 1.0)
    assert estimator.run_seconds(1) is None


@pytest.fixture
def hundredths(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The hundredths of 0.55 seconds, on the clock that the views look at."""
    clock = SimpleNamespace(now=1000.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(sys.modules[run_views.__module__], "time", clock)

    def passing() -> Iterator[int]:
        for number in range(55):
            yield number
            clock.now += 0.01

    return passing()


def test_text_is_shown_at_most_ten_times_a_second(hundredths: Iterator[int]) -> None:
    def fast(_request: Request, _options: Options, _stop_file: str) -> Iterator[Stage]:
        for _ in hundredths:
            yield GenerationProgress("<answer>", Usage())

    assert 4 <= len(list(run_views(fast, REQUEST, Options(), ""))) <= 6


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

    _, _, first, *more, last = run_views(fast, REQUEST, Options(), "")
    assert "Judging 0 of" in first.status
    assert "What changed" in (first.result or "")
    assert 1 <= len(more) <= 5
    assert all("Judging " in view.status and view.result is None for view in more)
    assert last.finished is done


def test_leaving_a_run_ends_the_work_behind_it() -> None:
    ended = threading.Event()

    def work(_request: Request, _options: Options, _stop_file: str) -> Iterator[Stage]:
        try:
            yield Prepared((), 1)
            yield Prepared((), 2)
        finally:
            ended.set()

    running = run_views(work, REQUEST, Options(), "")
    next(running)
    running.close()  # type: ignore[attr-defined]  # it is a generator, typed as the iterator it is used as
    assert ended.is_set()
