"""Adds the fold of the rubric: a table that is checked while one types, and JSON in and out."""

from typing import Any

import gradio as gr

from refiner.errors import RefinerError
from refiner.render import result
from refiner.scoring import rubrics
from refiner.ui.events import QUIET
from refiner.ui.inputs import fields
from refiner.ui.inputs.fields import TableRows

_HELP = (
    '<p class="muted small">Your own criteria, beside the standing ones. A <b>fault</b> counts against the answer. '
    "Weights are above 0; only their ratios count. Left empty, the question suggests some.</p>"
)


def add_rubric(question: gr.Textbox) -> gr.Dataframe:
    """Add the fold to the open Blocks and connect its events. Returns the table."""
    with gr.Accordion("Rubric", open=False, elem_id="rubric-fold"):
        gr.HTML(_HELP, apply_default_css=False)
        table = gr.Dataframe(
            fields.criteria_rows(()),
            headers=list(fields.RUBRIC_HEADERS),
            type="array",
            label="Rubric",
            show_label=False,
            interactive=True,
            wrap=True,
            elem_id="rubric",
            column_widths=["24%", "40%", "18%", "18%"],
        )
        check = gr.HTML("", elem_id="rubric-check", apply_default_css=False)
        with gr.Row():
            suggest = gr.Button("Suggest", size="sm", elem_id="rubric-suggest")
            load = gr.Button("Load JSON", size="sm", elem_id="rubric-load")
            save = gr.Button("Save JSON", size="sm", elem_id="rubric-save")
        note = gr.HTML("", elem_id="rubric-note", apply_default_css=False)
        json_text = gr.Textbox(visible=False)
    table.change(check_rows, table, check, trigger_mode="always_last", **QUIET)
    suggest.click(add_suggestions, [question, table], [table, note], **QUIET)
    # the browser reads the file, so nothing is uploaded and nothing stays on the server
    load.click(load_json, json_text, [table, note], js="() => window.refiner.pick('.json')", **QUIET)
    save.click(dump_json, table, [json_text, note], **QUIET).success(
        None,
        json_text,
        None,
        js="(text) => window.refiner.save('rubric.json', text, 'application/json')",
        **QUIET,
    )
    return table


def check_rows(rows: TableRows) -> str:
    """Say what the table holds, and name every cell that cannot be read."""
    return result.rubric_note(*fields.read_rubric_rows(rows))


def load_json(text: str) -> tuple[Any, str]:
    """Make the table's rows of a JSON text, and a note. An empty text changes nothing: no file was chosen."""
    if not text:
        return gr.skip(), ""
    try:
        criteria, findings = rubrics.parse(text)
    except RefinerError as error:
        return gr.skip(), result.status(str(error), "error")
    return fields.criteria_rows(criteria), result.findings("Worth a look", findings)


def dump_json(rows: TableRows) -> tuple[str, str]:
    """Write the table as JSON. Where a row cannot be read, the JSON is empty and the note says why."""
    try:
        criteria = fields.read_criteria(rows)
    except RefinerError as error:
        return "", result.status(str(error), "error")
    return rubrics.to_json(criteria), ""


def add_suggestions(question: str, rows: TableRows) -> tuple[Any, str]:
    """Add the criteria that the question suggests below the rows that are filled."""
    if not question.strip():
        return gr.skip(), result.status("Write the question first; the criteria are made from it.", "error")
    filled = [row for row in rows if any(str(cell or "").strip() for cell in row[:2])]
    known = {str(row[1]) for row in filled}
    new = [criterion for criterion in rubrics.suggested(question) if criterion.description not in known]
    return [*filled, *fields.criteria_rows(new)], ""
