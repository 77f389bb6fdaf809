"""The components of the rating, and the updates that show, hide and clear them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, get_args

import gradio as gr

from refiner.feedback import consent
from refiner.feedback.reasons import REASONS
from refiner.ui.events import Updates
from refiner.ui.rating.vote_form import MAX_STARS, VoteForm
from refiner.ui.run.current_run import CurrentRun, VoteButton

VOTE_BUTTONS: tuple[VoteButton, ...] = get_args(VoteButton)


@dataclass(frozen=True, slots=True)
class RatingParts:
    """The components of the rating. Those that a vote reads have the names of the fields of `VoteForm`."""

    group: gr.Column
    note: gr.HTML
    buttons: dict[VoteButton, gr.Button]
    reveal: gr.Button
    save: gr.Button
    stars: gr.Radio
    first_reasons: gr.CheckboxGroup
    second_reasons: gr.CheckboxGroup
    comment: gr.Textbox
    agreement: gr.Textbox
    browser_id: gr.Textbox
    store: gr.Checkbox
    publish: gr.Checkbox

    def outputs(self) -> list[Any]:
        """List the components that the updates below change."""
        group = [self.group, self.note, *self.buttons.values(), self.reveal, self.save]
        return [*group, self.stars, self.first_reasons, self.second_reasons, self.comment]

    def form_fields(self) -> list[Any]:
        """List the components that a vote reads, in the order of the fields of `VoteForm`."""
        return [getattr(self, field.name) for field in fields(VoteForm)]

    def hidden(self) -> Updates:
        """Hide the rating, as there is nothing to rate."""
        return {self.group: gr.Column(visible=False)}

    def opened(self, current: CurrentRun) -> Updates:
        """Show an empty rating of a run that was not rated yet."""
        first, second = answer_names(current)
        labels = button_labels(current)
        return {
            self.group: gr.Column(visible=True),
            self.note: "",
            **{
                button: gr.Button(labels[name], interactive=True, variant="secondary")
                for name, button in self.buttons.items()
            },
            self.reveal: gr.Button(visible=current.blind),
            self.save: gr.Button(visible=False),
            self.stars: gr.Radio(value=None, visible=not current.blind),
            self.first_reasons: gr.CheckboxGroup(label=f"{first} is", value=[]),
            self.second_reasons: gr.CheckboxGroup(label=f"{second} is", value=[]),
            self.comment: "",
        }

    def uncovered(self, current: CurrentRun, note: str) -> Updates:
        """Show that a run was rated, or which side is which. A blind vote locks the four buttons."""
        first, second = answer_names(current)
        labels = button_labels(current)
        return {
            self.note: note,
            **{
                button: gr.Button(
                    labels[name],
                    interactive=not (current.blind and current.choice),
                    variant="primary"
                    if current.choice and current.choice_of(name) == current.choice
                    else "secondary",
                )
                for name, button in self.buttons.items()
            },
            self.reveal: gr.Button(visible=False),
            self.save: gr.Button(visible=current.choice is not None),
            self.stars: gr.Radio(visible=True),
            self.first_reasons: gr.CheckboxGroup(label=f"{first} is"),
            self.second_reasons: gr.CheckboxGroup(label=f"{second} is"),
        }

    def uncovered_with_reasons(
        self, current: CurrentRun, first_reasons: Sequence[str], second_reasons: Sequence[str]
    ) -> Updates:
        """Do the same without a note, and tick these reasons in place of those that are ticked."""
        first, second = answer_names(current)
        return {
            **self.uncovered(current, ""),
            self.first_reasons: gr.CheckboxGroup(label=f"{first} is", value=list(first_reasons)),
            self.second_reasons: gr.CheckboxGroup(label=f"{second} is", value=list(second_reasons)),
        }


def answer_names(current: CurrentRun) -> tuple[str, str]:
    """Name the answers that the first and the second button stand for."""
    first, second = current.sides
    if not current.blind:
        return first.capitalize(), second.capitalize()
    if current.sides_hidden:
        return "Left", "Right"
    return f"Left (the {first} answer)", f"Right (the {second} answer)"


def button_labels(current: CurrentRun | None = None) -> dict[VoteButton, str]:
    """Label the four buttons, each with its key first."""
    first, second = ("Left", "Right") if current and current.blind else ("Refined", "Draft")
    return {
        "first": f"1  {first} better",
        "second": f"2  {second} better",
        "tie": "3  Tie",
        "both_bad": "4  Both bad",
    }


def add_rating(*, sign_in: bool = False) -> RatingParts:
    """Add the rating to the open Blocks, hidden.

    ``sign_in`` adds a button to sign in on the Hub. The ratings of one person then count as one rater's, on
    every device.
    """
    with gr.Column(visible=False, elem_id="rating") as group:
        gr.HTML("<h2>Which is better?</h2>", apply_default_css=False)
        with gr.Row(elem_id="votes"):
            buttons = {
                name: gr.Button(label, elem_id=f"vote-{name}", min_width=110)
                for name, label in button_labels().items()
            }
        reveal = gr.Button("Show which is which, without a vote", size="sm", visible=False, elem_id="reveal")
        stars = gr.Radio(list(range(1, MAX_STARS + 1)), label="Stars for the refined answer", elem_id="stars")
        chips = [(words, code) for code, words in REASONS.items()]
        first = gr.CheckboxGroup(chips, label="Refined is", elem_id="reasons-first")
        second = gr.CheckboxGroup(chips, label="Draft is", elem_id="reasons-second")
        comment = gr.Textbox(
            label="Comment", lines=2, placeholder="Optional: what decided it?", elem_id="comment"
        )
        words = consent.VERSIONS[consent.CURRENT]
        store = gr.Checkbox(label=words.store, elem_id="consent-store")
        publish = gr.Checkbox(label=words.publish, elem_id="consent-publish")
        if sign_in:
            gr.LoginButton(
                "Sign in with Hugging Face: one rater on every device", size="sm", elem_id="sign-in"
            )
        save = gr.Button("Save what was added", size="sm", visible=False, elem_id="vote-save")
        note = gr.HTML("", elem_id="vote-note", apply_default_css=False)
        agreement, browser_id = gr.Textbox(visible=False), gr.Textbox(visible=False)
    return RatingParts(
        group,
        note,
        buttons,
        reveal,
        save,
        stars,
        first,
        second,
        comment,
        agreement,
        browser_id,
        store,
        publish,
    )
