"""The left side of the page: question, draft, sources, and folded away the rubric and the options."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from refiner.domain import MAX_NEW_TOKENS, MIN_NEW_TOKENS, Form
from refiner.formats import sources
from refiner.render import result
from refiner.settings import Settings
from refiner.ui.inputs import fields
from refiner.ui.inputs.rubric import rubric

_SOURCES_HELP = """[1] Title. Text of the first source …
[2] Title. Text of the second source …

or <snippet id=…> blocks, JSON, JSON lines, or paragraphs"""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The fields, in the order in which a run is given them."""

    question: gr.Textbox
    draft: gr.Textbox
    mode: gr.Radio
    pasted: gr.Textbox
    table: gr.Dataframe
    rubric: gr.Dataframe
    form: gr.Dropdown
    max_new_tokens: gr.Slider
    temperature: gr.Slider
    seed: gr.Number
    blind: gr.Checkbox

    def all(self) -> list[Any]:
        """Every field."""
        return [getattr(self, name) for name in self.__slots__]


def inputs(settings: Settings, forms: Sequence[Form]) -> Inputs:
    """Lay the fields out in the open Blocks, and wire what they do by themselves. ``forms`` are those that the engine has."""
    cases = {case.name: case for case in fields.examples()}
    example = gr.Dropdown(
        [("Choose a real case …", ""), *((name, name) for name in cases)],
        value="",
        label="Examples",
        elem_id="example",
        container=True,
        filterable=False,
    )
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
    _note_draft(draft)
    mode, pasted, table = _sources()
    criteria = rubric(question)
    form, tokens, temperature, seed, blind = _options(settings, forms)
    gr.HTML(
        '<p class="muted small">Examples: <a href="https://github.com/AkariAsai/ScholarQABench" target="_blank" '
        'rel="noopener noreferrer">ScholarQABench</a>, experts’ answers with their sources, '
        '<a href="https://opendatacommons.org/licenses/by/1-0/" target="_blank" rel="noopener noreferrer">ODC-BY 1.0</a>.</p>',
        apply_default_css=False,
    )

    def load(name: str) -> tuple[Any, ...]:
        case = cases.get(name)
        if case is None:
            return (gr.skip(),) * 5
        return case.question, case.draft, "Paste", case.sources, [["", "", "", ""]]

    example.input(
        load,
        example,
        [question, draft, mode, pasted, table],
        api_visibility="private",
        show_progress="hidden",
    )
    return Inputs(question, draft, mode, pasted, table, criteria, form, tokens, temperature, seed, blind)


def _note_draft(draft: gr.Textbox) -> None:
    """Say what was found in a draft that carries its own tool output."""
    note = gr.HTML("", elem_id="draft-note", apply_default_css=False)

    def read(text: str) -> str:
        _, own, found = sources.split_draft(text)
        return result.read_note(own, found, place="in the draft’s own tool output") if own or found else ""

    draft.change(
        read, draft, note, trigger_mode="always_last", api_visibility="private", show_progress="hidden"
    )


def _sources() -> tuple[gr.Radio, gr.Textbox, gr.Dataframe]:
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
            [["", "", "", ""]],
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

    def switch(to: str, text: str, rows: fields.Rows) -> tuple[Any, Any]:
        """Show one of the two; a table that is still empty takes over what was pasted."""
        empty = not any(str(cell or "").strip() for row in rows for cell in row)
        if to == "Table" and empty and text.strip():
            rows = fields.source_rows(fields.read_sources("Paste", text, ())[0])
        return gr.Textbox(visible=to == "Paste"), gr.Dataframe(rows, visible=to == "Table")

    def read(way: str, text: str, rows: fields.Rows) -> str:
        return result.read_note(*fields.read_sources(way, text, rows))

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    mode.change(switch, [mode, pasted, table], [pasted, table], **quiet)
    gr.on(
        [mode.change, pasted.change, table.change],
        read,
        [mode, pasted, table],
        note,
        trigger_mode="always_last",
        **quiet,
    )
    return mode, pasted, table


def _options(
    settings: Settings, forms: Sequence[Form]
) -> tuple[gr.Dropdown, gr.Slider, gr.Slider, gr.Number, gr.Checkbox]:
    offered = [name for name, form in fields.FORMS.items() if form is None or form in forms]
    chosen = next((name for name in offered if fields.FORMS[name] == settings.form), offered[0])
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
