"""Who may see the votes: the token, the owners' names, and how often one may guess."""

import threading

import gradio as gr
import pytest

from refiner.errors import InputError
from refiner.feedback.storage.store import Store
from refiner.ui.insight.owner_auth import LOCKOUT_SECONDS, MAX_WRONG_TOKENS, OwnerAuth
from refiner.ui.insight.panel import InsightPanel, add_panel, show_votes

TOKEN = "a long token of ours"  # noqa: S105 - the tests' own


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def refused(auth: OwnerAuth, token: str, name: str = "") -> str:
    with pytest.raises(InputError) as raised:
        auth.check(token, name)
    assert raised.value.field == "owner-token"
    return str(raised.value)


@pytest.mark.parametrize("typed", [TOKEN, f" {TOKEN}\n"], ids=["typed", "pasted with a line's end"])
def test_the_token_opens(typed: str) -> None:
    OwnerAuth(TOKEN).check(typed)


@pytest.mark.parametrize("typed", ["", " ", TOKEN[:-1], TOKEN.upper(), "\ud800", "x" * 10_000])
def test_nothing_else_opens_and_no_refusal_repeats_what_was_given(typed: str) -> None:
    refusal = refused(OwnerAuth(TOKEN), typed)
    assert TOKEN not in refusal
    assert len(typed) < 2 or typed not in refusal


def test_an_owner_who_is_signed_in_needs_no_token() -> None:
    auth = OwnerAuth("", ["Ada"])
    auth.check("", "ada")
    assert "grace" in refused(auth, "", "grace")


def test_where_no_token_is_set_none_opens() -> None:
    for guess in ("", "None", "a guess"):
        assert "Sign in as an owner" in refused(OwnerAuth("", ["ada"]), guess)


def test_after_five_wrong_tokens_none_is_looked_at_until_a_minute_after_the_first() -> None:
    clock = Clock()
    auth = OwnerAuth(TOKEN, ["ada"], clock)
    for _ in range(MAX_WRONG_TOKENS):
        assert "not the token" in refused(auth, "a guess")
        clock.now += 1
    assert "Wait a minute" in refused(auth, TOKEN)
    auth.check("", "ada")
    clock.now = 100 + LOCKOUT_SECONDS - 0.1
    assert "Wait a minute" in refused(auth, TOKEN)
    clock.now = 100 + LOCKOUT_SECONDS
    auth.check(TOKEN)
    assert "not the token" in refused(auth, "a guess")
    assert "Wait a minute" in refused(auth, "a guess")


def test_neither_an_empty_field_nor_a_right_token_counts_as_a_guess() -> None:
    auth = OwnerAuth(TOKEN)
    for _ in range(2 * MAX_WRONG_TOKENS):
        refused(auth, "")
        auth.check(TOKEN)


def test_many_guesses_at_once_are_no_more_than_five() -> None:
    auth, refusals = OwnerAuth(TOKEN), []
    guesses = [threading.Thread(target=lambda: refusals.append(refused(auth, "a guess"))) for _ in range(40)]
    for one in guesses:
        one.start()
    for one in guesses:
        one.join()
    assert sum("not the token" in refusal for refusal in refusals) == MAX_WRONG_TOKENS


@pytest.fixture
def panel() -> InsightPanel:
    with gr.Blocks(analytics_enabled=False):
        return add_panel()


def test_a_database_that_cannot_be_read_is_a_sentence(panel: InsightPanel) -> None:
    *_, last = show_votes(panel, Store("sqlite:////dev/null/votes.db"), OwnerAuth(TOKEN), TOKEN, "")
    assert "The database of ratings could not be used" in last[panel.status]


def test_a_refused_visitor_gets_one_view_with_nothing_in_it(panel: InsightPanel) -> None:
    (only,) = show_votes(panel, Store("sqlite:////dev/null/votes.db"), OwnerAuth(TOKEN), "a guess", "")
    assert "not the token" in only.pop(panel.status)
    assert only.pop(panel.body).visible is False
    assert only == dict.fromkeys(panel.all()[2:])
