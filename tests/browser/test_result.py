"""The result in Chromium: the diff and what it did, citations, sources, claims, files, and runs that are kept."""

import json
from pathlib import Path

import pytest
from harness import Served
from page_actions import QUESTION, THEMES_AND_WIDTHS, Open, overflow, refined, violations
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


def visible(page: Page, selector: str) -> str:
    """The CSS visibility of the first match."""
    return str(page.locator(selector).first.evaluate("one => getComputedStyle(one).visibility"))


@pytest.mark.parametrize(("theme", "width"), THEMES_AND_WIDTHS)
def test_a_scored_result_tells_what_each_change_did_and_has_no_violation(
    scored: Served, visit: Open, theme: str, width: int
) -> None:
    page = refined(visit(scored, theme, width))
    page.get_by_role("button", name="Side by side").click()
    expect(page.locator(".diff-words")).to_contain_text("criteria raised")
    row = page.locator(".pair.added, .pair.edited", has_text="Blue light is scattered")
    expect(row.locator(".did-tags")).to_contain_text("criterion ↑")
    expect(row.locator(".did-tags")).to_contain_text("criterion ↓")
    expect(page.locator(".pair", has_text="It ends there").locator(".flag.uncited")).to_be_visible()
    expect(page.locator(".pair.removed", has_text="copper").locator(".did-tags")).to_contain_text(
        "unsupported"
    )
    bars = page.locator(".criteria li", has_text="Citation Discipline")
    expect(bars.locator(".bar")).to_have_count(2)
    expect(bars).to_contain_text("It tells that light is scattered")
    assert page.locator(".scores .lead .basis").inner_text() == "judged"
    for summary in page.locator("#result summary").all():
        summary.click()
    assert violations(page) == []
    assert overflow(page) == 0


def test_a_note_shows_on_hover_and_on_focus_and_escape_hides_it(scored: Served, visit: Open) -> None:
    page = refined(visit(scored))
    first = ".view-side .did .tip"
    assert visible(page, first) == "hidden"
    page.locator(".view-side .pair", has=page.locator(".did")).first.hover()
    page.wait_for_function(f"getComputedStyle(document.querySelector('{first}')).visibility == 'visible'")
    page.keyboard.press("Escape")
    page.wait_for_function(f"getComputedStyle(document.querySelector('{first}')).visibility == 'hidden'")
    page.mouse.move(0, 0)
    page.locator(".view-side .did-tags").first.focus()
    page.wait_for_function(f"getComputedStyle(document.querySelector('{first}')).visibility == 'visible'")
    tag_list = page.locator(".view-side .did-tags").first.get_attribute("aria-describedby")
    assert page.locator(f"#{tag_list}").inner_text()


