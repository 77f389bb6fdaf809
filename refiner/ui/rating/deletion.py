"""The fold in which a rating is deleted by its number."""

import gradio as gr

from refiner.errors import RefinerError
from refiner.feedback.votes import VoteRecorder
from refiner.render import result
from refiner.ui.events import QUIET


def add_deletion(recorder: VoteRecorder) -> None:
    """Add the fold to the open Blocks and connect its button."""
    with gr.Accordion("Delete a rating", open=False, elem_id="delete-fold"):
        number = gr.Textbox(label="Number of the rating", elem_id="delete-number")
        button = gr.Button("Delete it for good", size="sm", elem_id="delete")
        note = gr.HTML("", elem_id="delete-note", apply_default_css=False)

    def delete(event: str) -> str:
        try:
            deleted = recorder.delete(event.strip())
        except RefinerError as error:
            return result.status(str(error), "error")
        if not deleted:
            return result.status("There is no rating of that number, or it is deleted already.", "error")
        return result.status("Deleted: the rating, and the texts of its run.", "good")

    button.click(delete, number, note, **QUIET)
