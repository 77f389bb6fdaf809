"""A rating as it was filled in: what is stored of it, what is refused, and who learns of it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import runs

from refiner.domain import Feedback
from refiner.errors import InputError, RefinerError
from refiner.feedback import consent
from refiner.feedback.storage.store import Store
from refiner.feedback.votes import VoteRecorder
from refiner.render.result import finished
from refiner.ui.rating.parts import answer_names, button_labels
from refiner.ui.rating.vote_form import VoteForm
from refiner.ui.run.current_run import CurrentRun, VoteButton

RUN = runs.samples()[1]
CURRENT = CurrentRun("r1", RUN, runs.MADE)
BLIND = replace(CURRENT, blind=True, left="draft")
CRITERION = RUN.reward.rubric.verdicts[0][0].id


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = Store(f"sqlite:///{(tmp_path / 'feedback.db').as_posix()}")
    yield one
    one.close()


def filled(**fields: Any) -> Feedback:
    return VoteForm(store=True, **fields).feedback(CURRENT, "refined", "someone")


BUTTONS: list[Any] = [
    pytest.param(CURRENT, "first", "refined", id="named-first"),
    pytest.param(CURRENT, "second", "draft", id="named-second"),
    pytest.param(BLIND, "first", "draft", id="blind-left-is-the-draft"),
    pytest.param(BLIND, "second", "refined", id="blind-right-is-the-refined"),
    pytest.param(replace(BLIND, left="refined"), "first", "refined", id="blind-left-is-the-refined"),
    pytest.param(BLIND, "tie", "tie", id="tie"),
    pytest.param(BLIND, "both_bad", "both_bad", id="both-bad"),
]


@pytest.mark.parametrize(("current", "button", "choice"), BUTTONS)
def test_a_press_means_what_stands_on_its_side(current: CurrentRun, button: VoteButton, choice: str) -> None:
    assert current.choice_of(button) == choice


def test_sides_are_named_only_once_a_blind_vote_was_cast() -> None:
    assert answer_names(BLIND) == ("Left", "Right")
    assert list(button_labels(BLIND).values())[:2] == ["1  Left better", "2  Right better"]
    assert answer_names(replace(BLIND, choice="tie")) == (
        "Left (the draft answer)",
        "Right (the refined answer)",
    )
    assert answer_names(CURRENT) == ("Refined", "Draft")
    assert (BLIND.sides_hidden, replace(BLIND, choice="tie").sides_hidden, CURRENT.sides_hidden) == (
        True,
        False,
        False,
    )


def test_everything_that_was_filled_in_is_in_the_rating() -> None:
    filled_in = VoteForm(
        stars="4",
        first_reasons=["clear", "supported"],
        second_reasons=["padded"],
        comment=" Because. ",
        agreement=json.dumps({"criteria": {CRITERION: False}, "claims": {"0": True}}),
        store=True,
        publish=True,
    )
    feedback = filled_in.feedback(BLIND, "refined", "someone")
    assert (feedback.choice, feedback.stars, feedback.comment) == ("refined", 4, "Because.")
    assert feedback.reasons == {"draft": ("supported", "clear"), "refined": ("padded",)}
    assert (feedback.criteria, feedback.claims) == ({CRITERION: False}, {0: True})
    assert (feedback.blind, feedback.left, feedback.rater, feedback.run_id) == (
        True,
        "draft",
        "someone",
        "r1",
    )
    assert (feedback.consent_store, feedback.consent_publish) == (True, True)
    assert feedback.consent_version == consent.CURRENT


STRANGE = [
    pytest.param("[]", id="no-object"),
    pytest.param('{"criteria": 3, "claims": []}', id="no-objects-in-it"),
    pytest.param(
        '{"criteria": {"nobody": true}, "claims": {"999": true, "-1": true, "x": true}}', id="unknown"
    ),
    pytest.param(json.dumps({"criteria": {CRITERION: "yes"}, "claims": {"0": 1}}), id="no-yes-or-no"),
    pytest.param("", id="nothing"),
]


@pytest.mark.parametrize("agreed", STRANGE)
def test_agreement_with_what_is_not_there_is_left_out(agreed: str) -> None:
    feedback = filled(agreement=agreed)
    assert (feedback.criteria, feedback.claims) == ({}, {})


def test_only_verdicts_that_are_there_can_be_agreed_with() -> None:
    unscored = runs.make_run(RUN.request, RUN.answer.raw, runs.Always(None))
    agreed = json.dumps({"criteria": {CRITERION: True}, "claims": {str(n): True for n in range(30)}})
    feedback = VoteForm(agreement=agreed, store=True).feedback(replace(CURRENT, run=unscored), "tie", "")
    scored = {n for n, one in enumerate(unscored.reward.citation.supports) if one.verdict.value is not None}
    assert not feedback.criteria
    assert set(feedback.claims) == scored
    assert finished(unscored, rated=True).count('data-value="true"') == len(scored)


@pytest.mark.parametrize("agreed", ["{", "\ud800", "[" * 100_000], ids=["cut", "surrogate", "deep"])
def test_agreement_that_cannot_be_read_is_refused(agreed: str) -> None:
    with pytest.raises(InputError, match="Reload"):
        filled(agreement=agreed)


@pytest.mark.parametrize("stars", ["0", "6", "x", -1])
def test_stars_go_from_one_to_five(stars: Any) -> None:
    with pytest.raises(InputError, match="from 1 to 5"):
        filled(stars=stars)


def test_reasons_that_nobody_offered_are_left_out() -> None:
    assert filled(first_reasons=["clear", "<b>"], second_reasons=["x"]).reasons == {
        "refined": ("clear",),
        "draft": (),
    }


def test_a_long_comment_is_cut() -> None:
    assert len(filled(comment="x" * 20_000).comment) == 10_000


def test_without_consent_nothing_is_stored(store: Store) -> None:
    with pytest.raises(RefinerError, match="consent"):
        VoteRecorder(store).record(VoteForm().feedback(CURRENT, "tie", ""))
    assert store.count() == 0


def test_a_rating_is_deleted_by_its_number_once(store: Store) -> None:
    ballots = VoteRecorder(store)
    event = ballots.record(filled())
    assert store.run_of(event) == ("r1", False)
    assert (ballots.delete(event), ballots.delete(event), ballots.delete("nobody's")) == (True, False, False)
    assert store.vote(event) is None
