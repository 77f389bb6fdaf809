"""The page: what it shows and which function each button calls. Built from values; it reads no setting itself."""

import json
import random
import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, get_args

import gradio as gr

from refiner.domain import Request, Side
from refiner.engines.protocol import Engine
from refiner.errors import RefinerError
from refiner.feedback.publish.publisher import Publisher
from refiner.feedback.rater import key_of
from refiner.feedback.storage.store import Store
from refiner.feedback.votes import VoteRecorder
from refiner.judges import quality
from refiner.judges.ask import forget
from refiner.judges.protocol import Judge
from refiner.judges.quality import Quality
from refiner.prompts.template import PromptTemplate
from refiner.render import result
from refiner.render.progress import waiting
from refiner.render.scores.judge_quality import fold
from refiner.settings import Settings
from refiner.ui.assets import read_asset
from refiner.ui.inputs import fields
from refiner.ui.inputs.form import inputs
from refiner.ui.insight.page import add_insight
from refiner.ui.rating.form import Rating, Votes, deletion, rating, wire
from refiner.ui.rating.vote_form import Held
from refiner.ui.result.keeping import history, now, remember, tools
from refiner.ui.run.duration import Pace
from refiner.ui.run.follow import View, failed, follow, reading
from refiner.ui.run.stopping import Runs, Stages, stages_of
from refiner.ui.run.waiting_queue import Line
from refiner.ui.zerogpu import expected_seconds, on_gpu

_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_VISITORS = 100
"""Runs that may be under way or in our own line at once; more wait in Gradio's queue."""
_LOOK = 0.5
"""Seconds between two looks at one's place in the line."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the buttons act on: the model, the runs under way and in line, the work itself, and what is known of both."""

    engine: Engine
    runs: Runs
    stages: Stages
    judged: Quality | None = None
    line: Line = field(default_factory=Line)
    pace: Pace = field(default_factory=Pace)

    def refine(self, session: str, *given: Any) -> Iterator[View]:
        """The views of one run, from the fields in their order; expected failures are a view as well."""
        question, draft, mode, pasted, table, rubric, form, tokens, temperature, seed, blind = given
        left = random.choice(get_args(Side)) if blind else None  # noqa: S311 - a draw of sides, no secret
        try:
            sources, _ = fields.read_sources(mode, pasted, table)
            request = fields.request(question, draft, sources, rubric)
            options = fields.options(form, tokens, temperature, seed)
        except RefinerError as error:
            yield View(failed(error), running=False)
            return
        with self.runs.open(session) as stop_file, self.line.join() as place, _forgetting():
            if (yield from self._wait(place, Path(stop_file))):
                yield View(
                    result.status("Stopped before it began. Your texts are kept.", "good"), running=False
                )
                return
            yield self._begin(request, covered=blind)
            yield from follow(
                self.stages, request, options, stop_file, judged=self.judged, pace=self.pace, blind=left
            )

    def _wait(self, place: object, stop_file: Path) -> Generator[View, None, bool]:
        """Views of one's place in the line until it is one's turn; True where one left instead."""
        began = time.monotonic()
        while (ahead := self.line.ahead(place)) and not stop_file.exists():
            yield View(waiting(ahead, time.monotonic() - began, self.pace.runs(ahead)))
            self.line.wait(_LOOK)
        return stop_file.exists()

    def _begin(self, request: Request, *, covered: bool) -> View:
        shown = result.covered() if covered else result.waiting()
        if not self.engine.ready:
            words = "Loading the model: the first time takes up to half a minute"
            return View(result.status(words, "busy"), shown)
        return View(reading(None, request, self.pace, 0.0), shown)


