"""The page in Chromium: first over a scripted engine that attacks it, then the whole way with the real model."""

from contextlib import closing
from pathlib import Path

import pytest
from harness import PAYLOADS, Served
from page_actions import (
    RUN_TIMEOUT,
    THEMES_AND_WIDTHS,
    Open,
    choose_example,
    fill_fields,
    open_cell_editor,
    open_first_citation,
    open_fold,
    overflow,
    violations,
    wait_for_result,
    write_cell,
)
from playwright.sync_api import expect
from standin import StandIn, fails, replies

from refiner.feedback.storage.store import Store
from refiner.ui.inputs.fields import examples

pytestmark = pytest.mark.browser

ATTACK = " ".join(PAYLOADS)


def votes(served: Served) -> int:
    with closing(Store(f"sqlite:///{(served.cache / 'feedback.db').as_posix()}")) as store:
        return store.count()


# --- over a scripted engine ------------------------------------------------------------------------


@pytest.mark.parametrize(("theme", "width"), THEMES_AND_WIDTHS)
def test_empty_and_with_a_result_the_page_has_no_violation(
    scripted: Served, visit: Open, theme: str, width: int
) -> None:
    page = visit(scripted, theme, width)
    assert violations(page) == []
    fill_fields(page)
    page.locator("#refine").click()
    wait_for_result(page)
    for name in ("Inline", "Clean text", "Side by side"):
        page.get_by_role("button", name=name).click()
        assert violations(page) == []
        assert overflow(page) == 0
    open_first_citation(page)
    assert violations(page) == []
    assert overflow(page) == 0


def test_hostile_text_in_every_field_and_from_the_model_runs_nothing(scripted: Served, visit: Open) -> None:
    page = visit(scripted)
    blocks = "\n".join(
        f"<snippet id={n}>\nTitle: {ATTACK}\nURL: javascript:window.bad=1\nSnippet: {ATTACK}\n</snippet>"
        for n in (1, 2)
    )
    fill_fields(page, ATTACK, f"{ATTACK} [1]", blocks)
    page.locator("#refine").click()
    wait_for_result(page)
    open_first_citation(page)
    assert page.evaluate("window.bad") is None
    assert (
        page.locator(
            "#result script, #result img, #result svg, #result [onerror], #result [onmouseover]"
        ).count()
        == 0
    )
    assert page.locator("#result a[href^='javascript']").count() == 0
    expect(page.locator(".view-clean")).to_contain_text("<script>window.bad = 1</script>")
    expect(page.locator(".view-clean")).to_contain_text("${window.bad = 1} {{window.bad}}")


def test_keys_refine_stop_and_vote_but_not_while_typing(scripted: Served, visit: Open) -> None:
    page = visit(scripted)
    fill_fields(page)
    page.locator("#draft textarea").press("Control+Enter")
    page.locator(".prose", has_text="opening").wait_for()
    page.keyboard.press("Escape")
    wait_for_result(page)
    expect(page.locator("#status")).to_contain_text("Stopped")
    expect(page.locator(".view-clean")).to_contain_text("opening")
    page.get_by_label("Comment").press_sequentially("1 and 2")
    assert page.locator("#vote-note .status").count() == 0
    page.locator("h1").click()
    page.keyboard.press("3")
    expect(page.locator("#vote-note")).to_contain_text("Nothing was stored")


def test_escape_closes_an_open_card_before_it_stops_anything(scripted: Served, visit: Open) -> None:
    page = visit(scripted)
    fill_fields(page)
    page.locator("#refine").click()
    wait_for_result(page)
    open_first_citation(page)
    page.keyboard.press("Escape")
    expect(page.locator(".card:popover-open")).to_have_count(0)


