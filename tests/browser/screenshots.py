"""The README's pictures: the real app with an example refined, light, dark and on a phone. Run by `make screenshots`."""

import tempfile
from pathlib import Path

from harness import Served, launch, serve
from paths import ROOT
from playwright.sync_api import Page, sync_playwright

PICTURES_FOLDER = ROOT / "assets" / "screenshots"
EXAMPLE = 1
"""Which example: 0 is the line that asks to choose one."""
PICTURES = (("light", 1280, 1000, "light"), ("dark", 1280, 1000, "dark"), ("light", 390, 844, "phone"))
RUN_TIMEOUT = 180_000


def main() -> None:
    """Start the app, and write one picture for each look."""
    PICTURES_FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as cache,
        sync_playwright() as playwright,
        serve(ROOT / "app.py", Path(cache)) as served,
    ):
        browser = launch(playwright)
        for theme, width, height, name in PICTURES:
            page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
            _refined(page, served, theme, phone=width < height)
            page.screenshot(path=PICTURES_FOLDER / f"{name}.png")
            page.close()
        browser.close()


def _refined(page: Page, served: Served, theme: str, *, phone: bool) -> None:
    page.goto(f"{served.url}?__theme={theme}")
    page.get_by_label("Examples").click()
    page.get_by_role("option").nth(EXAMPLE).click()
    page.locator("#sources-note", has_text="sources read").wait_for()
    page.locator("#refine").click()
    page.locator(".scores").wait_for(timeout=RUN_TIMEOUT)
    page.mouse.move(0, 0)
    if phone:
        page.evaluate("document.querySelector('#status').scrollIntoView()")
    elif theme == "dark":  # one picture shows an open citation
        page.locator(".claims button.chip").first.click()
    else:
        page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(400)


if __name__ == "__main__":
    main()
