"""The result in Chromium: the diff and what it did, citations, sources, claims, files, and runs that are kept."""

import json
from pathlib import Path

import pytest
from acts import LOOKS, Open, fill, finish, overflow, violations
from harness import PAYLOADS, Served
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

QUESTION = "Why is the sky blue?"
DRAFT = "The sky is green because of copper [1]. At sunset the light looks red [2]. Nobody knows it."
SOURCES = (
    "[1] Light. Blue light is scattered more than red light by air. The sky looks blue on a clear day.\n"
    "[2] Sunsets. At sunset the light crosses more air and looks red."
)
HELD = ("#tools", "#rating")


def refined(page: Page, question: str = QUESTION) -> Page:
    fill(page, question, DRAFT, SOURCES)
    page.locator("#refine").click()
    finish(page)
    return page


def visible(page: Page, selector: str) -> str:
    """The CSS visibility of the first match."""
    return str(page.locator(selector).first.evaluate("one => getComputedStyle(one).visibility"))


@pytest.mark.parametrize(("theme", "width"), LOOKS)
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
    told = page.locator(".view-side .did-tags").first.get_attribute("aria-describedby")
    assert page.locator(f"#{told}").inner_text()


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
    expect(page.locator("#live")).to_have_text("Copied.")
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


def test_runs_are_kept_in_the_browser_reopened_compared_and_cleared(scored: Served, visit: Open) -> None:
    page = visit(scored)
    attack = " ".join(PAYLOADS)
    refined(page)
    refined(page, attack)
    expect(page.locator("#runs-count")).to_have_text("2")
    page.reload()
    page.locator("#runs-summary").click()
    rows = page.locator("#runs li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("<script>window.bad = 1</script>")
    rows.nth(1).get_by_role("button", name=QUESTION).click()
    expect(page.locator("#status")).to_contain_text("Opened")
    expect(page.locator("#result")).to_contain_text("Blue light is scattered")
    expect(page.locator("#tools")).to_be_visible()
    for box in page.locator("#runs input").all():
        box.check()
    page.get_by_role("button", name="Compare the two ticked").click()
    expect(page.locator("#result h2").nth(1)).to_have_text("How they differ")
    expect(page.locator("#result")).to_contain_text("They answer different questions.")
    expect(page.locator(".diff-words")).to_have_text("Nothing changed.")
    assert violations(page) == []
    rows.first.get_by_role("button", name="Remove").click()
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Clear all").click()
    page.get_by_role("button", name="Really clear all?").click()
    expect(page.locator("#runs li")).to_have_count(0)
    assert page.evaluate("window.bad") is None


@pytest.mark.parametrize("kind", ["json", "html"])
def test_a_saved_run_is_opened_from_its_file(scored: Served, visit: Open, kind: str) -> None:
    page = refined(visit(scored))
    with page.expect_download() as saved:
        page.locator(f"#save-{kind}").click()
    other = visit(scored)
    other.locator("#runs-summary").click()
    with other.expect_file_chooser() as choosing:
        other.get_by_role("button", name="Open a file").click()
    choosing.value.set_files(saved.value.path())
    expect(other.locator("#result")).to_contain_text("Blue light is scattered")
    expect(other.locator("#rating")).to_be_hidden()


def test_a_file_that_is_no_run_is_refused_and_the_result_stays(
    scored: Served, visit: Open, tmp_path: Path
) -> None:
    page = refined(visit(scored))
    file = tmp_path / "other.json"
    file.write_text('{"refiner": "run", "version": 1, "run": {"request": "<script>window.bad = 1</script>"}}')
    page.locator("#runs-summary").click()
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Open a file").click()
    choosing.value.set_files(file)
    expect(page.locator("#status .error")).to_be_visible()
    expect(page.locator("#result")).to_contain_text("Blue light is scattered")
    for place in HELD:
        expect(page.locator(place)).to_be_visible()
    assert page.evaluate("window.bad") is None


def test_nothing_of_a_run_stays_on_the_server(scored: Served, visit: Open) -> None:
    page = visit(scored)
    refined(page, "What is the secret of Zanzibar-4711?")
    with page.expect_download():
        page.locator("#save-html").click()
    page.locator("#save-copy").click()
    expect(page.locator("#runs-count")).to_have_text("1")
    files = [file for file in scored.cache.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if b"Zanzibar-4711" in file.read_bytes()]
