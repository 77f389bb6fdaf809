"""The rating in Chromium: everything that can be said is stored as it was said, blind or not, and deleted when asked."""

import re
from contextlib import closing
from pathlib import Path

import pytest
from harness import Served, serve
from hub import REPO, serving_hub
from page_actions import THEMES_AND_WIDTHS, Open, open_fold, overflow, refined, violations
from paths import ROOT
from playwright.sync_api import Page, expect

from refiner.feedback.storage.store import Store, Vote

pytestmark = pytest.mark.browser

REFINED = "It ends there, whoever looks at it."
NUMBER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def number(page: Page) -> str:
    """The number of the rating that was just stored."""
    expect(page.locator("#vote-note")).to_contain_text("Stored")
    found = NUMBER.search(page.locator("#vote-note").inner_text())
    assert found
    return found[0]


def stored(served: Served, event: str) -> Vote | None:
    with closing(Store(f"sqlite:///{(served.cache / 'feedback.db').as_posix()}")) as store:
        return store.vote(event)


def test_everything_that_was_said_is_stored_and_can_be_added_to(scored: Served, visit: Open) -> None:
    page = refined(visit(scored))
    page.locator("#stars label", has_text="4").click()
    page.locator("#reasons-first").get_by_label("Well supported").check()
    page.locator("#reasons-second").get_by_label("Says something false").check()
    page.locator(".claims tbody tr").first.get_by_role("button", name="Agree", exact=True).click()
    criterion = page.locator(".criteria li", has_text="Citation Discipline")
    criterion.get_by_role("button", name="Disagree").click()
    page.get_by_label("Comment").fill("The first one.")
    page.get_by_label("Store this run’s texts").check()
    page.locator("h1").click()
    page.keyboard.press("1")
    first = stored(scored, number(page))
    assert first is not None
    feedback = first.feedback
    assert (feedback.choice, feedback.stars, feedback.comment, feedback.blind) == (
        "refined",
        4,
        "The first one.",
        False,
    )
    assert feedback.reasons == {"refined": ("supported",), "draft": ("false",)}
    assert (feedback.criteria, feedback.claims) == ({"citation-discipline": False}, {0: True})
    assert feedback.consent_publish is False
    assert len(feedback.rater) == 32
    criterion.get_by_role("button", name="Disagree").click()
    page.get_by_label("They may be published").check()
    page.get_by_role("button", name="Save what was added").click()
    expect(page.locator("#vote-note")).not_to_contain_text(first.id)
    second = stored(scored, number(page))
    assert second is not None
    assert (second.feedback.criteria, second.feedback.consent_publish) == ({}, True)
    assert second.feedback.rater == feedback.rater
    assert stored(scored, first.id) is None, "one vote a run: the later one counts"


@pytest.mark.parametrize(("theme", "width"), THEMES_AND_WIDTHS)
def test_blind_the_answers_have_no_names_until_the_vote_which_then_stands(
    scored: Served, visit: Open, theme: str, width: int
) -> None:
    page = refined(visit(scored, theme, width), blind=True)
    for selector in (".scores", ".diff-top", ".result .badge", "#tools:visible", ".made", "#stars:visible"):
        expect(page.locator(selector)).to_have_count(0)
    expect(page.locator("#runs-count")).to_have_text("0")
    assert violations(page) == []
    assert overflow(page) == 0
    left = page.locator(".pair.blind .half").first.inner_text()
    page.get_by_label("Store this run’s texts").check()
    page.get_by_role("button", name="Left better").click()
    vote = stored(scored, number(page))
    assert vote is not None
    drawn = "refined" if REFINED in left else "draft"
    assert (vote.feedback.blind, vote.feedback.left, vote.feedback.choice) == (True, drawn, drawn)
    expect(page.locator(".scores")).to_be_visible()
    expect(page.locator("#reasons-first")).to_contain_text(f"Left (the {drawn} answer)")
    for press in ("first", "second", "tie", "both_bad"):
        expect(page.locator(f"#vote-{press}")).to_be_disabled()
    expect(page.locator("#runs-count")).to_have_text("1")
    page.locator("#stars label", has_text="2").click()
    page.get_by_role("button", name="Save what was added").click()
    expect(page.locator("#vote-note")).not_to_contain_text(vote.id)
    added = stored(scored, number(page))
    assert added is not None
    assert (added.feedback.stars, added.feedback.choice, added.feedback.blind) == (2, drawn, True)
    assert violations(page) == []


