"""What is taken away from the page, opened in Chromium: a run's page from a file, and its figure."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import runs
from harness import ACTION_TIMEOUT, PAYLOADS, Watch
from page_actions import THEMES_AND_WIDTHS, overflow, violations
from paths import ROOT
from playwright.sync_api import Browser, Page, expect

from refiner.domain import Refinement
from refiner.judges.lexical.judge import LexicalJudge
from refiner.render.export.figure import figure
from refiner.render.export.html_page import page as shared

pytestmark = pytest.mark.browser

STYLE, SCRIPT = (
    (ROOT / "assets" / name).read_text(encoding="utf-8") for name in ("refiner.css", "refiner.js")
)
ATTACK = " ".join(PAYLOADS)
BOXES = """() => [...document.querySelectorAll("svg > text, svg > svg")].map((one) => {
    const box = one.tagName == "svg" ? one.getBoundingClientRect() : one.getBBox();
    return [one.textContent, box.x, box.x + box.width];
})"""


class Opener:
    """Opens a run's page as a file, in a fresh profile."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser, self._folder, self.watch = browser, folder, Watch()

    def __call__(self, run: Refinement, theme: str = "light", width: int = 1280) -> Page:
        file = self._folder / "run.html"
        text = shared(run, runs.MADE, style=STYLE, script=SCRIPT, judged=LexicalJudge().quality)
        file.write_text(text, encoding="utf-8")
        context = self._browser.new_context(
            viewport={"width": width, "height": 900},
            reduced_motion="reduce",
            color_scheme="dark" if theme == "dark" else "light",
        )
        context.set_default_timeout(ACTION_TIMEOUT)
        page = context.new_page()
        self.watch.follow(page, file.as_uri())
        page.goto(file.as_uri())
        return page


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Opener]:
    """At the end: no console error, nothing that the policy refused, no request but for the file itself."""
    opener = Opener(chromium, tmp_path)
    yield opener
    assert opener.watch.faults == []


@pytest.mark.parametrize(("theme", "width"), THEMES_AND_WIDTHS)
def test_a_runs_page_works_from_a_file_and_has_no_violation(opened: Opener, theme: str, width: int) -> None:
    page = opened(runs.samples()[0], theme, width)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 20, 24)"
    assert dark == (theme == "dark")
    for name in ("Inline", "Clean text", "Side by side"):
        page.get_by_role("button", name=name).click()
        assert violations(page) == []
        assert overflow(page) == 0
    page.locator(".view:visible button.chip").first.click()
    expect(page.locator(".card:popover-open mark")).to_be_visible()
    assert violations(page) == []


def test_hostile_text_in_a_runs_page_runs_nothing(opened: Opener) -> None:
    page = opened(runs.run_of(ATTACK, runs.Always(0.5, ATTACK)))
    page.locator(".view:visible button.chip").first.click()
    page.mouse.move(300, 300)
    assert page.evaluate("window.bad") is None
    assert page.locator("img, body svg[onload], [onerror], [onmouseover], body script:not(#run)").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    expect(page.locator("h1")).to_contain_text("<script>window.bad = 1</script>")


def test_what_is_put_into_a_runs_page_is_not_run(opened: Opener) -> None:
    """A sender may put a script in; the policy stands before it."""
    page = opened(runs.run_of("plain"))
    page.evaluate(
        """() => { document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.bad=1'>");
        const script = document.createElement("script"); script.textContent = "window.bad = 1";
        document.body.append(script); }"""
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.bad") is None
    assert any("Content Security Policy" in fault for fault in opened.watch.faults)
    opened.watch.faults.clear()


@pytest.mark.parametrize(
    "words", [*PAYLOADS, "W" * 3_000, "漢字" * 300, "لماذا (why) " * 60, "m\u0301" * 300]
)
def test_nothing_in_a_figure_reaches_over_its_edges(chromium: Browser, words: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.set_content(
        f'<body style="margin:0">{figure(runs.run_of(words, runs.Always(0.5)), runs.MADE)}</body>'
    )
    boxes = page.evaluate(BOXES)
    asked = page.evaluate(
        '() => [...document.querySelectorAll("svg svg text")].map((one) => one.getBBox().width)'
    )
    context.close()
    assert len(boxes) > 20
    assert [text for text, left, right in boxes if left < 0 or right > 720] == []
    assert max(asked) <= 680
