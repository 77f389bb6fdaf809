"""The rating: which is better, stars, reasons, a comment, two ticks; and the fold in which a rating is deleted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import gradio as gr

from refiner.domain import Choice
from refiner.errors import InputError, RefinerError
from refiner.feedback import consent
from refiner.feedback.rater import rater_id
from refiner.feedback.reasons import REASONS
from refiner.feedback.votes import VoteRecorder
from refiner.judges.ask import forget
from refiner.judges.quality import Quality
from refiner.render import result
from refiner.ui.rating.vote_form import Ballot, Held, Press

_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_PRESSES: tuple[Press, ...] = ("first", "second", "tie", "both_bad")
_SAID: dict[Choice, str] = {
    "refined": "refined better",
    "draft": "draft better",
    "tie": "tie",
    "both_bad": "both bad",
}
_JS = "(...given) => { given[5] = window.refiner.agreed(); given[6] = window.refiner.me(); return given; }"
"""Puts in what only the script knows: what is agreed with, and the browser's id."""


@dataclass(frozen=True, slots=True)
class Rating:
    """The parts of the rating that a run shows, hides and clears."""

    group: gr.Column
    note: gr.HTML
    buttons: tuple[gr.Button, ...]
    reveal: gr.Button
    save: gr.Button
    stars: gr.Radio
    first: gr.CheckboxGroup
    second: gr.CheckboxGroup
    comment: gr.Textbox

    def places(self) -> list[Any]:
        """Every part, in the order of the updates below."""
        rest = (self.reveal, self.save, self.stars, self.first, self.second, self.comment)
        return [self.group, self.note, *self.buttons, *rest]

    def skipped(self) -> list[Any]:
        """Everything stays as it is."""
        return [gr.skip() for _ in self.places()]

    def hidden(self) -> list[Any]:
        """There is nothing to rate."""
        return [gr.Column(visible=False), *self.skipped()[1:]]

    def opened(self, held: Held) -> list[Any]:
        """A run that was not rated yet."""
        first, second = names(held)
        return [
            gr.Column(visible=True),
            "",
            *(gr.Button(words, interactive=True, variant="secondary") for words in labels(held)),
            gr.Button(visible=held.blind),
            gr.Button(visible=False),
            gr.Radio(value=None, visible=not held.blind),
            gr.CheckboxGroup(label=f"{first} is", value=[]),
            gr.CheckboxGroup(label=f"{second} is", value=[]),
            "",
        ]

    def voted(
        self, held: Held, note: str, ticked: tuple[Sequence[str], Sequence[str]] | None = None
    ) -> list[Any]:
        """A run that was rated, or whose sides are shown: what was blind is locked once it was voted on.

        ``ticked`` are the reasons of either side, where they are not those that stand there.
        """
        first, second = names(held)
        reasons: tuple[dict[str, Any], ...] = tuple({"value": list(one)} for one in ticked or ()) or ({}, {})
        looks = (
            gr.Button(
                words,
                interactive=not (held.blind and held.choice),
                variant="primary" if held.choice and held.chosen(press) == held.choice else "secondary",
            )
            for press, words in zip(_PRESSES, labels(held), strict=True)
        )
        return [
            gr.skip(),
            note,
            *looks,
            gr.Button(visible=False),
            gr.Button(visible=held.choice is not None),
            gr.Radio(visible=True),
            gr.CheckboxGroup(label=f"{first} is", **reasons[0]),
            gr.CheckboxGroup(label=f"{second} is", **reasons[1]),
            gr.skip(),
        ]


def names(held: Held) -> tuple[str, str]:
    """What the two answers are called."""
    shown = tuple(side.capitalize() for side in held.sides)
    if not held.blind:
        return shown[0], shown[1]
    if held.covered:
        return "Left", "Right"
    return f"Left (the {held.sides[0]} answer)", f"Right (the {held.sides[1]} answer)"


def labels(held: Held | None = None) -> tuple[str, ...]:
    """The words on the four buttons, their keys before them."""
    first, second = ("Left", "Right") if held and held.blind else ("Refined", "Draft")
    return f"1  {first} better", f"2  {second} better", "3  Tie", "4  Both bad"


def rating(*, sign_in: bool = False) -> tuple[Rating, list[Any]]:
    """Lay the rating out in the open Blocks: its parts, and the fields that a vote reads besides the run.

    ``sign_in`` offers the Hub's, by which one person's ratings are one rater's on every device.
    """
    with gr.Column(visible=False, elem_id="rating") as group:
        gr.HTML("<h2>Which is better?</h2>", apply_default_css=False)
        with gr.Row(elem_id="votes"):
            buttons = tuple(
                gr.Button(words, elem_id=f"vote-{press}", min_width=110)
                for press, words in zip(_PRESSES, labels(), strict=True)
            )
        reveal = gr.Button("Show which is which, without a vote", size="sm", visible=False, elem_id="reveal")
        stars = gr.Radio([1, 2, 3, 4, 5], label="Stars for the refined answer", elem_id="stars")
        chips = [(words, code) for code, words in REASONS.items()]
        first = gr.CheckboxGroup(chips, label="Refined is", elem_id="reasons-first")
        second = gr.CheckboxGroup(chips, label="Draft is", elem_id="reasons-second")
        comment = gr.Textbox(
            label="Comment", lines=2, placeholder="Optional: what decided it?", elem_id="comment"
        )
        words = consent.VERSIONS[consent.CURRENT]
        keep = gr.Checkbox(label=words.store, elem_id="consent-store")
        publish = gr.Checkbox(label=words.publish, elem_id="consent-publish")
        if sign_in:
            gr.LoginButton(
                "Sign in with Hugging Face: one rater on every device", size="sm", elem_id="sign-in"
            )
        save = gr.Button("Save what was added", size="sm", visible=False, elem_id="vote-save")
        note = gr.HTML("", elem_id="vote-note", apply_default_css=False)
        agreed, browser = gr.Textbox(visible=False), gr.Textbox(visible=False)
    parts = Rating(group, note, buttons, reveal, save, stars, first, second, comment)
    return parts, [stars, first, second, comment, agreed, browser, keep, publish]