def test_a_blind_vote_without_the_tick_stores_and_tells_nothing(scored: Served, visit: Open) -> None:
    page = refined(visit(scored), blind=True)
    page.get_by_role("button", name="Right better").click()
    expect(page.locator("#vote-note")).to_contain_text("Nothing was stored")
    expect(page.locator(".pair.blind")).to_be_visible()
    page.get_by_role("button", name="Show which is which").click()
    expect(page.locator(".scores")).to_be_visible()
    expect(page.locator("#vote-first")).to_contain_text("Refined better")
    page.get_by_label("Store this run’s texts").check()
    page.get_by_role("button", name="Refined better").click()
    vote = stored(scored, number(page))
    assert vote is not None
    assert (vote.feedback.blind, vote.feedback.choice) == (False, "refined")


def test_reasons_go_with_their_side_when_the_sides_are_shown_without_a_vote(
    scored: Served, visit: Open
) -> None:
    page = refined(visit(scored), blind=True)
    left = "draft" if "copper" in page.locator(".pair.blind > *").first.inner_text() else "refined"
    page.locator("#reasons-first").get_by_label("Clear").check()
    page.get_by_role("button", name="Show which is which").click()
    where = "#reasons-first" if left == "refined" else "#reasons-second"
    expect(page.locator(where).get_by_label("Clear")).to_be_checked()
    page.get_by_label("Store this run’s texts").check()
    page.get_by_role("button", name="Tie").click()
    vote = stored(scored, number(page))
    assert vote
    assert vote.feedback.reasons == {left: ("clear",)}
    assert (vote.feedback.blind, vote.feedback.left) == (False, "draft")


def test_a_vote_that_may_be_published_reaches_the_hub_and_one_that_may_not_does_not(
    visit: Open, tmp_path: Path
) -> None:
    with serving_hub() as hub:
        environ = {"REFINER_DATASET": REPO, "HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_x", "HF_HUB_OFFLINE": "0"}
        with serve(ROOT / "tests/browser/scripted_app.py", tmp_path, **environ) as served:
            page = refined(visit(served))
            assert hub.requested_paths == [], (
                "nothing is asked of the Hub before there is something to publish"
            )
            page.get_by_label("Store this run’s texts").check()
            page.get_by_label("Comment").fill("Write to me@example.org.")
            page.get_by_role("button", name="Tie").click()
            kept = number(page)
            page.get_by_label("They may be published").check()
            page.get_by_role("button", name="Both bad").click()
            expect(page.locator("#vote-note")).to_contain_text("both bad", timeout=30_000)
            published = number(page)
            page.close()
        [row] = hub.rows()
    assert (row["id"], row["choice"]) == (published, "both_bad")
    assert row["comment"] == "Write to [e-mail address]."
    assert kept not in str(hub.history)


def test_a_rating_is_deleted_by_its_number(scored: Served, visit: Open) -> None:
    page = refined(visit(scored))
    page.get_by_label("Store this run’s texts").check()
    page.get_by_role("button", name="Tie").click()
    event = number(page)
    open_fold(page, "Delete a rating")
    page.get_by_label("Number of the rating").fill(event)
    page.get_by_role("button", name="Delete it for good").click()
    expect(page.locator("#delete-note")).to_contain_text("Deleted")
    assert stored(scored, event) is None
    page.get_by_role("button", name="Delete it for good").click()
    expect(page.locator("#delete-note")).to_contain_text("There is no rating of that number")
