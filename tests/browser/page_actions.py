"""What the browser tests do on a page, each again and again."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from harness import ACTION_TIMEOUT
from playwright.sync_api import Locator, Page, TimeoutError, expect  # noqa: A004 - Playwright's own

Open = Callable[..., Page]
THEMES_AND_WIDTHS = [
    pytest.param("light", 1280, id="light-desktop"),
    pytest.param("dark", 1280, id="dark-desktop"),
    pytest.param("light", 390, id="light-phone"),
    pytest.param("dark", 390, id="dark-phone"),
]
RUN_TIMEOUT = 120_000
"""Milliseconds for a run of the real model, loading and a busy machine included."""
QUESTION = "Why is the sky blue?"
DRAFT = "The sky is green because of copper [1]. At sunset the light looks red [2]. Nobody knows it."
SOURCES = (
    "[1] Light. Blue light is scattered more than red light by air. The sky looks blue on a clear day.\n"
    "[2] Sunsets. At sunset the light crosses more air and looks red."
)


def fill_fields(
    page: Page, question: str = "Why is it so?", draft: str = "It is so [1]. It was so.", sources: str = ""
) -> None:
    page.get_by_label("Question").fill(question)
    page.get_by_label("Draft", exact=True).fill(draft)
    page.locator("#sources textarea").fill(
        sources or "[1] First. The first text says so.\n[2] Second. Another text."
    )
    expect(page.locator("#sources-note")).to_contain_text("2 sources read")


def wait_for_result(page: Page, timeout: int = 60_000) -> None:
    page.locator(".scores").wait_for(timeout=timeout)
    expect(page.locator("#refine")).to_be_enabled()


def refined(page: Page, question: str = QUESTION, *, blind: bool = False) -> Page:
    """Refine the case of the sky, and wait for its result."""
    fill_fields(page, question, DRAFT, SOURCES)
    if blind:
        open_fold(page, "Options")
        page.get_by_label("Rate blind").check()
    page.locator("#refine").click()
    if blind:
        expect(page.locator(".pair.blind")).to_be_visible()
    else:
        wait_for_result(page)
    return page


def open_fold(page: Page, name: str) -> None:
    """Open a fold.

    Gradio sometimes loses a click while it still puts its components in place: on a busy machine a fold was seen closed
    after one. A visitor clicks again, and so does this.
    """
    fold = page.locator(".gr-accordion", has=page.get_by_role("button", name=name))
    content = fold.get_by_test_id("accordion-content")
    for last in (False, False, True):
        fold.get_by_role("button", name=name).click()
        try:
            content.wait_for(timeout=ACTION_TIMEOUT / 3)
        except TimeoutError:
            if last:
                raise
        else:
            return


def open_cell_editor(cell: Locator) -> Locator:
    """What a cell of a table is written in, opened."""
    cell.dblclick()
    return cell.locator("textarea, input")


def write_cell(cell: Locator, words: str) -> None:
    """Write into a cell, in place of what it holds."""
    field = open_cell_editor(cell)
    field.fill(words)
    field.press("Enter")


def choose_example(page: Page) -> None:
    page.get_by_label("Examples").click()
    page.get_by_role("option").nth(1).click()
    expect(page.locator("#sources-note")).to_contain_text("sources read")


def violations(page: Page) -> list[tuple[str, str, list[Any]]]:
    """Everything that axe finds, best practices too, with the places."""
    found = Axe().run(page).response["violations"]
    return [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"]][:4]) for one in found]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the window, or something wider than its sheet."""
    return int(
        page.evaluate(
            """() => Math.max(document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll(".sheet")]
                .flatMap((sheet) => [...sheet.querySelectorAll("*")]
                    .filter((one) => !one.closest(".scroll, .tip, .sr, .card") && one.checkVisibility())
                    .map((one) => one.getBoundingClientRect().right - sheet.getBoundingClientRect().right)), 0)"""
        )
    )


def open_first_citation(page: Page) -> None:
    """Open the first citation that is in sight."""
    page.locator(".view:visible button.chip, .claims button.chip").first.click()
    expect(page.locator(".card:popover-open")).to_be_visible()