def test_a_draft_with_its_own_tool_output_brings_its_sources(scripted: Served, visit: Open) -> None:
    page = visit(scripted)
    page.get_by_label("Question").fill("Why is it so?")
    tool_output = (
        "<tool_output><snippet id=1>\nTitle: T\nSnippet: It is so because.\n</snippet></tool_output>"
    )
    page.get_by_label("Draft", exact=True).fill(f"{tool_output}<answer>It is so [1].</answer>")
    expect(page.locator("#draft-note")).to_contain_text("1 source read in the draft’s own tool output: 1")
    page.locator("#refine").click()
    wait_for_result(page)


def test_the_view_chosen_for_the_diff_is_kept(scripted: Served, visit: Open) -> None:
    page = visit(scripted)
    fill_fields(page)
    page.locator("#refine").click()
    wait_for_result(page)
    page.get_by_role("button", name="Clean text").click()
    page.locator("#refine").click()
    wait_for_result(page)
    expect(page.get_by_role("button", name="Clean text")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".view-clean")).to_be_visible()
    expect(page.locator(".view-side")).to_be_hidden()


def test_a_visitor_who_leaves_frees_the_model_for_the_next(scripted: Served, visit: Open) -> None:
    page = visit(scripted)
    fill_fields(page)
    page.locator("#refine").click()
    page.locator(".prose", has_text="opening").wait_for()
    page.close()
    other = visit(scripted)
    fill_fields(other)
    other.locator("#refine").click()
    wait_for_result(other)


