"""What the browser tests do on a page, each again and again."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

Open = Callable[..., Page]
LOOKS = [
    pytest.param("light", 1280, id="light-desktop"),
    pytest.param("dark", 1280, id="dark-desktop"),
    pytest.param("light", 390, id="light-phone"),
    pytest.param("dark", 390, id="dark-phone"),
]
RUN = 120_000
"""Milliseconds for a run of the real model, loading and a busy machine included."""


def fill(
    page: Page, question: str = "Why is it so?", draft: str = "It is so [1]. It was so.", sources: str = ""
) -> None:
    page.get_by_label("Question").fill(question)
    page.get_by_label("Draft", exact=True).fill(draft)
    page.locator("#sources textarea").fill(
        sources or "[1] First. The first text says so.\n[2] Second. Another text."
    )
    expect(page.locator("#sources-note")).to_contain_text("2 sources read")


def finish(page: Page, timeout: int = 30_000) -> None:
    page.locator(".scores").wait_for(timeout=timeout)
    expect(page.locator("#refine")).to_be_enabled()


def example(page: Page) -> None:
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


def chip(page: Page) -> None:
    """Open the first citation that is in sight."""
    page.locator(".view:visible button.chip, .claims button.chip").first.click()
    expect(page.locator(".card:popover-open")).to_be_visible()
