"""What is kept, and where: fields and runs in the visitor's browser, and nothing on the server."""

import gc
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
import standin
from harness import PAYLOADS, Served
from page_actions import QUESTION, Open, fill_fields, refined, violations, wait_for_result
from playwright.sync_api import expect

from refiner.domain import Refinement
from refiner.engines.scripted import ScriptedEngine
from refiner.feedback.storage.store import Store
from refiner.judges.lexical.judge import LexicalJudge
from refiner.settings import Settings
from refiner.ui.page import build_page
from refiner.ui.theme import launch_options

pytestmark = pytest.mark.browser

PRIVATE = "What is the secret of Zanzibar-4711?"
HELD = ("#tools", "#rating")


def test_a_reload_keeps_the_fields(scripted: Served, visit: Open) -> None:
    page = visit(scripted)
    fill_fields(page, "Is this kept?", "A draft to keep.")
    page.get_by_label("Table").click()
    page.locator("#sources-table").wait_for()
    page.reload()
    expect(page.get_by_label("Question")).to_have_value("Is this kept?")
    expect(page.get_by_label("Draft", exact=True)).to_have_value("A draft to keep.")
    expect(page.locator("#sources-table")).to_be_visible()
    expect(page.locator("#sources-table")).to_contain_text("The first text says so.")


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
    refined(page, PRIVATE)
    with page.expect_download():
        page.locator("#save-html").click()
    page.locator("#save-copy").click()
    expect(page.locator("#runs-count")).to_have_text("1")
    files = [file for file in scored.cache.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if PRIVATE.encode() in file.read_bytes()]


def test_two_tabs_keep_their_own_fields(scripted: Served, visit: Open) -> None:
    first = visit(scripted)
    fill_fields(first, "The first tab's?", "One draft.")
    second = first.context.new_page()
    second.goto(scripted.url)
    expect(second.get_by_label("Question")).to_have_value("The first tab's?")
    fill_fields(second, "The second tab's?", "Another draft.")
    first.reload()
    expect(first.get_by_label("Question")).to_have_value("The first tab's?")
    second.reload()
    expect(second.get_by_label("Question")).to_have_value("The second tab's?")


def test_a_run_that_fails_is_not_kept_as_the_one_before_it(scored: Served, visit: Open) -> None:
    page = refined(visit(scored))
    expect(page.locator("#runs-count")).to_have_text("1")
    page.locator("#draft textarea").fill("")
    page.locator("#refine").click()
    expect(page.locator("#status")).to_contain_text("There is no draft")
    page.locator("#vote-tie").click()
    expect(page.locator("#vote-note")).to_contain_text("Nothing was stored")
    refined(page)
    expect(page.locator("#runs-count")).to_have_text("2")


@pytest.fixture
def within(tmp_path: Path) -> Iterator[gr.Blocks]:
    """The page in this process, so that its memory can be looked into."""
    settings = replace(
        Settings.from_environment(), cache_dir=tmp_path, database_url=f"sqlite:///{tmp_path}/feedback.db"
    )
    engine = ScriptedEngine(["<answer><snippet id=1>It is so.</snippet> It was so.</answer>"], delay=0.02)
    page = build_page(engine, LexicalJudge(), Store(settings.database_url), settings)
    page.launch(
        **launch_options(settings) | {"server_port": standin.free_port()},
        prevent_thread_lock=True,
        quiet=True,
    )
    yield page
    page.close()


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # Gradio's own
@pytest.mark.parametrize("during", [False, True], ids=["after the run", "during the run"])
def test_the_server_lets_go_of_everything_when_the_page_is_left(
    within: gr.Blocks, visit: Open, *, during: bool
) -> None:
    page = visit(Served(within.local_url, Path()))
    fill_fields(page, PRIVATE)
    page.locator("#refine").click()
    if during:
        page.locator("#result .busy .prose").wait_for()
    else:
        wait_for_result(page)
    sessions = within.state_holder.session_data
    assert sessions
    page.close()
    until = time.monotonic() + 20
    while time.monotonic() < until and (sessions or held()):
        time.sleep(0.1)
    assert not sessions
    assert not held()


def held() -> list[Refinement]:
    """The test's runs that are anywhere in this process's memory."""
    gc.collect()
    return [one for one in gc.get_objects() if type(one) is Refinement and one.request.question == PRIVATE]
