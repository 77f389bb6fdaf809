"""What a visitor can keep: the result as Markdown, figure, file or page; and earlier runs, kept in their own browser.

The server keeps none of it: a run is in its memory for as long as the visit lasts.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import gradio as gr

from refiner.errors import InputError, RefinerError
from refiner.judges.ask import clear_caches
from refiner.judges.quality import Quality
from refiner.render import result
from refiner.render.export import html_page
from refiner.render.export.figure import figure
from refiner.render.export.markdown import markdown
from refiner.runs import run_file
from refiner.ui.assets import read_asset
from refiner.ui.rating.vote_form import Held
from refiner.ui.run.follow import View, failed

_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_HISTORY = """<div class="result"><details class="sheet none" id="history">
<summary id="runs-summary">Earlier runs in this browser (<span id="runs-count">0</span>)</summary>
<p class="muted small">The last 50 runs are kept in this browser, and nowhere else.</p>
<p class="note" id="runs-note" hidden>This browser keeps none: its storage is switched off, as in some private windows.</p>
<ul id="runs"></ul>
<p class="run-tools"><button type="button" class="plain" id="runs-compare" data-runs="compare" disabled>Compare the two ticked</button>
<button type="button" class="plain" data-runs="file">Open a file</button>
<button type="button" class="plain" id="runs-clear" data-runs="clear">Clear all</button></p>
</details></div>"""


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def tools(held: gr.State, judged: Quality | None) -> gr.Row:
    """The row of what can be done with a result; hidden until there is one."""
    style, script = read_asset("refiner.css"), read_asset("refiner.js")

    def page(one: Held) -> str:
        return html_page.page(one.run, one.made, style=style, script=script, judged=judged)

    made: tuple[tuple[str, str, Callable[[Held], str], str], ...] = (
        ("Copy as Markdown", "copy", lambda one: markdown(one.run), "window.refiner.copy(text)"),
        ("Figure (SVG)", "svg", lambda one: figure(one.run, one.made), _save("svg", "image/svg+xml")),
        (
            "Figure (PNG)",
            "png",
            lambda one: figure(one.run, one.made),
            'window.refiner.png("refiner.png", text)',
        ),
        (
            "Run (JSON)",
            "json",
            lambda one: run_file.dump(one.run, one.made),
            _save("json", "application/json"),
        ),
        ("Page (HTML)", "html", page, _save("html", "text/html")),
    )
    row: gr.Row
    with gr.Row(visible=False, elem_id="tools") as row:
        for words, name, make, work in made:
            button = gr.Button(words, size="sm", elem_id=f"save-{name}", min_width=110)
            carried = gr.Textbox(visible=False)
            button.click(_made(make), held, carried, **_QUIET).success(
                None, carried, carried, js=f"(text) => {{ {work}; return ''; }}", **_QUIET
            )
    return row


def _save(kind: str, media: str) -> str:
    return f'window.refiner.save("refiner.{kind}", text, "{media}")'


def _made(make: Callable[[Held], str]) -> Callable[[Held | None], str]:
    return lambda one: "" if one is None else make(one)


def remember(after: Any, held: gr.State, last: gr.State) -> None:
    """When ``after`` is through, hand a run that it made to the browser, which keeps it.

    Once: ``last`` holds the id of the one before. Not what was opened, nor while it is to be rated blind.
    """
    carried = gr.Textbox(visible=False)

    def hand(one: Held | None, before: str) -> tuple[str, str]:
        if one is None or one.covered or one.id in {"", before}:
            return "", before
        return run_file.dump(one.run, one.made), one.id

    after.then(hand, [held, last], [carried, last], **_QUIET).success(
        None,
        carried,
        carried,
        js="async (text) => { await window.refiner.remember(text); return ''; }",
        **_QUIET,
    )


def history(
    show: Callable[[View, Held | None], tuple[Any, ...]],
    places: list[Any],
    judge: str,
    judged: Quality | None,
) -> None:
    """The list of earlier runs, and what opens and compares them. ``show`` makes the updates of ``places``."""
    gr.HTML(_HISTORY, elem_id="history-block", apply_default_css=False)
    texts = [gr.Textbox(visible=False), gr.Textbox(visible=False)]

    def reopen(text: str) -> tuple[Any, ...]:
        try:
            saved = _read(text)
        except RefinerError as error:
            return show(View(failed(error), running=False), None)
        note = f"A run of {_when(saved.made)}, opened as it was kept."
        body = result.finished(saved.run, judged if saved.run.judge == judge else None, note)
        view = View(result.status("Opened.", "good"), body, running=False)
        clear_caches()
        return show(view, Held("", saved.run, saved.made))

    def compare(first: str, second: str) -> tuple[Any, ...]:
        try:
            one, two = _read(first), _read(second)
        except RefinerError as error:
            return show(View(failed(error), running=False), None)
        body = result.compared((one.run, two.run), (_when(one.made), _when(two.made)))
        clear_caches()
        return show(View(result.status("Compared.", "good"), body, running=False), None)

    for name, work, given in (("reopen", reopen, texts[:1]), ("compare", compare, texts)):
        handed = ", ".join(f"window.refiner.handed({place})" for place in range(len(given)))
        gr.Button(name, visible="hidden", elem_id=name).click(
            work, given, places, js=f"() => [{handed}]", **_QUIET
        )


def _read(text: str) -> run_file.Saved:
    if not text:
        raise InputError("That run is not in this browser any more; the list was out of date.")
    return run_file.load(text)


def _when(made: datetime) -> str:
    return made.strftime("%Y-%m-%d %H:%M:%S UTC")
