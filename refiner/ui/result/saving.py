"""The row of buttons that save or copy the result: Markdown, figure, file, page. The server keeps no copy."""

from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr

from refiner.judges.quality import Quality
from refiner.render.export import html_page
from refiner.render.export.figure import figure
from refiner.render.export.markdown import markdown
from refiner.runs import run_file
from refiner.ui.assets import read_asset
from refiner.ui.events import QUIET
from refiner.ui.run.current_run import CurrentRun


@dataclass(frozen=True, slots=True)
class _Format:
    """One button. ``script`` is JavaScript that does something with the variable ``text``."""

    label: str
    name: str
    export: Callable[[CurrentRun], str]
    script: str


def add_save_buttons(current: gr.State, judge_quality: Quality | None) -> gr.Row:
    """Add the row to the open Blocks, hidden. ``current`` holds a `CurrentRun` or None."""
    row: gr.Row
    with gr.Row(visible=False, elem_id="tools") as row:
        for format_ in _formats(judge_quality):
            button = gr.Button(format_.label, size="sm", elem_id=f"save-{format_.name}", min_width=110)
            text = gr.Textbox(visible=False)
            button.click(_export_function(format_), current, text, **QUIET).success(
                None, text, text, js=f"(text) => {{ {format_.script}; return ''; }}", **QUIET
            )
    return row


def _formats(judge_quality: Quality | None) -> tuple[_Format, ...]:
    style, script = read_asset("refiner.css"), read_asset("refiner.js")

    def svg(current: CurrentRun) -> str:
        return figure(current.run, current.made)

    def json(current: CurrentRun) -> str:
        return run_file.dump_run(current.run, current.made)

    def page(current: CurrentRun) -> str:
        return html_page.page(current.run, current.made, style=style, script=script, judged=judge_quality)

    return (
        _Format(
            "Copy as Markdown", "copy", lambda current: markdown(current.run), "window.refiner.copy(text)"
        ),
        _Format("Figure (SVG)", "svg", svg, _download("svg", "image/svg+xml")),
        _Format("Figure (PNG)", "png", svg, 'window.refiner.png("refiner.png", text)'),
        _Format("Run (JSON)", "json", json, _download("json", "application/json")),
        _Format("Page (HTML)", "html", page, _download("html", "text/html")),
    )


def _download(extension: str, media_type: str) -> str:
    return f'window.refiner.save("refiner.{extension}", text, "{media_type}")'


def _export_function(format_: _Format) -> Callable[[CurrentRun | None], str]:
    return lambda current: "" if current is None else format_.export(current)
