"""Who may see the votes: the token, the owners' names, and how often one may guess."""

import threading

import pytest

from refiner.errors import InputError
from refiner.feedback.storage.store import Store
from refiner.ui.insight.owner_auth import MINUTE, TRIES, Door
from refiner.ui.insight.page import Figures

TOKEN = "a long token of ours"  # noqa: S105 - the tests' own


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def refused(door: Door, token: str, name: str = "") -> str:
    with pytest.raises(InputError) as raised:
        door.enter(token, name)
    assert raised.value.field == "owner-token"
    return str(raised.value)


@pytest.mark.parametrize("given", [TOKEN, f" {TOKEN}\n"], ids=["typed", "pasted with a line's end"])
def test_the_token_opens(given: str) -> None:
    Door(TOKEN).enter(given)


@pytest.mark.parametrize("given", ["", " ", TOKEN[:-1], TOKEN.upper(), "\ud800", "x" * 10_000])
def test_nothing_else_opens_and_no_refusal_repeats_what_was_given(given: str) -> None:
    said = refused(Door(TOKEN), given)
    assert TOKEN not in said
    assert len(given) < 2 or given not in said


def test_an_owner_who_is_signed_in_needs_no_token() -> None:
    door = Door("", ["Ada"])
    door.enter("", "ada")
    assert "grace" in refused(door, "", "grace")


def test_where_no_token_is_set_none_opens() -> None:
    for guess in ("", "None", "a guess"):
        assert "Sign in as an owner" in refused(Door("", ["ada"]), guess)


def test_after_five_wrong_tokens_none_is_looked_at_until_a_minute_after_the_first() -> None:
    clock = Clock()
    door = Door(TOKEN, ["ada"], clock)
    for _ in range(TRIES):
        assert "not the token" in refused(door, "a guess")
        clock.now += 1
    assert "Wait a minute" in refused(door, TOKEN)
    door.enter("", "ada")
    clock.now = 100 + MINUTE - 0.1
    assert "Wait a minute" in refused(door, TOKEN)
    clock.now = 100 + MINUTE
    door.enter(TOKEN)
    assert "not the token" in refused(door, "a guess")
    assert "Wait a minute" in refused(door, "a guess")


def test_neither_an_empty_field_nor_a_right_token_counts_as_a_guess() -> None:
    door = Door(TOKEN)
    for _ in range(2 * TRIES):
        refused(door, "")
        door.enter(TOKEN)


def test_many_guesses_at_once_are_no_more_than_five() -> None:
    door, said = Door(TOKEN), []
    guesses = [threading.Thread(target=lambda: said.append(refused(door, "a guess"))) for _ in range(40)]
    for one in guesses:
        one.start()
    for one in guesses:
        one.join()
    assert sum("not the token" in words for words in said) == TRIES


def test_a_database_that_cannot_be_read_is_a_sentence() -> None:
    figures = Figures(Store("sqlite:////dev/null/votes.db"), Door(TOKEN))
    *_, (status, *_) = figures.views(TOKEN, "")
    assert "The database of ratings could not be used" in status


def test_a_refused_visitor_gets_one_view_with_nothing_in_it() -> None:
    figures = Figures(Store("sqlite:////dev/null/votes.db"), Door(TOKEN))
    ((status, _, *parts),) = figures.views("a guess", "")
    assert "not the token" in status
    assert parts == [None] * 7