def test_a_card_opens_on_hover_and_on_focus_and_stays_when_it_is_pressed(scored: Served, visit: Open) -> None:
    page = refined(visit(scored))
    opened, chips = page.locator(".card:popover-open"), page.locator(".claims button.chip")
    chips.first.hover()
    expect(opened).to_contain_text("Blue light is scattered more than red light by air.")
    expect(opened.locator("mark")).to_be_visible()
    expect(opened.locator(".badge")).to_contain_text("supported")
    opened.hover()
    page.wait_for_timeout(400)
    expect(opened).to_be_visible()
    page.mouse.move(0, 0)
    expect(opened).to_have_count(0)
    page.locator(".claims").first.locator(".sort").last.focus()
    page.keyboard.press("Tab")
    expect(opened).to_be_visible()
    page.keyboard.press("Tab")  # not into the card that is only looked at
    expect(page.locator(".claims :focus")).to_have_text("Agree")
    expect(opened).to_have_count(0)
    for _ in ("Disagree", "the next chip"):
        page.keyboard.press("Tab")
    expect(opened).to_contain_text("Sunsets")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(opened.locator(":focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(opened).to_have_count(0)


def test_a_citation_that_comes_by_under_a_resting_mouse_opens_nothing_until_the_mouse_is_moved(
    scored: Served, visit: Open
) -> None:
    page = refined(visit(scored))
    opened, chip = page.locator(".card:popover-open"), page.locator(".claims button.chip").first
    chip.scroll_into_view_if_needed()
    box = chip.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y + 100)
    page.evaluate("window.scrollBy({ top: -100, behavior: 'instant' })")
    page.wait_for_function("document.querySelector('.claims button.chip').matches(':hover')")
    page.wait_for_timeout(400)  # a card opens after 150 ms
    expect(opened).to_have_count(0)
    page.mouse.move(x + 1, y + 100)
    expect(opened).to_be_visible()


def test_on_a_phone_both_sides_are_named_and_a_sentence_that_stayed_stands_once(
    scored: Served, visit: Open
) -> None:
    page = refined(visit(scored, width=390))
    page.get_by_role("button", name="Side by side").click()
    gone = page.locator(".view-side .pair.removed", has_text="copper").first
    expect(gone.get_by_text("copper")).to_be_visible()
    edited = page.locator(".view-side .pair.edited")
    for row in edited.all():
        expect(row.locator(".side")).to_have_count(2)
        assert all((one.bounding_box() or {"width": 0})["width"] > 20 for one in row.locator(".side").all())
    for row in page.locator(".view-side .pair.same").all():
        expect(row.locator(".half:visible")).to_have_count(1)


def test_a_tap_opens_a_card(scored: Served, chromium: Browser) -> None:
    with chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ) as context:
        page = context.new_page()
        page.goto(scored.url)
        refined(page)
        page.locator(".view-inline button.chip").first.tap()
        expect(page.locator(".card:popover-open")).to_be_visible()
        assert overflow(page) == 0


def test_sources_are_filtered_counted_and_lead_to_the_claims_that_cite_them(
    scored: Served, visit: Open
) -> None:
    page = refined(visit(scored))
    rows = page.locator(".sources > li:visible")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("cited 1 time")
    page.get_by_label("Filter the sources by words").fill("SUNSETS crosses")
    expect(rows).to_have_count(1)
    page.get_by_label("Filter the sources by words").fill("nowhere")
    expect(page.get_by_text("No source has these words.")).to_be_visible()
    page.get_by_label("Filter the sources by words").fill("")
    page.get_by_role("button", name="Not cited 0").click()
    expect(rows).to_have_count(0)
    page.get_by_role("button", name="All 2").click()
    rows.nth(1).locator("summary").click()
    rows.nth(1).get_by_role("link", name="claim 2").click()
    target = page.locator("tr:focus")
    expect(target).to_contain_text("At sunset the light crosses more air")
    expect(target).to_be_in_viewport()


def test_claims_are_sorted_by_any_column_either_way(scored: Served, visit: Open) -> None:
    page = refined(visit(scored))
    rows = page.locator(".claims").first.locator("tbody tr")
    heads = page.locator(".claims").first.locator("th")
    page.locator("[data-sort=support]").first.click()
    expect(heads.nth(2)).to_have_attribute("aria-sort", "ascending")
    expect(rows.first).to_contain_text("It ends there")
    page.locator("[data-sort=support]").first.click()
    expect(heads.nth(2)).to_have_attribute("aria-sort", "descending")
    expect(rows.last).to_contain_text("It ends there")
    page.locator("[data-sort=row]").first.click()
    expect(rows.first).to_contain_text("Blue light")


def test_a_result_is_copied_and_saved_in_every_form(scored: Served, visit: Open) -> None:
    page = refined(visit(scored))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#save-copy").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('Blue light')")
    expect(page.locator("#save-copy")).to_have_text("Copied ✓")
    expect(page.locator("#live")).to_have_text("Copied ✓")
    found = {}
    for kind in ("svg", "png", "json", "html"):
        with page.expect_download() as saved:
            page.locator(f"#save-{kind}").click()
        assert saved.value.suggested_filename == f"refiner.{kind}"
        found[kind] = Path(saved.value.path()).read_bytes()
    assert found["png"].startswith(b"\x89PNG")
    assert found["svg"].startswith(b"<svg")
    assert json.loads(found["json"])["run"]["request"]["question"] == QUESTION
    assert b"Blue light" in found["html"]
