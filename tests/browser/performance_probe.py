"""How the page keeps up: seconds from data to a page that answers, frames while it streams, memory over many runs."""

from dataclasses import dataclass
from pathlib import Path

from page_actions import open_fold, wait_for_result
from playwright.sync_api import CDPSession, Page

PROBE_SCRIPT = """
(() => {
  const seen = window.seen = { arrived: 0, ready: 0, frames: [] };
  const read = window.fetch;
  window.fetch = async (...given) => {
    const answer = await read(...given);
    if (!String(given[0]?.url || given[0]).includes("/queue/data") || !answer.body) return answer;
    const watch = new TransformStream({ transform(chunk, out) {
      if (new TextDecoder().decode(chunk).includes("class=\\\\\\"scores\\\\\\"")) seen.arrived = performance.now();
      out.enqueue(chunk);
    } });
    return new Response(answer.body.pipeThrough(watch), answer);
  };
  const Source = window.EventSource;
  window.EventSource = class extends Source {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", (event) => { if (event.data.includes("class=\\\\\\"scores\\\\\\"")) seen.arrived = performance.now(); });
    }
  };
  const frame = (now) => {
    if (document.querySelector("#result .busy .prose")) seen.frames.push(now);
    const there = document.querySelector("#result .scores");
    if (there && !there.seen) {
      there.seen = true;
      // it answers once a click on the switch has its effect on the screen
      requestAnimationFrame(() => setTimeout(() => {
        document.querySelector('[data-set-view="inline"]').click();
        requestAnimationFrame(() => setTimeout(() => { seen.ready = performance.now(); }));
      }));
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})();
"""
"""Runs in the page before anything else: when the scores arrive, when the page answers, each frame while it writes."""

BYTES_PER_MEGABYTE = 1e6


@dataclass(frozen=True)
class RunTiming:
    """What one run looked like from the page: seconds, and frames in each whole second of writing."""

    interactive: float
    frames: tuple[int, ...]


def fill_long_case(page: Page, question: str, draft: str, sources: str, rubric: Path) -> None:
    """Put a case into the fields."""
    page.get_by_label("Question").fill(question)
    page.get_by_label("Draft", exact=True).fill(draft)
    page.locator("#sources textarea").fill(sources)
    page.locator("#sources-note", has_text="sources read").wait_for()
    open_fold(page, "Rubric")
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Load JSON").click()
    choosing.value.set_files(rubric)
    page.locator("#rubric-check", has_text="criteria").wait_for()


def run_and_measure(page: Page) -> RunTiming:
    """Refine what is in the fields, and watch."""
    page.evaluate("Object.assign(window.seen, { arrived: 0, ready: 0, frames: [] })")
    page.locator("#refine").click()
    page.locator("#result .busy .prose").first.wait_for()
    wait_for_result(page, 300_000)
    page.wait_for_function("window.seen.ready > 0")
    seen = page.evaluate("window.seen")
    begun = seen["frames"][0]
    counts: dict[int, int] = {}
    for frame in seen["frames"]:
        counts[int((frame - begun) // 1000)] = counts.get(int((frame - begun) // 1000), 0) + 1
    whole = tuple(counts.get(second, 0) for second in range(max(counts)))  # the last one is not whole
    if not seen["arrived"]:
        raise AssertionError("when the scores arrived was not seen")
    return RunTiming((seen["ready"] - seen["arrived"]) / 1000, whole)


def heap_and_nodes(session: CDPSession) -> tuple[float, int]:
    """Megabytes of the page's heap and its DOM nodes, after garbage was collected."""
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"] / BYTES_PER_MEGABYTE
    counters = session.send("Memory.getDOMCounters")
    return used, counters["nodes"]


def computed_seconds(session: CDPSession) -> float:
    """Processor seconds of the page's main thread so far, whatever else the machine does. Needs ``Performance.enable``."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))
