"""Builds the page and connects its buttons to functions. Reads no environment variable itself."""

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import gradio as gr

from refiner.engines.protocol import Engine
from refiner.feedback.publish.publisher import Publisher
from refiner.feedback.rater import rater_key
from refiner.feedback.storage.store import Store
from refiner.feedback.votes import VoteRecorder
from refiner.judges import quality
from refiner.judges.protocol import Judge
from refiner.judges.quality import Quality
from refiner.prompts.prompt_file import PromptTemplate
from refiner.render import model_notes, result
from refiner.render.scores.judge_quality import judge_quality_fold
from refiner.settings import Settings
from refiner.ui.assets import read_asset
from refiner.ui.events import QUIET, Updates
from refiner.ui.inputs.form import InputFields, add_inputs
from refiner.ui.insight.page import add_insight
from refiner.ui.outputs import RunOutputs
from refiner.ui.rating.deletion import add_deletion
from refiner.ui.rating.parts import add_rating
from refiner.ui.rating.voting import VoteHandler, connect_rating
from refiner.ui.result.history import add_history, keep_in_browser
from refiner.ui.result.saving import add_save_buttons
from refiner.ui.run.controller import RunController
from refiner.ui.run.current_run import CurrentRun
from refiner.ui.run.stopping import make_run_function
from refiner.ui.run.views import RunView
from refiner.ui.zerogpu import expected_seconds, on_gpu

_MAX_CONCURRENT_VISITORS = 100
"""Runs that may be under way or in our own queue at once. More wait in Gradio's queue."""
_MODEL_POLL_SECONDS = 1.0


def build_page(
    engine: Engine, judge: Judge, store: Store, settings: Settings, publisher: Publisher | None = None
) -> gr.Blocks:
    """Build the page. It is ready to be launched with `theme.launch_options`."""
    recorder = VoteRecorder(store, publisher)
    template = PromptTemplate.from_file(settings.prompt_file)
    judge_quality = judge.quality or quality.load_quality(settings.cache_dir, judge.name, judge.version)
    run = on_gpu(make_run_function(engine, judge, template, settings.mix), expected_seconds)
    controller = RunController(engine, run, judge_quality)
    page = gr.Blocks(title="Refiner", fill_width=True, analytics_enabled=False)
    with page:
        model, note = _add_header(engine)
        with gr.Row(elem_id="columns", equal_height=False):
            with gr.Column(scale=5, min_width=320, elem_id="left"):
                inputs = add_inputs(settings, engine.forms)
                start, stop = _add_run_buttons()
            with gr.Column(scale=8, min_width=320, elem_id="right"):
                outputs = _add_outputs(start, stop, judge_quality, sign_in=settings.sign_in)
                add_history(outputs, judge.name, judge_quality)
                add_deletion(recorder)
                gr.HTML(
                    judge_quality_fold(judge.name, judge_quality), elem_id="judge", apply_default_css=False
                )
        refining = _connect_run(page, controller, inputs, outputs)
        handler = VoteHandler(outputs, recorder, partial(rater_key, settings), judge_quality)
        keep_in_browser([refining, *connect_rating(handler)], outputs.current)
        timer = _add_model_poll(engine, model, note)
        # the run may have loaded the model, so look at once
        refining.then(lambda: gr.Timer(active=True), None, timer, **QUIET)
        _keep_fields_in_browser(page, inputs.all())
    add_insight(page, store, settings)
    return page


def _add_header(engine: Engine) -> tuple[gr.HTML, gr.HTML]:
    """Add the bar, and a note below it. Returns the name of the model and the note on it."""
    mark = read_asset("favicon.svg")
    line, note = _describe_model(engine)
    with gr.Row(elem_id="bar"):
        gr.HTML(
            f'<div class="brand"><span class="mark" aria-hidden="true">{mark}</span><h1>Refiner</h1>'
            "<p>Every claim tied to a source. Every change in sight.</p></div>",
            apply_default_css=False,
        )
        model = gr.HTML(line, elem_id="model", apply_default_css=False)
    return model, gr.HTML(note, elem_id="model-note", apply_default_css=False, visible=bool(note))


