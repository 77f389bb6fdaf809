"""What the buttons of the rating change on the page, component by component."""

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import runs

from refiner.feedback.storage.store import Store
from refiner.feedback.votes import VoteRecorder
from refiner.ui.outputs import RunOutputs
from refiner.ui.rating.parts import add_rating
from refiner.ui.rating.vote_form import VoteForm
from refiner.ui.rating.voting import VoteHandler, connect_rating
from refiner.ui.run.current_run import CurrentRun
from refiner.ui.run.views import RunView

CURRENT = CurrentRun("r1", runs.samples()[1], runs.MADE)
BLIND = replace(CURRENT, blind=True, left="draft")


@pytest.fixture
def handler(tmp_path: Path) -> VoteHandler:
    with gr.Blocks(analytics_enabled=False):
        status, result, start, stop = gr.HTML(), gr.HTML(), gr.Button(), gr.Button()
        outputs = RunOutputs(status, result, start, stop, gr.Row(), gr.State(None), add_rating())
    store = Store(f"sqlite:///{(tmp_path / 'feedback.db').as_posix()}")
    return VoteHandler(outputs, VoteRecorder(store), lambda: b"k" * 32)


def test_a_view_without_a_result_leaves_result_tools_and_rating_alone(handler: VoteHandler) -> None:
    assert set(handler.outputs.updates(RunView("Busy."))) == set(handler.outputs.progress())


def test_a_result_that_cannot_be_rated_hides_the_rating_and_keeps_what_is_in_it(handler: VoteHandler) -> None:
    outputs = handler.outputs
    updates = outputs.updates(RunView("Opened.", "Result", running=False), replace(CURRENT, id=""))
    assert updates[outputs.tools].visible
    assert {part for part in updates if part in outputs.rating.outputs()} == {outputs.rating.group}


def test_a_refused_vote_changes_the_note_only(handler: VoteHandler) -> None:
    for current in (None, CURRENT):
        assert set(handler.vote("tie", "", current, VoteForm())) == {handler.outputs.rating.note}


def test_a_vote_with_named_sides_leaves_the_result_alone_and_a_blind_one_uncovers_it(
    handler: VoteHandler,
) -> None:
    outputs = handler.outputs
    named = handler.vote("first", "", CURRENT, VoteForm(store=True))
    assert named[outputs.current].choice == "refined"
    assert outputs.result not in named
    blind = handler.vote("first", "", BLIND, VoteForm(store=True))
    assert blind[outputs.current].choice == "draft"
    assert blind[outputs.tools].visible
    assert not any(blind[button].interactive for button in outputs.rating.buttons.values())


@pytest.mark.parametrize(("left", "first", "second"), [("refined", ["a"], ["b"]), ("draft", ["b"], ["a"])])
def test_reasons_move_with_their_side(handler: VoteHandler, left: Any, first: Any, second: Any) -> None:
    rating = handler.outputs.rating
    updates = handler.reveal(replace(BLIND, left=left), ["a"], ["b"])
    assert (updates[rating.first_reasons].value, updates[rating.second_reasons].value) == (first, second)


def test_what_only_the_browser_knows_is_put_where_the_form_reads_it(handler: VoteHandler) -> None:
    with gr.Blocks(analytics_enabled=False) as page:
        rebuilt = RunOutputs(
            gr.HTML(), gr.HTML(), gr.Button(), gr.Button(), gr.Row(), gr.State(None), add_rating()
        )
        connect_rating(replace(handler, outputs=rebuilt))
    names = ["current", *(field.name for field in fields(VoteForm))]
    scripts = [event.js for event in page.fns.values() if event.js]
    assert len(scripts) == 5
    for script in scripts:
        places = dict(re.findall(r"values\[(\d+)\] = window\.refiner\.(\w+)\(\)", str(script)))
        assert {names[int(place)]: call for place, call in places.items()} == {
            "agreement": "agreed",
            "browser_id": "me",
        }
