"""Runs are stopped, queued and moved to another process."""

import multiprocessing
import pickle
import time
from pathlib import Path

import pytest
from page_runs import ANSWER, REQUEST, refinement, values

from refiner.domain import Finished, JudgingProgress, Options
from refiner.engines.scripted import ScriptedEngine
from refiner.errors import EngineError, InputError, RefinerError
from refiner.judges.lexical.judge import LexicalJudge
from refiner.ui import zerogpu
from refiner.ui.run.controller import RunController
from refiner.ui.run.stopping import StopSignals, make_run_function
from refiner.ui.run.waiting_queue import WaitingQueue


def test_stop_ends_the_run_keeps_the_text_and_the_next_one_starts_at_once() -> None:
    engine = ScriptedEngine([ANSWER], delay=0.2, step=8)
    controller = RunController(engine, make_run_function(engine, LexicalJudge()))
    running = controller.refine("me", values())
    next(view for view in running if "sky" in (view.result or ""))
    began = time.monotonic()
    assert controller.stop_signals.stop("me")
    *_, last = running
    assert time.monotonic() - began < 1.0
    assert last.finished is not None
    assert last.finished.usage.ended == "stopped"
    assert "sky" in last.finished.answer.text
    assert not controller.stop_signals.stop("me"), "the run is cleared away"
    assert next(controller.refine("me", values())).running


def test_a_stop_reaches_a_forked_process(tmp_path: Path) -> None:
    """As on ZeroGPU: the child shares no event with its parent, and hands over what it yields."""
    stop_file, stages = (
        tmp_path / "stop",
        make_run_function(ScriptedEngine([ANSWER], delay=0.2, step=8), LexicalJudge()),
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
    stages, fork = (
        make_run_function(ScriptedEngine([ANSWER]), LexicalJudge()),
        multiprocessing.get_context("fork"),
    )
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
    progress = [(stage.done, stage.total) for stage in seen if isinstance(stage, JudgingProgress)]
    assert [done for done, _ in progress] == list(range(progress[0][1] + 1))


def test_a_stop_reaches_its_own_session_only() -> None:
    signals = StopSignals()
    with signals.open("a") as first, signals.open("b") as second:
        signals.stop("b")
        assert (Path(first).exists(), Path(second).exists()) == (False, True)
    assert not Path(second).exists()


def test_a_new_run_of_a_session_stops_the_one_before() -> None:
    signals = StopSignals()
    with signals.open("a") as first, signals.open("a") as second:
        assert (Path(first).exists(), Path(second).exists()) == (True, False)


def test_stopping_where_nothing_runs_does_nothing() -> None:
    assert not StopSignals().stop("nobody")


@pytest.mark.parametrize("error", [InputError("a"), EngineError("b")], ids=["input", "engine"])
def test_what_crosses_into_a_forked_process_can_be_pickled(error: RefinerError) -> None:
    for value in (REQUEST, Options(), refinement(), error):
        assert str(pickle.loads(pickle.dumps(value))) == str(value)  # noqa: S301 - our own bytes


def test_without_zerogpu_the_work_is_left_as_it_is() -> None:
    work = make_run_function(ScriptedEngine([ANSWER]), LexicalJudge())
    assert zerogpu.on_gpu(work, zerogpu.expected_seconds) is work


@pytest.mark.parametrize(("tokens", "least", "most"), [(16, 20, 20), (1024, 30, 60), (8192, 240, 240)])
def test_the_time_asked_for_grows_with_the_answer_and_is_bounded(tokens: int, least: int, most: int) -> None:
    assert least <= zerogpu.expected_seconds(REQUEST, Options(max_new_tokens=tokens), "file") <= most


def test_the_queue_serves_in_order_and_tells_each_its_place() -> None:
    queue = WaitingQueue()
    with queue.join() as first:
        with queue.join() as second, queue.join() as third:
            assert [queue.count_ahead(one) for one in (first, second, third)] == [0, 1, 2]
        with queue.join() as later:
            assert queue.count_ahead(later) == 1


def test_a_second_visitor_waits_is_told_so_and_can_leave_or_be_served() -> None:
    engine = ScriptedEngine([ANSWER], delay=0.2, step=8)
    controller = RunController(engine, make_run_function(engine, LexicalJudge()))
    running = controller.refine("first", values())
    next(view for view in running if "sky" in (view.result or ""))
    second, third = controller.refine("second", values()), controller.refine("third", values())
    assert "1 run before yours" in next(second).status
    assert "2 runs before yours" in next(third).status
    controller.stop_signals.stop("second")
    [left] = second
    assert (left.running, "Stopped before it began" in left.status) == (False, True)
    controller.stop_signals.stop("first")
    assert [view.finished is not None for view in running][-1]
    *_, last = third
    assert last.finished is not None
    assert len(engine.requests) == 2