def _describe_model(engine: Engine) -> tuple[str, str]:
    """Render the line and the note on the model as they are now. The note may be empty."""
    problem = "" if engine.ready else engine.problem
    line = model_notes.model_line(engine.info, ready=engine.ready, problem=problem)
    quotes = engine.forms[0] == "extractive"
    return line, model_notes.model_note(engine.info, quotes=quotes, problem=problem)


def _add_run_buttons() -> tuple[gr.Button, gr.Button]:
    with gr.Row(elem_id="actions"):
        start = gr.Button("Refine (Ctrl+Enter)", variant="primary", elem_id="refine", scale=2, min_width=160)
        stop = gr.Button("Stop (Esc)", interactive=False, elem_id="stop", scale=1, min_width=110)
    return start, stop


def _add_outputs(
    start: gr.Button, stop: gr.Button, judge_quality: Quality | None, *, sign_in: bool
) -> RunOutputs:
    """Add what a run changes, besides its buttons."""
    status = gr.HTML("", elem_id="status", apply_default_css=False)
    shown = gr.HTML(result.empty(), elem_id="result", apply_default_css=False)
    current = gr.State(None)
    tools = add_save_buttons(current, judge_quality)
    rating = add_rating(sign_in=sign_in)
    return RunOutputs(status, shown, start, stop, tools, current, rating)


def _connect_run(page: gr.Blocks, controller: RunController, inputs: InputFields, outputs: RunOutputs) -> Any:
    """Connect the buttons that start and stop a run, and the end of a visit. Returns the event of a run."""

    def run(request: gr.Request, values: Mapping[Any, Any]) -> Iterator[Updates]:
        for view in controller.refine(_session(request), inputs.read_values(values)):
            yield outputs.updates(view, _current_run(view))

    def stop_run(request: gr.Request) -> None:
        controller.stop_signals.stop(_session(request))

    def end_visit(request: gr.Request) -> None:
        """Stop the visitor's run, and drop everything that the server's memory holds of the visit."""
        stop_run(request)
        page.state_holder.session_data.pop(request.session_hash or "", None)

    refining = outputs.start.click(
        run,
        set(inputs.all()),
        outputs.all(),
        trigger_mode="once",
        concurrency_limit=_MAX_CONCURRENT_VISITORS,
        concurrency_id="model",
        **QUIET,
    )
    # a bug stays visible in the log and as Gradio's own error, but the buttons must not stay locked
    broken = RunView(
        result.status("Something broke. Your texts are kept; try again.", "error"), running=False
    )
    refining.failure(lambda: outputs.updates(broken), None, outputs.progress(), **QUIET)
    outputs.stop.click(stop_run, None, None, queue=False, **QUIET)
    page.unload(end_visit)
    return refining


def _session(request: gr.Request) -> str:
    return request.session_hash or uuid.uuid4().hex


def _current_run(view: RunView) -> CurrentRun | None:
    """Make the run that a view finishes, under a new id."""
    if view.finished is None:
        return None
    blind, left = view.blind_left is not None, view.blind_left or "draft"
    return CurrentRun(uuid.uuid4().hex, view.finished, datetime.now(UTC), blind=blind, left=left)


def _keep_fields_in_browser(page: gr.Blocks, fields: list[Any]) -> None:
    """Keep the fields in the visitor's own browser, so that a reload loses nothing. The server gets none."""
    names = json.dumps([field.elem_id for field in fields])
    gr.on(
        [field.change for field in fields],
        None,
        fields,
        None,
        js=f"(...values) => window.refiner.keep({names}, values)",
        trigger_mode="multiple",
        api_visibility="private",
    )
    page.load(
        None,
        fields,
        fields,
        js=f"(...values) => window.refiner.kept({names}, values)",
        api_visibility="private",
    )


def _add_model_poll(engine: Engine, model: gr.HTML, note: gr.HTML) -> gr.Timer:
    """Add a timer that updates the line on the model until the model is loaded or has failed to load.

    When the timer is activated later, it updates once and switches itself off.
    """

    def is_loading() -> bool:
        return not engine.ready and not engine.problem

    timer = gr.Timer(_MODEL_POLL_SECONDS, active=is_loading())

    def update() -> Updates:
        line, words = _describe_model(engine)
        return {
            model: line,
            note: gr.HTML(words, visible=bool(words)),
            timer: gr.Timer(active=is_loading()),
        }

    timer.tick(update, None, [model, note, timer], queue=False, **QUIET)
    return timer
