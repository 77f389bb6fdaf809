"""The rubric's fold: a table that is checked as one types, and JSON in and out."""

from typing import Any

import gradio as gr

from refiner.errors import RefinerError
from refiner.render import result
from refiner.scoring import rubrics
from refiner.ui.inputs import fields

_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_HELP = (
    '<p class="muted small">Your own criteria, beside the standing ones. A <b>fault</b> counts against the answer. '
    "Weights are above 0; only their ratios count. Left empty, the question suggests some.</p>"
)


def rubric(question: gr.Textbox) -> gr.Dataframe:
    """Lay the fold out in the open Blocks and wire it."""
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
        checked = gr.HTML("", elem_id="rubric-check", apply_default_css=False)
        with gr.Row():
            suggest = gr.Button("Suggest", size="sm", elem_id="rubric-suggest")
            load = gr.Button("Load JSON", size="sm", elem_id="rubric-load")
            save = gr.Button("Save JSON", size="sm", elem_id="rubric-save")
        note = gr.HTML("", elem_id="rubric-note", apply_default_css=False)
        carried = gr.Textbox(visible=False)
    table.change(check, table, checked, trigger_mode="always_last", **_QUIET)
    suggest.click(propose, [question, table], [table, note], **_QUIET)
    # the browser reads the file: nothing is uploaded, so nothing is left behind
    load.click(read, carried, [table, note], js="() => window.refiner.pick('.json')", **_QUIET)
    save.click(write, table, [carried, note], **_QUIET).success(
        None,
        carried,
        None,
        js="(text) => window.refiner.save('rubric.json', text, 'application/json')",
        **_QUIET,
    )
    return table


def check(rows: fields.Rows) -> str:
    """What the table holds, or every cell that cannot be read."""
    return result.rubric_note(*fields.read_rubric(rows))


def read(text: str) -> tuple[Any, str]:
    """The rows of a JSON text; nothing changes where none was chosen."""
    if not text:
        return gr.skip(), ""
    try:
        given, found = rubrics.read(text)
    except RefinerError as error:
        return gr.skip(), result.status(str(error), "error")
    return fields.criteria_rows(given), result.findings("Worth a look", found)


def write(rows: fields.Rows) -> tuple[str, str]:
    """The table as JSON, and what stands against it."""
    try:
        given = fields.criteria(rows)
    except RefinerError as error:
        return "", result.status(str(error), "error")
    return rubrics.to_json(given), ""


def propose(asked: str, rows: fields.Rows) -> tuple[Any, str]:
    """Add what the question suggests below the rows that are filled."""
    if not asked.strip():
        return gr.skip(), result.status("Write the question first; the criteria are made from it.", "error")
    filled = [row for row in rows if any(str(cell or "").strip() for cell in row[:2])]
    known = {str(row[1]) for row in filled}
    more = fields.criteria_rows([one for one in rubrics.suggested(asked) if one.description not in known])
    return [*filled, *more], ""