@dataclass(frozen=True, slots=True)
class Votes:
    """What a press does. ``key`` makes raters' ids."""

    parts: Rating
    ballots: VoteRecorder
    key: Callable[[], bytes]
    judged: Quality | None = None

    def vote(
        self, press: Press | Literal["save"], name: str, held: Held | None, *given: Any
    ) -> tuple[Any, ...]:
        """Updates of: the result, the tools, the run that is held, and the rating's parts. ``name``: who is signed in."""
        ballot = Ballot(*given)
        try:
            held, said = self._cast(press, held, ballot, name)
        except RefinerError as error:
            return self._unchanged(result.status(str(error), "error"))
        return self._shown(held, result.status(said, "good"), uncover=held.blind and press != "save")

    def reveal(self, held: Held | None, first: Sequence[str], second: Sequence[str]) -> tuple[Any, ...]:
        """Show the sides without a vote; one that comes after is not blind. Reasons go with their side."""
        if held is None:
            return self._unchanged("")
        ticked = (first, second) if held.left == "refined" else (second, first)
        return self._shown(replace(held, blind=False, left="draft"), "", uncover=True, ticked=ticked)

    def _cast(
        self, press: Press | Literal["save"], held: Held | None, ballot: Ballot, name: str
    ) -> tuple[Held, str]:
        if held is None or not held.id:
            raise InputError("There is nothing to rate: refine a draft first.")
        if not ballot.keep:
            raise InputError("Nothing was stored: tick the first box to store your rating, then vote again.")
        choice = held.choice if press == "save" else held.chosen(press)
        if choice is None or (held.blind and held.choice not in {None, choice}):
            raise InputError("A blind vote stands as it was cast. You can still add to it.")
        rater = rater_id(self.key(), name=name, browser=ballot.browser[:64])
        event = self.ballots.record(ballot.feedback(held, choice, rater))
        said = f"Stored: {_SAID[choice]}. Its number is {event}; with it you can have it deleted."
        return replace(held, choice=choice), said

    def _shown(
        self,
        held: Held,
        note: str,
        *,
        uncover: bool,
        ticked: tuple[Sequence[str], Sequence[str]] | None = None,
    ) -> tuple[Any, ...]:
        if not uncover:
            return gr.skip(), gr.skip(), held, *self.parts.voted(held, note)
        body = result.finished(held.run, self.judged, rated=True)
        forget()
        return body, gr.Row(visible=True), held, *self.parts.voted(held, note, ticked)

    def _unchanged(self, note: str) -> tuple[Any, ...]:
        group, _, *rest = self.parts.skipped()
        return gr.skip(), gr.skip(), gr.skip(), group, note, *rest


def wire(votes: Votes, held: gr.State, fields: list[Any], shown: list[Any]) -> list[Any]:
    """Give every button its work; ``shown`` are the result and the tools. What came of a press can be followed."""
    places = [*shown, held, *votes.parts.places()]
    presses: tuple[Press | Literal["save"], ...] = (*_PRESSES, "save")
    buttons = (*votes.parts.buttons, votes.parts.save)
    through = [
        button.click(_pressing(votes, press), [held, *fields], places, js=_JS, **_QUIET)
        for press, button in zip(presses, buttons, strict=True)
    ]
    return [*through, votes.parts.reveal.click(votes.reveal, [held, *fields[1:3]], places, **_QUIET)]


def _pressing(votes: Votes, press: Press | Literal["save"]) -> Callable[..., tuple[Any, ...]]:
    """A function whose signature tells Gradio to give who is signed in, which a partial one's does not."""

    def pressed(
        request: gr.Request, profile: gr.OAuthProfile | None, held: Held | None, *given: Any
    ) -> tuple[Any, ...]:
        name = profile.username if profile is not None else request.username
        return votes.vote(press, name or "", held, *given)

    return pressed


def deletion(ballots: VoteRecorder) -> None:
    """The fold in which a rating is deleted by its number."""
    with gr.Accordion("Delete a rating", open=False, elem_id="delete-fold"):
        number = gr.Textbox(label="Number of the rating", elem_id="delete-number")
        button = gr.Button("Delete it for good", size="sm", elem_id="delete")
        note = gr.HTML("", elem_id="delete-note", apply_default_css=False)

    def delete(event: str) -> str:
        try:
            found = ballots.delete(event.strip())
        except RefinerError as error:
            return result.status(str(error), "error")
        if not found:
            return result.status("There is no rating of that number, or it is deleted already.", "error")
        return result.status("Deleted: the rating, and the texts of its run.", "good")

    button.click(delete, number, note, **_QUIET)
