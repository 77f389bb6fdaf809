"""The rating: four choices, a comment, two ticks, and what becomes of them."""

from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import gradio as gr

from refiner.domain import Feedback, Refinement
from refiner.errors import RefinerError
from refiner.feedback import consent
from refiner.feedback.record import run_record
from refiner.feedback.store import Store
from refiner.render import result

Choice = Literal["refined", "draft", "tie", "both_bad"]
Rated = tuple[str, Refinement]
"""A run's id and the run: what a visitor's session holds, so that it can be rated."""

CHOICES: dict[Choice, str] = {
    "refined": "1  Refined better",
    "draft": "2  Draft better",
    "tie": "3  Tie",
    "both_bad": "4  Both bad",
}


@dataclass(frozen=True, slots=True)
class Rating:
    """The parts of the rating that a run shows, hides and clears."""

    group: gr.Column
    note: gr.HTML


def rating(store: Store, rated: gr.State) -> Rating:
    """Lay the rating out in the open Blocks and wire it."""
    with gr.Column(visible=False, elem_id="rating") as group:
        gr.HTML("<h2>Which is better?</h2>", apply_default_css=False)
        with gr.Row(elem_id="votes"):
            buttons = {
                choice: gr.Button(words, elem_id=f"vote-{choice}", min_width=110)
                for choice, words in CHOICES.items()
            }
        comment = gr.Textbox(
            label="Comment", lines=2, placeholder="Optional: what decided it?", elem_id="comment"
        )
        words = consent.VERSIONS[consent.CURRENT]
        keep = gr.Checkbox(label=words.store, elem_id="consent-store")
        publish = gr.Checkbox(label=words.publish, elem_id="consent-publish")
        note = gr.HTML("", elem_id="vote-note", apply_default_css=False)
    votes = Votes(store)
    for choice in get_args(Choice):
        buttons[choice].click(
            partial(votes.vote, choice),
            [rated, comment, keep, publish],
            note,
            api_visibility="private",
            show_progress="hidden",
        )
    return Rating(group, note)


@dataclass(frozen=True, slots=True)
class Votes:
    """What becomes of a vote."""

    store: Store

    def vote(self, choice: Choice, rated: Rated | None, comment: str, keep: bool, publish: bool) -> str:  # noqa: FBT001 - Gradio gives by place
        """Store one rating and say so; what is missing is said instead."""
        if rated is None:
            return result.status("There is nothing to rate yet: refine a draft first.", "error")
        if not keep:
            return result.status(
                "Nothing was stored: tick the first box to store your rating with the texts, then vote again.",
                "error",
            )
        run_id, run = rated
        given = Feedback(
            run_record(run),
            choice,
            comment.strip(),
            consent_store=True,
            consent_publish=publish,
            consent_version=consent.CURRENT,
            run_id=run_id,
        )
        try:
            event = self.store.add(given)
        except RefinerError as error:
            return result.status(str(error), "error")
        said = CHOICES[choice].split("  ")[1].lower()
        return result.status(f"Stored: {said}. Keep the number {event} if you may want it deleted.", "good")
