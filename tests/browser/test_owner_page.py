"""The owner's page in Chromium: closed, guarded, opened; a stranger's texts; both themes and widths; nothing leaks."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from harness import ACTION_TIMEOUT, PAYLOADS, Served, serve
from page_actions import THEMES_AND_WIDTHS, overflow, refined, violations
from paths import ROOT
from playwright.sync_api import Browser, Page, expect
from seeded_votes import COMMENT, JUDGE, MODELS, TITLES, seed_votes

from refiner.feedback.rater import rater_id
from refiner.feedback.storage.store import Store

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
APP = ROOT / "tests/browser/scripted_app.py"
TOKEN = "correct horse battery staple"  # noqa: S105 - the tests' own
VOTES = 40
_HEARD = """window.heard = "";
const ask = window.fetch;
window.fetch = async (...given) => {
  const answer = await ask(...given), copy = answer.clone().body?.pipeThrough(new TextDecoderStream()).getReader();
  (async () => { for (let part; copy && !(part = await copy.read()).done;) window.heard += part.value; })().catch(() => {});
  return answer;
};"""
"""Keeps what every request of the page's scripts brings, streams too."""


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The app with votes, and a token that opens them."""
    cache = tmp_path_factory.mktemp("owned")
    url = f"sqlite:///{cache / 'votes.db'}"
    seed_votes(url, VOTES)
    with serve(APP, cache, DATABASE_URL=url, REFINER_OWNER_TOKEN=TOKEN) as served:
        yield served


def enter(page: Page, token: str = TOKEN) -> None:
    page.get_by_label("Owner’s token").fill(token)
    page.get_by_role("button", name="Show the votes").click()


def opened(visit: Open, served: Served, theme: str = "light", width: int = 1280) -> Page:
    page = visit(served, theme, width, path="insight")
    enter(page)
    expect(page.locator("#figures svg.marks")).to_have_count(2)
    return page


def test_without_token_and_owners_the_page_is_closed_and_says_how_to_open_it(
    visit: Open, scripted: Served
) -> None:
    page = visit(scripted, path="insight")
    expect(page.locator("#insight")).to_contain_text("This page is closed")
    expect(page.locator("#insight")).to_contain_text("REFINER_OWNER_TOKEN")
    expect(page.locator("input[type=password], button:visible")).to_have_count(0)
    assert violations(page) == []


def test_the_token_shows_the_figures(visit: Open, owned: Served) -> None:
    page = opened(visit, owned)
    expect(page.locator("#status")).to_have_text(f"{VOTES} votes read.")
    overview = page.locator("#figures .sheet").first
    # of ten votes six are for the refined answer, two for the draft
    expect(overview).to_contain_text("75%")
    expect(overview.get_by_role("row", name="All votes")).to_contain_text("32")
    expect(overview).to_contain_text("By 7 raters")
    people = page.locator("#figures .sheet").nth(3)
    for title in TITLES:
        expect(people.get_by_role("row", name=title)).to_contain_text(re.compile(r"\d\.\d\d \[\d\.\d\d–"))
    expect(page.locator("#figures .claims tbody tr")).to_have_count(20)


def test_neither_page_shows_a_bar_of_pages(visit: Open, owned: Served) -> None:
    for path in ("", "insight"):
        expect(visit(owned, path=path).locator(".nav-holder")).to_be_hidden()


def test_enter_in_the_field_shows_them_too(visit: Open, owned: Served) -> None:
    page = visit(owned, path="insight")
    field = page.get_by_label("Owner’s token")
    field.fill(TOKEN)
    field.press("Enter")
    expect(page.locator("#status")).to_contain_text("votes read")


def test_nothing_of_a_vote_reaches_the_browser_before_the_token_does(visit: Open, owned: Served) -> None:
    page = visit(owned, path="insight")
    page.add_init_script(_HEARD)
    document = page.reload()
    assert document is not None
    enter(page, "a guess that is long enough")
    expect(page.locator("#status")).to_contain_text("That is not the token")
    expect(page.get_by_label("Owner’s token")).to_be_focused()
    secrets = (*MODELS, COMMENT, JUDGE, TITLES[-1])
    before = f"{document.text()} {page.request.get(f'{owned.url}config').text()} {page.evaluate('heard')}"
    assert "That is not the token" in before
    assert [secret for secret in (*secrets, TOKEN) if secret in before] == []
    enter(page)
    expect(page.locator("#status")).to_contain_text("votes read")
    after = page.evaluate("heard")
    assert [secret for secret in secrets if secret not in after] == []


def test_what_was_shown_is_gone_after_a_wrong_token(visit: Open, owned: Served) -> None:
    page = opened(visit, owned)
    enter(page, "a guess that is long enough")
    expect(page.locator("#status")).to_contain_text("That is not the token")
    expect(page.locator("#figures")).to_be_hidden()
    assert MODELS[0] not in page.content()


def test_the_token_is_in_no_address_and_in_no_log(visit: Open, owned: Served) -> None:
    page = visit(owned, path="insight")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    enter(page)
    expect(page.locator("#status")).to_contain_text("votes read")
    seen = "".join(asked) + page.url + (owned.cache / "app.log").read_text(errors="replace")
    assert TOKEN not in seen
    assert "battery" not in seen


def test_a_strangers_texts_are_shown_as_texts(visit: Open, owned: Served) -> None:
    page = opened(visit, owned)
    first = page.locator("#figures .claims tbody tr").first
    expect(first).to_contain_text(f"Question {PAYLOADS[0]}")
    expect(first).to_contain_text(f"Comment {PAYLOADS[0]}")
    expect(page.locator("#figures .scores").nth(1)).to_contain_text(PAYLOADS[0])
    assert page.evaluate("window.bad") is None
    assert page.locator("#figures :is(script, img, [onload], [onmouseover])").count() == 0
    assert "\u202e" not in page.content()


@pytest.mark.parametrize(("theme", "width"), THEMES_AND_WIDTHS)
def test_axe_finds_nothing_and_nothing_is_too_wide(
    visit: Open, owned: Served, theme: str, width: int
) -> None:
    page = visit(owned, theme, width, path="insight")
    assert violations(page) == []
    enter(page)
    expect(page.locator("#figures svg.marks")).to_have_count(2)
    page.get_by_text("As a table").click()
    assert violations(page) == []
    assert overflow(page) <= 0


@pytest.fixture
def unrated(tmp_path: Path) -> Iterator[Served]:
    """The app with a token and no vote."""
    with serve(APP, tmp_path, REFINER_OWNER_TOKEN=TOKEN) as served:
        yield served


def test_without_votes_it_says_so(unrated: Served, visit: Open) -> None:
    page = visit(unrated, path="insight")
    enter(page)
    expect(page.locator("#status")).to_contain_text("There are no votes yet")
    assert violations(page) == []


SECRET = "the Space's secret"  # noqa: S105 - the tests' own
RATER_KEY = "a key of the tests, sixteen or more"
SPACE = {
    "SYSTEM": "spaces",
    "SPACE_ID": "ada/refiner",
    "OAUTH_CLIENT_ID": "an id",
    "OAUTH_CLIENT_SECRET": SECRET,
    "OAUTH_SCOPES": "openid profile",
    "OPENID_PROVIDER_URL": "https://huggingface.co",
    "REFINER_OWNERS": "grace, ada",
    "REFINER_RATER_KEY": RATER_KEY,
}


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Served]:
    """The app with votes, as on a Space."""
    url = f"sqlite:///{tmp_path / 'votes.db'}"
    seed_votes(url, 3)
    with serve(APP, tmp_path, DATABASE_URL=url, **SPACE) as served:
        yield served


def test_on_a_space_an_owner_signs_in_and_nobody_else_is_let_in(space: Served, chromium: Browser) -> None:
    """Not watched for requests to other hosts: on a Space, Gradio puts a head with the Hub's pictures on each page."""
    with closing(chromium.new_context()) as context:
        context.set_default_timeout(ACTION_TIMEOUT)
        page = context.new_page()
        page.goto(f"{space.url}insight")
        expect(page.get_by_role("button", name="Sign in with Hugging Face")).to_be_visible()
        for name, error in (
            ("", "Sign in"),
            ("mallory", "mallory is not among the owners"),
            ("Ada", "3 votes read"),
        ):
            if name:
                context.add_cookies([{"name": "session", "value": session(name), "url": space.url}])
                page.reload()
                expect(page.get_by_role("button", name=f"Logout ({name})")).to_be_visible()
            page.get_by_role("button", name="Show the votes").click()
            expect(page.locator("#status")).to_contain_text(error)
        assert violations(page) == []


