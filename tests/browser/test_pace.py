"""The page keeps up with a long result: it answers soon after the data, keeps its frames, and holds no run's memory."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import performance_probe
import pytest
import standin
from harness import Served, serve
from long_case import CLAIMS, CRITERIA, WORDS, Case, long_case
from paths import ROOT
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

CASE = long_case()


@pytest.fixture
def long(tmp_path: Path) -> Iterator[Served]:
    """The long case, written six times as fast as the bench does, so that a test can wait for it."""
    (tmp_path / "script.json").write_text(json.dumps({"answer": CASE.answer, "delay": 0.02, "step": 24}))
    with standin.serving() as judge:
        environ = {
            "SCRIPT": str(tmp_path / "script.json"),
            "REFINER_JUDGE_URL": judge.url,
            "HF_HUB_OFFLINE": "0",
        }
        with serve(ROOT / "tests/browser/scripted_app.py", tmp_path, **environ) as served:
            yield served


def test_the_long_case_is_as_long_as_it_says() -> None:
    case: Case = CASE
    assert case.answer.count("<snippet") == CLAIMS
    assert len(case.answer.split()) >= WORDS


def test_a_long_result_streams_with_little_work_and_leaves_nothing_behind(
    long: Served, chromium: Browser, tmp_path: Path
) -> None:
    """Processor time, whatever else the machine does; the seconds and frames are the soak's."""
    watched = watch(long, chromium, tmp_path, runs=2)
    assert watched.busy < 0.5, "the page's thread has no time for frames"
    watched.leaves_nothing()


@pytest.mark.soak
def test_a_long_result_answers_within_a_second_streams_smoothly_and_leaves_nothing_behind(
    long: Served, chromium: Browser, tmp_path: Path
) -> None:
    watched = watch(long, chromium, tmp_path, runs=5)
    assert max(run.interactive for run in watched.runs) < 1.0
    frames = sorted(count for run in watched.runs for count in run.frames)
    assert frames[len(frames) // 20] >= 30, frames  # one second in twenty may be another program's
    watched.leaves_nothing()


@dataclass(frozen=True)
class Watched:
    """Some runs in one page, and the share of their time that its main thread computed."""

    busy: float
    runs: list[performance_probe.RunTiming]
    held: list[tuple[float, int]]

    def leaves_nothing(self) -> None:
        (heap, nodes), *_, (heap_then, nodes_then) = self.held
        assert heap_then <= 1.1 * heap, self.held
        # a line of the history for each run; a result that was kept would be some 10,000 nodes
        assert nodes_then <= 1.01 * nodes, self.held


def watch(long: Served, chromium: Browser, folder: Path, runs: int) -> Watched:
    """Refine the long case again and again, and watch."""
    rubric = folder / "rubric.json"
    rubric.write_text(CASE.rubric)
    with chromium.new_context(viewport={"width": 1280, "height": 1000}) as context:
        page = context.new_page()
        page.add_init_script(performance_probe.PROBE_SCRIPT)
        page.goto(long.url)
        page.locator("#refine").wait_for()
        session = context.new_cdp_session(page)
        performance_probe.fill_long_case(page, CASE.question, CASE.draft, CASE.sources, rubric)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        begun, computed = time.perf_counter(), performance_probe.computed_seconds(session)
        seen, held = [], []
        for _ in range(runs):
            seen.append(performance_probe.run_and_measure(page))
            held.append(performance_probe.heap_and_nodes(session))
        computed = performance_probe.computed_seconds(session) - computed
        busy = computed / (time.perf_counter() - begun)
        assert page.locator(".criteria li").count() == CRITERIA
        assert page.locator(".claims").first.locator("tbody tr", has=page.locator(".chip")).count() == CLAIMS
    return Watched(busy, seen, held)