def test_lacking_fields_are_named_and_what_was_typed_stays(scripted: Served, visit: Open) -> None:
    page = visit(scripted)
    page.get_by_label("Question").fill("Only a question?")
    page.locator("#refine").click()
    expect(page.locator("#status")).to_contain_text("There is no draft")
    expect(page.get_by_label("Draft", exact=True)).to_be_focused()
    expect(page.get_by_label("Draft", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Question")).to_have_value("Only a question?")
    expect(page.locator("#refine")).to_be_enabled()


def test_the_rubric_is_checked_beside_its_table_as_one_types(scripted: Served, visit: Open) -> None:
    page = visit(scripted)
    open_fold(page, "Rubric")
    cells = page.locator("#rubric [role=gridcell]")
    for place, words in ((0, f"Names the cause {ATTACK}"), (2, "maybe"), (3, "0")):
        write_cell(cells.nth(place), words)
    check = page.locator("#rubric-check")
    expect(check).to_contain_text("Row 1: The kind is 'maybe'; write 'asks for' or 'fault'.")
    expect(check).to_contain_text("Row 1: The weight is '0'")
    for place, words in ((2, "fault"), (3, "2")):
        write_cell(cells.nth(place), words)
    expect(check).to_contain_text("1 criterion, 1 fault among them, beside the standing ones")
    assert page.evaluate("window.bad") is None


def test_a_run_shows_its_steps_says_them_once_and_is_stopped_from_there(
    scripted: Served, visit: Open
) -> None:
    page = visit(scripted)
    fill_fields(page)
    page.evaluate(
        """() => { window.said = []; new MutationObserver(() => window.said.push(document.getElementById("live").textContent))
            .observe(document.getElementById("live"), { childList: true, characterData: true, subtree: true }); }"""
    )
    page.locator("#refine").click()
    steps = page.locator("#status .steps li")
    expect(steps.nth(0)).to_contain_text("Read 2 sources")
    expect(steps.nth(1)).to_contain_text("Writing")
    expect(steps.nth(2)).to_contain_text("Judging both answers")
    expect(page.locator("#status [data-clock]")).to_be_visible()
    expect(page.locator("#live")).to_have_text("Writing")
    page.get_by_role("button", name="Stop this run").click()
    wait_for_result(page)
    expect(page.locator("#live")).to_contain_text("Stopped after")
    announced = page.evaluate("window.said")
    assert announced.count("Writing") == 1
    assert len([words for words in announced if words]) <= 5
    assert page.locator("#live").get_attribute("aria-live") == "polite"


def test_a_visitor_who_comes_second_is_told_so_and_served_in_turn(scripted: Served, visit: Open) -> None:
    first, second = visit(scripted), visit(scripted)
    for page in (first, second):
        fill_fields(page)
    first.locator("#refine").click()
    first.locator(".prose", has_text="opening").wait_for()
    second.locator("#refine").click()
    expect(second.locator("#status")).to_contain_text("Waiting: 1 run before yours")
    second.get_by_role("button", name="Stop this run").click()
    expect(second.locator("#status")).to_contain_text("Stopped before it began")
    expect(second.get_by_label("Draft", exact=True)).to_have_value("It is so [1]. It was so.")
    second.locator("#refine").click()
    wait_for_result(first)
    wait_for_result(second)


def test_escape_in_a_cell_is_the_cells_and_does_not_stop_the_run(scripted: Served, visit: Open) -> None:
    page = visit(scripted)
    fill_fields(page)
    open_fold(page, "Rubric")
    page.locator("#refine").click()
    page.locator(".prose", has_text="opening").wait_for()
    open_cell_editor(page.locator("#rubric [role=gridcell]").first).fill("Half a name")
    page.keyboard.press("Escape")
    wait_for_result(page)
    expect(page.locator("#status")).not_to_contain_text("Stopped")


def test_a_cell_that_is_being_written_goes_with_the_run(scripted: Served, visit: Open) -> None:
    page = visit(scripted)
    fill_fields(page)
    open_fold(page, "Rubric")
    open_cell_editor(page.locator("#rubric [role=gridcell]").first).fill("Names the cause")
    page.keyboard.press("Control+Enter")
    wait_for_result(page)
    expect(page.locator(".criteria")).to_contain_text("Names the cause")


def test_an_error_in_the_rubric_opens_it_and_leads_there(scripted: Served, visit: Open) -> None:
    page = visit(scripted)
    fill_fields(page)
    open_fold(page, "Rubric")
    cells = page.locator("#rubric [role=gridcell]")
    for place, words in ((0, "Names the cause"), (3, "0")):
        write_cell(cells.nth(place), words)
    expect(page.locator("#rubric-check")).to_contain_text("Row 1")
    page.get_by_role("button", name="Rubric").click()
    expect(page.locator("#rubric")).to_be_hidden()
    page.locator("#refine").click()
    expect(page.locator("#status .error")).to_contain_text("row 1")
    expect(page.locator("#rubric")).to_be_visible()
    expect(page.locator("#rubric :focus")).to_have_count(1)


SCRIPTS = [
    pytest.param(
        "Warum ist das so?",
        "Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenauszahlungsstellenverordnung gilt [1]. Ende.",
        "ltr",
        id="german",
    ),
    pytest.param(
        "为什么天空是蓝色的？",
        "天空是蓝色的，因为空气散射蓝光[1]。日落时光线穿过更多空气。",
        "ltr",
        id="chinese",
    ),
    pytest.param(
        "لماذا السماء زرقاء؟",
        "السماء زرقاء لأن الهواء يشتت الضوء الأزرق [1]. هذا كل شيء.",
        "rtl",
        id="arabic",
    ),
    pytest.param(
        "למה השמיים כחולים?", "השמיים כחולים כי האוויר מפזר אור כחול [1]. זה הכול.", "rtl", id="hebrew"
    ),
]


@pytest.mark.parametrize(("question", "draft", "direction"), SCRIPTS)
def test_other_scripts_and_directions_keep_the_layout(
    scripted: Served, visit: Open, question: str, draft: str, direction: str
) -> None:
    page = visit(scripted, width=390)
    fill_fields(page, question, draft, f"[1] {question} {draft}\n[2] {draft}")
    page.locator("#refine").click()
    wait_for_result(page)
    for name in ("Side by side", "Inline", "Clean text"):
        page.get_by_role("button", name=name).click()
        assert overflow(page) == 0
    page.get_by_role("button", name="Side by side").click()
    half = page.locator(".pair .half", has_text=draft[:5]).first
    assert half.evaluate("one => getComputedStyle(one).direction") == direction
    assert page.locator("#result").evaluate("one => getComputedStyle(one).direction") == "ltr"
    boxes = [one.bounding_box() for one in page.locator(".sheet").all()]
    assert all(box is None or (box["x"] >= 0 and box["x"] + box["width"] <= 390) for box in boxes)


def test_who_wants_less_motion_sees_none(scripted: Served, visit: Open) -> None:
    page = visit(scripted)  # its context asks for reduced motion
    fill_fields(page)
    page.locator("#refine").click()
    page.wait_for_function(
        "() => { const one = document.querySelector('.caret'); return one && getComputedStyle(one).animationName == 'none'; }"
    )
    wait_for_result(page)


def test_the_fields_and_the_run_can_be_reached_by_tab_in_the_order_in_which_they_stand(
    scripted: Served, visit: Open
) -> None:
    page = visit(scripted)
    fill_fields(page)
    page.get_by_label("Question").focus()
    seen = []
    for _ in range(14):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "document.activeElement.closest('[id]:not(label):not(input)')?.id || document.activeElement.tagName"
            )
        )
    wanted = ["draft", "sources-mode", "sources", "rubric-fold", "options-fold", "refine"]
    assert [one for one in dict.fromkeys(seen) if one in wanted] == wanted


