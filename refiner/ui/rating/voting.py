"""Stores votes when a button of the rating is pressed, and shows what came of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import gradio as gr

from refiner.domain import Choice
from refiner.errors import InputError, RefinerError
from refiner.feedback.rater import rater_id
from refiner.feedback.votes import VoteRecorder
from refiner.judges.ask import clear_caches
from refiner.judges.quality import Quality
from refiner.render import result
from refiner.ui.events import QUIET, Updates
from refiner.ui.outputs import RunOutputs
from refiner.ui.rating.vote_form import VoteForm
from refiner.ui.run.current_run import CurrentRun, VoteButton

_Button = VoteButton | Literal["save"]
_MAX_BROWSER_ID_LENGTH = 64
_CHOICE_WORDS: dict[Choice, str] = {
    "refined": "refined better",
    "draft": "draft better",
    "tie": "tie",
    "both_bad": "both bad",
}


@dataclass(frozen=True, slots=True)
class VoteHandler:
    """Does the work of the rating's buttons. ``key`` returns the secret with which raters' ids are made."""

    outputs: RunOutputs
    recorder: VoteRecorder
    key: Callable[[], bytes]
    judge_quality: Quality | None = None

    def vote(self, button: _Button, username: str, current: CurrentRun | None, form: VoteForm) -> Updates:
        """Store a vote, or what was added to it. ``username`` is the signed-in visitor's, or empty."""
        try:
            voted, note = self._store(button, current, form, username)
        except RefinerError as error:
            return {self.outputs.rating.note: result.status(str(error), "error")}
        updates = {
            self.outputs.current: voted,
            **self.outputs.rating.uncovered(voted, result.status(note, "good")),
        }
        if voted.blind and button != "save":
            updates |= self._full_result(voted)
        return updates

    def reveal(
        self, current: CurrentRun | None, first_reasons: Sequence[str], second_reasons: Sequence[str]
    ) -> Updates:
        """Show which side is which without a vote. A later vote is not blind. Reasons stay with their side."""
        if current is None:
            return {self.outputs.rating.note: ""}
        if current.left == "draft":
            first_reasons, second_reasons = second_reasons, first_reasons
        named = replace(current, blind=False, left="draft")
        return {
            self.outputs.current: named,
            **self.outputs.rating.uncovered_with_reasons(named, first_reasons, second_reasons),
            **self._full_result(named),
        }

    def _store(
        self, button: _Button, current: CurrentRun | None, form: VoteForm, username: str
    ) -> tuple[CurrentRun, str]:
        if current is None or not current.id:
            raise InputError("There is nothing to rate: refine a draft first.")
        if not form.store:
            raise InputError("Nothing was stored: tick the first box to store your rating, then vote again.")
        choice = current.choice if button == "save" else current.choice_of(button)
        if choice is None or (current.blind and current.choice not in {None, choice}):
            raise InputError("A blind vote stands as it was cast. You can still add to it.")
        rater = rater_id(self.key(), name=username, browser=form.browser_id[:_MAX_BROWSER_ID_LENGTH])
        event = self.recorder.record(form.feedback(current, choice, rater))
        note = f"Stored: {_CHOICE_WORDS[choice]}. Its number is {event}; with it you can have it deleted."
        return replace(current, choice=choice), note

    def _full_result(self, current: CurrentRun) -> Updates:
        """Show the result with names and scores, in place of the blind one."""
        body = result.finished(current.run, self.judge_quality, rated=True)
        clear_caches()
        return {self.outputs.result: body, self.outputs.tools: gr.Row(visible=True)}


def connect_rating(handler: VoteHandler) -> list[Any]:
    """Connect every button of the rating. Returns the events, so that others can follow them."""
    outputs, rating = handler.outputs, handler.outputs.rating
    inputs = [outputs.current, *rating.form_fields()]
    changed = [outputs.result, outputs.tools, outputs.current, *rating.outputs()]
    browser_values = {rating.agreement: "window.refiner.agreed()", rating.browser_id: "window.refiner.me()"}
    buttons: list[tuple[_Button, gr.Button]] = [*rating.buttons.items(), ("save", rating.save)]
    votes = [
        button.click(
            _vote_function(handler, name), inputs, changed, js=_replacing(inputs, browser_values), **QUIET
        )
        for name, button in buttons
    ]
    revealing = [outputs.current, rating.first_reasons, rating.second_reasons]
    return [*votes, rating.reveal.click(handler.reveal, revealing, changed, **QUIET)]


def _vote_function(handler: VoteHandler, button: _Button) -> Callable[..., Updates]:
    """Make a button's function. By its annotations Gradio knows to pass who is signed in."""

    def vote(
        request: gr.Request, profile: gr.OAuthProfile | None, current: CurrentRun | None, *values: Any
    ) -> Updates:
        username = profile.username if profile is not None else request.username
        names = (field.name for field in fields(VoteForm))
        return handler.vote(
            button, username or "", current, VoteForm(**dict(zip(names, values, strict=True)))
        )

    return vote


def _replacing(inputs: Sequence[Any], expressions: Mapping[Any, str]) -> str:
    """Write a JavaScript function that puts values that only the browser knows in place of some inputs."""
    lines = "".join(
        f"values[{inputs.index(component)}] = {expression}; " for component, expression in expressions.items()
    )
    return f"(...values) => {{ {lines}return values; }}"
