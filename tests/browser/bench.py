"""The page in Chromium with a long result: seconds until it answers, frames while it streams, memory. Prints Markdown.

A scripted engine writes 50 tokens a second; a scripted judge's server answers at once. Run with ``PYTHONPATH=tests``.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import performance_probe
import standin
from harness import launch, serve
from long_case import Case, long_case
from paths import ROOT
from playwright.sync_api import sync_playwright

CHARACTERS_PER_TOKEN = 4


def main() -> None:
    """Run a case again and again in one page, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    case = long_case()
    with tempfile.TemporaryDirectory() as folder, standin.serving() as judge, sync_playwright() as playwright:
        cache = Path(folder)
        environ = {"SCRIPT": str(script(cache, case)), "REFINER_JUDGE_URL": judge.url, "HF_HUB_OFFLINE": "0"}
        with serve(ROOT / "tests/browser/scripted_app.py", cache, **environ) as served:
            browser = launch(playwright)
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.add_init_script(performance_probe.PROBE_SCRIPT)
            page.goto(served.url)
            page.locator("#refine").wait_for()
            session = page.context.new_cdp_session(page)
            performance_probe.fill_long_case(
                page, case.question, case.draft, case.sources, cache / "rubric.json"
            )
            seen, heap = [], []
            for _ in range(runs):
                seen.append(performance_probe.run_and_measure(page))
                heap.append(performance_probe.heap_and_nodes(session))
            browser.close()
    frames = [count for run in seen for count in run.frames]
    waits = [run.interactive for run in seen]
    print("| what | median (range) |\n|---|---:|")
    print(f"| seconds from the scores' arrival to a page that answers a click | {spread(waits, '.2f')} |")
    print(f"| frames in each second of writing | {spread(frames, '.0f')} |")
    print(f"| seconds with fewer than 30 frames | {sum(one < 30 for one in frames)} of {len(frames)} |")
    print(f"| heap after each run, MB | {' '.join(f'{used:.1f}' for used, _ in heap)} |")
    print(f"| DOM nodes after each run | {' '.join(str(nodes) for _, nodes in heap)} |")


def script(folder: Path, case: Case) -> Path:
    """What the engine writes, 50 tokens a second, and the rubric beside it."""
    (folder / "rubric.json").write_text(case.rubric, "utf-8")
    file = folder / "script.json"
    file.write_text(json.dumps({"answer": case.answer, "delay": 0.02, "step": CHARACTERS_PER_TOKEN}), "utf-8")
    return file


def spread(values: list[float] | list[int], form: str) -> str:
    """Median and range."""
    return f"{statistics.median(values):{form}} ({min(values):{form}}–{max(values):{form}})"


if __name__ == "__main__":
    main()