def test_rendered_on_the_server_the_page_works_the_same(rendered: Served, visit: Open) -> None:
    page = visit(rendered)
    fill_fields(page)
    page.locator("#draft textarea").press("Control+Enter")
    wait_for_result(page)
    open_first_citation(page)
    page.get_by_role("button", name="Inline").click()
    expect(page.locator(".view-inline")).to_be_visible()


def test_a_rubric_is_saved_as_a_file_and_loaded_again(scripted: Served, visit: Open, tmp_path: Path) -> None:
    page = visit(scripted)
    open_fold(page, "Rubric")
    file = tmp_path / "rubric.json"
    file.write_text('{"positive_rubrics": [{"title": "Names the cause", "description": "It says why."}]}')
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Load JSON").click()
    choosing.value.set_files(file)
    expect(page.locator("#rubric")).to_contain_text("Names the cause")
    with page.expect_download() as saved:
        page.locator("#rubric-save").click()
    assert "Names the cause" in Path(saved.value.path()).read_text()


def test_the_question_suggests_criteria_that_can_be_edited(scripted: Served, visit: Open) -> None:
    page = visit(scripted)
    open_fold(page, "Rubric")
    page.get_by_role("button", name="Suggest").click()
    expect(page.locator("#rubric-note")).to_contain_text("Write the question first")
    page.get_by_label("Question").fill("What is SORT and how does it work?")
    page.get_by_role("button", name="Suggest").click()
    expect(page.locator("#rubric")).to_contain_text("how does it work?")
    expect(page.locator("#rubric-note")).not_to_contain_text("Write the question first")


def test_refine_is_in_sight_from_the_start_and_wherever_one_reads(scripted: Served, visit: Open) -> None:
    page = visit(scripted)
    button = page.locator("#refine")
    expect(button).to_be_in_viewport(ratio=1)
    fill_fields(page)
    button.click()
    wait_for_result(page)
    for down in (0, 60, 2000):
        page.evaluate(f"window.scrollTo(0, {down})")
        expect(button).to_be_in_viewport(ratio=1)


def test_a_model_that_is_not_there_is_told_with_what_to_do_and_the_input_is_kept(
    modelless: Served, visit: Open
) -> None:
    page = visit(modelless)
    expect(page.locator("#model-note")).to_contain_text("Set REFINER_MODEL", timeout=RUN_TIMEOUT)
    expect(page.locator("#model")).to_contain_text("not loaded")
    fill_fields(page)
    page.locator("#refine").click()
    expect(page.locator("#status")).to_contain_text(
        "there is no file /no/such/model.gguf", timeout=RUN_TIMEOUT
    )
    expect(page.locator("#refine")).to_be_enabled()
    expect(page.get_by_label("Draft", exact=True)).to_have_value("It is so [1]. It was so.")
    assert violations(page) == []
    assert overflow(page) == 0


# --- the whole way, with the embedded model --------------------------------------------------------


