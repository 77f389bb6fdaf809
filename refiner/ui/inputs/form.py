"""Lays out the left side of the page: question, draft, sources, and in folds the rubric and the options."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from refiner.domain import MAX_NEW_TOKENS, MIN_NEW_TOKENS, Form
from refiner.formats import sources
from refiner.render import result
from refiner.settings import Settings
from refiner.ui.events import QUIET, Updates
from refiner.ui.inputs import fields
from refiner.ui.inputs.fields import InputValues, TableRows
from refiner.ui.inputs.rubric import add_rubric

_SOURCES_HELP = """[1] Title. Text of the first source …
[2] Title. Text of the second source …

or <snippet id=…> blocks, JSON, JSON lines, or paragraphs"""
_CREDIT = (
    '<p class="muted small">Examples: <a href="https://github.com/AkariAsai/ScholarQABench" target="_blank" '
    'rel="noopener noreferrer">ScholarQABench</a>, experts’ answers with their sources, '
    '<a href="https://opendatacommons.org/licenses/by/1-0/" target="_blank" rel="noopener noreferrer">ODC-BY 1.0</a>.</p>'
)


@dataclass(frozen=True, slots=True)
class InputFields:
    """The fields, by the names that `InputValues` has for their values."""

    question: gr.Textbox
    draft: gr.Textbox
    source_mode: gr.Radio
    pasted_sources: gr.Textbox
    source_table: gr.Dataframe
    rubric: gr.Dataframe
    form: gr.Dropdown
    max_new_tokens: gr.Slider
    temperature: gr.Slider
    seed: gr.Number
    blind: gr.Checkbox

    def all(self) -> list[Any]:
        """List every field."""
        return [getattr(self, field.name) for field in dataclasses.fields(self)]

    def read_values(self, values: Mapping[Any, Any]) -> InputValues:
        """Name the values that Gradio gives by component."""
        return InputValues(**{f.name: values[getattr(self, f.name)] for f in dataclasses.fields(self)})


def add_inputs(settings: Settings, forms: Sequence[Form]) -> InputFields:
    """Add the fields to the open Blocks and connect their events. ``forms`` are those of the engine."""
    cases = {case.name: case for case in fields.examples()}
    example = gr.Dropdown(
        [("Choose a real case …", ""), *((name, name) for name in cases)],
        value="",
        label="Examples",
        elem_id="example",
        container=True,
        filterable=False,
    )
    question, draft = _add_texts()
    mode, pasted, table = _add_sources()
    rubric = add_rubric(question)
    form, tokens, temperature, seed, blind = _add_options(settings, forms)
    gr.HTML(_CREDIT, apply_default_css=False)
    parts = InputFields(question, draft, mode, pasted, table, rubric, form, tokens, temperature, seed, blind)

    def load_example(name: str) -> Updates:
        case = cases.get(name)
        if case is None:
            return {question: gr.skip()}
        return {
            question: case.question,
            draft: case.draft,
            mode: "Paste",
            pasted: case.sources,
            table: fields.source_rows(()),
        }

    example.input(load_example, example, [question, draft, mode, pasted, table], **QUIET)
    return parts


def _add_texts() -> tuple[gr.Textbox, gr.Textbox]:
    question = gr.Textbox(
        label="Question",
        lines=2,
        max_lines=6,
        elem_id="question",
        placeholder="What should the answer answer?",
    )
    draft = gr.Textbox(
        label="Draft",
        lines=7,
        max_lines=12,
        elem_id="draft",
        placeholder="The answer as it stands. It may cite [1] or S17, or carry its own tool output.",
    )
    _add_draft_note(draft)
    return question, draft


def _add_draft_note(draft: gr.Textbox) -> None:
    """Add a note on the sources that a draft's own tool output holds."""
    note = gr.HTML("", elem_id="draft-note", apply_default_css=False)

    def describe(text: str) -> str:
        _, own, findings = sources.split_draft(text)
        if not own and not findings:
            return ""
        return result.read_note(own, findings, place="in the draft’s own tool output")

    draft.change(describe, draft, note, trigger_mode="always_last", **QUIET)


def _add_sources() -> tuple[gr.Radio, gr.Textbox, gr.Dataframe]:
    with gr.Group(elem_id="sources-group"):
        mode = gr.Radio(["Paste", "Table"], value="Paste", label="Sources", elem_id="sources-mode")
        pasted = gr.Textbox(
            show_label=False,
            label="Sources, pasted",
            lines=5,
            max_lines=10,
            elem_id="sources",
            placeholder=_SOURCES_HELP,
        )
        table = gr.Dataframe(
            fields.source_rows(()),
            headers=list(fields.SOURCE_HEADERS),
            type="array",
            label="Sources, as a table",
            show_label=False,
            interactive=True,
            wrap=True,
            visible=False,
            elem_id="sources-table",
            column_widths=["12%", "26%", "44%", "18%"],
        )
        note = gr.HTML(
            result.read_note((), ()), elem_id="sources-note", padding=True, apply_default_css=False
        )

    def switch(to: str, text: str, rows: TableRows) -> Updates:
        """Show the text field or the table. An empty table takes over what was pasted."""
        empty = not any(str(cell or "").strip() for row in rows for cell in row)
        if to == "Table" and empty and text.strip():
            rows = fields.source_rows(fields.read_sources("Paste", text, ())[0])
        return {
            pasted: gr.Textbox(visible=to == "Paste"),
            table: gr.Dataframe(rows, visible=to == "Table"),
        }

    def describe(source_mode: str, text: str, rows: TableRows) -> str:
        return result.read_note(*fields.read_sources(source_mode, text, rows))

    mode.change(switch, [mode, pasted, table], [pasted, table], **QUIET)
    gr.on(
        [mode.change, pasted.change, table.change],
        describe,
        [mode, pasted, table],
        note,
        trigger_mode="always_last",
        **QUIET,
    )
    return mode, pasted, table


def _add_options(
    settings: Settings, forms: Sequence[Form]
) -> tuple[gr.Dropdown, gr.Slider, gr.Slider, gr.Number, gr.Checkbox]:
    offered = [name for name, form in fields.FORM_BY_LABEL.items() if form is None or form in forms]
    chosen = next((name for name in offered if fields.FORM_BY_LABEL[name] == settings.form), offered[0])
    with gr.Accordion("Options", open=False, elem_id="options-fold"):
        form = gr.Dropdown(
            offered,
            value=chosen,
            label="Form",
            info="How the output is held to the answer format.",
            elem_id="form",
        )
        tokens = gr.Slider(
            MIN_NEW_TOKENS,
            MAX_NEW_TOKENS,
            value=settings.max_new_tokens,
            step=1,
            label="Longest answer, in tokens",
            elem_id="tokens",
        )
        temperature = gr.Slider(
            0,
            2,
            value=0,
            step=0.05,
            label="Temperature",
            info="0 always takes the likeliest token.",
            elem_id="temperature",
        )
        seed = gr.Number(None, label="Seed", precision=0, info="Empty: a new one each time.", elem_id="seed")
        blind = gr.Checkbox(
            label="Rate blind",
            info="Two answers side by side, no names and no scores until you have voted.",
            elem_id="blind",
        )
    return form, tokens, temperature, seed, blind