def build(
    engine: Engine, judge: Judge, store: Store, settings: Settings, publisher: Publisher | None = None
) -> gr.Blocks:
    """The page as Blocks, ready to be launched with `theme.launch_options`."""
    ballots = VoteRecorder(store, publisher)
    template = PromptTemplate.read(settings.prompt_file)
    judged = judge.quality or quality.read(settings.cache_dir, judge.name, judge.version)
    stages = on_gpu(stages_of(engine, judge, template, settings.mix), expected_seconds)
    work = Work(engine, Runs(), stages, judged)
    page = gr.Blocks(title="Refiner", fill_width=True, analytics_enabled=False)
    with page:
        model, note = _header(engine)
        with gr.Row(elem_id="columns", equal_height=False):
            with gr.Column(scale=5, min_width=320, elem_id="left"):
                left = inputs(settings, engine.forms)
                with gr.Row(elem_id="actions"):
                    start = gr.Button(
                        "Refine (Ctrl+Enter)", variant="primary", elem_id="refine", scale=2, min_width=160
                    )
                    stop = gr.Button("Stop (Esc)", interactive=False, elem_id="stop", scale=1, min_width=110)
            with gr.Column(scale=8, min_width=320, elem_id="right"):
                status = gr.HTML("", elem_id="status", apply_default_css=False)
                shown = gr.HTML(result.empty(), elem_id="result", apply_default_css=False)
                held, last = gr.State(None), gr.State("")
                saving = tools(held, judged)
                parts, ballot = rating(sign_in=settings.sign_in)
                places = [status, shown, start, stop, saving, held, *parts.places()]
                updates = partial(_updates, parts)
                history(updates, places, judge.name, judged)
                deletion(ballots)
                gr.HTML(fold(judge.name, judged), elem_id="judge", apply_default_css=False)

        def run(request: gr.Request, *given: Any) -> Iterator[tuple[Any, ...]]:
            for view in work.refine(_session(request), *given):
                yield updates(view, _held(view))

        def halt(request: gr.Request) -> None:
            work.runs.stop(_session(request))

        begun = start.click(
            run,
            left.all(),
            places,
            trigger_mode="once",
            concurrency_limit=_VISITORS,
            concurrency_id="model",
            show_progress="hidden",
            api_visibility="private",
        )
        votes = Votes(parts, ballots, partial(key_of, settings), judged)
        for through in (begun, *wire(votes, held, ballot, [shown, saving])):
            remember(through, held, last)
        # a bug stays loud in the log and as Gradio's own error; the buttons must not stay locked
        broken = View(
            result.status("Something broke. Your texts are kept; try again.", "error"), running=False
        )
        begun.failure(lambda: updates(broken, None)[:4], None, places[:4], **_QUIET)
        stop.click(halt, None, None, queue=False, **_QUIET)

        def leave(request: gr.Request) -> None:
            """Stop what runs, and let go of everything that the visit put into the server's memory."""
            halt(request)
            page.state_holder.session_data.pop(request.session_hash or "", None)

        page.unload(leave)
        timer = _poll(engine, model, note)
        begun.then(
            lambda: gr.Timer(active=True), None, timer, **_QUIET
        )  # what the run changed is seen at once
        _keep(page, left.all())
    add_insight(page, store, settings)
    return page


@contextmanager
def _forgetting() -> Iterator[None]:
    """Let go of texts that were kept for speed while the block ran."""
    try:
        yield
    finally:
        forget()


def _session(request: gr.Request) -> str:
    return request.session_hash or uuid.uuid4().hex


def _header(engine: Engine) -> tuple[gr.HTML, gr.HTML]:
    """The bar with which model writes, and what to know of that."""
    mark = read_asset("favicon.svg")
    line, note = _model(engine)
    with gr.Row(elem_id="bar"):
        gr.HTML(
            f'<div class="brand"><span class="mark" aria-hidden="true">{mark}</span><h1>Refiner</h1>'
            "<p>Every claim tied to a source. Every change in sight.</p></div>",
            apply_default_css=False,
        )
        model = gr.HTML(line, elem_id="model", apply_default_css=False)
    return model, gr.HTML(note, elem_id="model-note", apply_default_css=False, visible=bool(note))


def _model(engine: Engine) -> tuple[str, str]:
    """The line and the note on the model as things stand."""
    problem = "" if engine.ready else engine.problem
    line = result.model_line(engine.info, ready=engine.ready, problem=problem)
    quotes = engine.forms[0] == "extractive"
    return line, result.model_note(engine.info, quotes=quotes, problem=problem)


def _held(view: View) -> Held | None:
    """The run that a view ends, to be held."""
    if view.done is None:
        return None
    return Held(uuid.uuid4().hex, view.done, now(), blind=view.blind is not None, left=view.blind or "draft")


def _updates(parts: Rating, view: View, held: Held | None) -> tuple[Any, ...]:
    """A view as updates of: status, result, Refine, Stop, the tools, what is held, the rating's parts.

    Tools and rating belong to the result that is shown: they stay while the result does.
    """
    tools: Any = gr.skip()
    kept: Any = gr.skip()
    rated = parts.skipped()
    if view.result is not None:
        tools, kept = gr.Row(visible=held is not None and not held.covered), held
        rated = parts.opened(held) if held is not None and held.id else parts.hidden()
    return (
        view.status,
        gr.skip() if view.result is None else view.result,
        gr.Button(interactive=not view.running),
        gr.Button(interactive=view.running),
        tools,
        kept,
        *rated,
    )


def _keep(page: gr.Blocks, every: list[Any]) -> None:
    """Keep the fields in the visitor's own browser, so that a reload loses nothing. The server sees none of it."""
    names = json.dumps([field.elem_id for field in every])
    gr.on(
        [field.change for field in every],
        None,
        every,
        None,
        js=f"(...values) => window.refiner.keep({names}, values)",
        trigger_mode="multiple",
        api_visibility="private",
    )
    page.load(
        None,
        every,
        every,
        js=f"(...values) => window.refiner.kept({names}, values)",
        api_visibility="private",
    )


def _poll(engine: Engine, model: gr.HTML, note: gr.HTML) -> gr.Timer:
    """While the model is being loaded, look again until it is there or cannot be; look once when woken."""

    def waiting() -> bool:
        return not engine.ready and not engine.problem

    timer = gr.Timer(1.0, active=waiting())

    def look() -> tuple[str, Any, Any]:
        line, words = _model(engine)
        return line, gr.HTML(words, visible=bool(words)), gr.Timer(active=waiting())

    timer.tick(look, None, [model, note, timer], queue=False, **_QUIET)
    return timer