def test_on_a_space_who_is_signed_in_is_one_rater_whatever_the_browser(
    space: Served, chromium: Browser
) -> None:
    for _ in ("one browser", "another"):
        with closing(chromium.new_context()) as context:
            context.set_default_timeout(ACTION_TIMEOUT)
            context.add_cookies([{"name": "session", "value": session("Grace"), "url": space.url}])
            page = context.new_page()
            page.goto(space.url)
            refined(page)
            expect(page.get_by_role("button", name="Logout (Grace)")).to_be_visible()
            page.get_by_label("Store this run’s texts").check()
            page.get_by_role("button", name="Refined better").click()
            expect(page.locator("#vote-note")).to_contain_text("Stored")
    with closing(Store(f"sqlite:///{space.cache / 'votes.db'}")) as store:
        raters = [vote.feedback.rater for vote in store.votes()]
    assert raters.count(rater_id(RATER_KEY.encode(), name="Grace")) == 2


def session(name: str) -> str:
    """The cookie that Gradio's sign-in leaves, signed with the Space's secret."""
    from itsdangerous import TimestampSigner  # noqa: PLC0415 - brought by gradio[oauth]

    user = {"sub": "1", "name": name, "preferred_username": name, "profile": "", "picture": ""}
    held = json.dumps({"oauth_info": {"access_token": "x", "scope": "", "expires_at": 4e9, "userinfo": user}})
    key = hashlib.sha256(f"{SECRET}-v4".encode()).hexdigest()
    return TimestampSigner(key).sign(b64encode(held.encode())).decode()