@pytest.mark.real_model
@pytest.mark.parametrize(
    ("theme", "width"), [pytest.param("light", 1280, id="desktop"), pytest.param("dark", 390, id="phone")]
)
def test_paste_refine_open_a_citation_and_vote(real: Served, visit: Open, theme: str, width: int) -> None:
    page = visit(real, theme, width)
    expect(page.locator("#model")).to_contain_text("SmolLM2-135M-Instruct")
    case = examples()[2]
    page.get_by_label("Question").fill(case.question)
    page.get_by_label("Draft", exact=True).fill(case.draft)
    page.locator("#sources textarea").fill(case.sources)
    expect(page.locator("#sources-note")).to_contain_text("sources read")
    page.locator("#refine").click()
    wait_for_result(page, RUN_TIMEOUT)
    expect(page.locator(".made")).to_contain_text("SmolLM2-135M-Instruct, not the refiner")
    assert page.locator(".claims tbody button.chip").count() >= 1
    open_first_citation(page)
    expect(page.locator(".card:popover-open mark")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_label("Store this run’s texts").check()
    before = votes(real)
    page.get_by_role("button", name="Refined better").click()
    expect(page.locator("#vote-note")).to_contain_text("Stored")
    assert votes(real) == before + 1
    assert violations(page) == []
    assert overflow(page) == 0


@pytest.mark.real_model
def test_text_arrives_in_pieces_stops_half_way_and_can_be_refined_again(real: Served, visit: Open) -> None:
    page = visit(real)
    choose_example(page)
    open_fold(page, "Options")
    page.get_by_label("Form").click()
    page.get_by_role("option", name="Free").click()
    page.evaluate(
        """() => { window.lengths = new Set(); new MutationObserver(() => {
            const prose = document.querySelector("#result .busy .prose");
            if (prose?.textContent) window.lengths.add(prose.textContent.length);
        }).observe(document.body, { childList: true, subtree: true, characterData: true }); }"""
    )
    page.locator("#refine").click()
    page.wait_for_function("window.lengths.size >= 4", timeout=RUN_TIMEOUT)
    kept = page.locator("#result .prose").inner_text()[:20]
    page.locator("#stop").click()
    wait_for_result(page)
    expect(page.locator("#status")).to_contain_text("Stopped")
    expect(page.locator(".made")).to_contain_text("stopped by you")
    assert kept in page.locator(".view-clean").text_content()
    page.locator("#refine").click()
    page.locator("#result .busy").wait_for()
    page.keyboard.press("Escape")
    wait_for_result(page, RUN_TIMEOUT)


@pytest.mark.real_model
def test_a_hosted_judge_scores_both_answers_and_its_failures_are_shown_with_their_reason(
    hosted: Served, judge_server: StandIn, visit: Open
) -> None:
    judge_server.script = {
        "Off-Query Padding": [replies("It is fine, I suppose.")],
        "Wrong-Entity Confabulation": [fails(401)],
    }
    page = visit(hosted)
    page.locator("#judge-fold summary").click()
    expect(page.locator("#judge-fold")).to_contain_text("has not been measured here")
    choose_example(page)
    page.locator("#refine").click()
    wait_for_result(page, RUN_TIMEOUT)
    rows = page.locator(".criteria li")
    expect(rows.filter(has_text="Off-Query Padding")).to_contain_text(
        "not scored: the judge's reply holds no JSON"
    )
    expect(rows.filter(has_text="Wrong-Entity")).to_contain_text(
        "not scored: the judge's server refused the key"
    )
    expect(rows.filter(has_text="Citation Discipline")).to_contain_text("It says so.")
    expect(page.locator(".scores .lead")).to_contain_text("partly scored")
    expect(page.locator(".claims .badge.judged").first).to_contain_text("supported")
    judge_server.script = {}
    page.locator("#refine").click()
    expect(page.locator(".scores .lead .basis")).to_have_text("judged", timeout=RUN_TIMEOUT)
    assert violations(page) == []
