"""The list of earlier runs, which the visitor's own browser keeps.

The server keeps none of them: a run is in its memory only as long as the visit lasts.
"""

from datetime import datetime
from typing import Any

import gradio as gr

from refiner.errors import InputError, RefinerError
from refiner.judges.ask import clear_caches
from refiner.judges.quality import Quality
from refiner.render import result
from refiner.runs import run_file
from refiner.ui.events import QUIET, Updates
from refiner.ui.outputs import RunOutputs
from refiner.ui.run.current_run import CurrentRun
from refiner.ui.run.views import RunView, error_status

_HISTORY = """<div class="result"><details class="sheet none" id="history">
<summary id="runs-summary">Earlier runs in this browser (<span id="runs-count">0</span>)</summary>
<p class="muted small">The last 50 runs are kept in this browser, and nowhere else.</p>
<p class="note" id="runs-note" hidden>This browser keeps none: its storage is switched off, as in some private windows.</p>
<ul id="runs"></ul>
<p class="run-tools"><button type="button" class="plain" id="runs-compare" data-runs="compare" disabled>Compare the two ticked</button>
<button type="button" class="plain" data-runs="file">Open a file</button>
<button type="button" class="plain" id="runs-clear" data-runs="clear">Clear all</button></p>
</details></div>"""


def keep_in_browser(events: list[Any], current: gr.State) -> None:
    """After each of the events, hand a new run to the browser, which keeps it.

    Each run is handed over once. A run that was opened from the history is not handed over, and a blind run only
    after its vote.
    """
    last_kept_id = gr.State("")

    def hand_over(run: CurrentRun | None, last_id: str) -> tuple[str, str]:
        if run is None or run.sides_hidden or run.id in {"", last_id}:
            return "", last_id
        return run_file.dump_run(run.run, run.made), run.id

    for event in events:
        text = gr.Textbox(visible=False)
        event.then(hand_over, [current, last_kept_id], [text, last_kept_id], **QUIET).success(
            None,
            text,
            text,
            js="async (text) => { await window.refiner.remember(text); return ''; }",
            **QUIET,
        )


def add_history(outputs: RunOutputs, judge_name: str, judge_quality: Quality | None) -> None:
    """Add the list to the open Blocks, with hidden buttons that open a run and compare two.

    The page's script fills the list. It presses a hidden button once it has a run's text at hand.
    """
    gr.HTML(_HISTORY, elem_id="history-block", apply_default_css=False)
    first_text, second_text = gr.Textbox(visible=False), gr.Textbox(visible=False)

    def reopen(text: str) -> Updates:
        try:
            saved = _load(text)
        except RefinerError as error:
            return outputs.updates(RunView(error_status(error), running=False))
        note = f"A run of {_format_time(saved.made)}, opened as it was kept."
        quality = judge_quality if saved.run.judge == judge_name else None
        body = result.finished(saved.run, quality, note)
        clear_caches()
        view = RunView(result.status("Opened.", "good"), body, running=False)
        return outputs.updates(view, CurrentRun("", saved.run, saved.made))

    def compare(first: str, second: str) -> Updates:
        try:
            one, two = _load(first), _load(second)
        except RefinerError as error:
            return outputs.updates(RunView(error_status(error), running=False))
        body = result.compared((one.run, two.run), (_format_time(one.made), _format_time(two.made)))
        clear_caches()
        return outputs.updates(RunView(result.status("Compared.", "good"), body, running=False))

    for name, function, texts in (
        ("reopen", reopen, [first_text]),
        ("compare", compare, [first_text, second_text]),
    ):
        handed = ", ".join(f"window.refiner.handed({index})" for index in range(len(texts)))
        gr.Button(name, visible="hidden", elem_id=name).click(
            function, texts, outputs.all(), js=f"() => [{handed}]", **QUIET
        )


def _load(text: str) -> run_file.SavedRun:
    if not text:
        raise InputError("That run is not in this browser any more; the list was out of date.")
    return run_file.load_run(text)


def _format_time(made: datetime) -> str:
    return made.strftime("%Y-%m-%d %H:%M:%S UTC")
