"""Turns the stages of a run into what the page shows, at most ten times a second. Knows no Gradio."""

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from refiner.domain import (
    Finished,
    GenerationProgress,
    JudgingProgress,
    Options,
    Prepared,
    Refinement,
    Request,
    Side,
    Stage,
)
from refiner.errors import InputError, RefinerError
from refiner.judges.quality import Quality
from refiner.render import progress, result
from refiner.render.html_text import seconds
from refiner.render.progress import Step
from refiner.ui.run.duration import DurationEstimator
from refiner.ui.run.stopping import RunFunction

UPDATE_INTERVAL = 0.1
"""Seconds between two updates. More updates would only keep the browser busy."""


@dataclass(frozen=True, slots=True)
class RunView:
    """What the page shows at one moment of a run. ``status`` and ``result`` are HTML.

    ``result`` is None where the result on the page stays as it is. Only the last view of a run that has a
    result sets ``finished``. ``blind_left`` is the side on the left of a run that is to be rated blind, and
    else None.
    """

    status: str
    result: str | None = None
    running: bool = True
    finished: Refinement | None = None
    blind_left: Side | None = None


def run_views(
    run: RunFunction,
    request: Request,
    options: Options,
    stop_file: str,
    *,
    judge_quality: Quality | None = None,
    estimator: DurationEstimator | None = None,
    blind_left: Side | None = None,
) -> Iterator[RunView]:
    """Do a run and yield its views. Closing this generator closes the run and frees the model.

    ``judge_quality`` is what was measured of the judge. ``estimator`` gives the expected durations and learns
    from the run. Where ``blind_left`` is set, no view tells one answer from the other.
    """
    shown_at = 0.0
    last: type | None = None
    tracker = _RunTracker(request, options, estimator or DurationEstimator(), blind_left)
    # typed as an iterator, but it is a generator, even where `spaces` wraps the function
    stages = cast("Generator[Stage | RefinerError]", run(request, options, stop_file))
    with closing(stages):
        for stage in stages:
            if isinstance(stage, RefinerError):
                yield RunView(error_status(stage), tracker.partial_result(), running=False)
                return
            tracker.note(stage)
            if isinstance(stage, Finished):
                stopped = Path(stop_file).exists()
                yield tracker.last_view(stage.refinement, judge_quality, stopped=stopped)
            elif type(stage) is not last or time.monotonic() - shown_at >= UPDATE_INTERVAL:
                view = tracker.view(stage, first=type(stage) is not last)
                yield view if blind_left is None else replace(view, result=None)
                shown_at, last = time.monotonic(), type(stage)


def error_status(error: RefinerError) -> str:
    """Render an expected failure. An `InputError` also names the field that it is about."""
    return result.status(str(error), "error", error.field if isinstance(error, InputError) else "")


def reading_status(
    prepared: Prepared | None, request: Request, estimator: DurationEstimator, elapsed: float
) -> str:
    """Render the steps while nothing is written yet. ``prepared`` is None until the prompt is built."""
    words, expected = "Reading the sources", None
    if prepared:
        words = f"Reading {progress.reading(prepared, len(request.sources))}"
        expected = estimator.reading_seconds(prepared.prompt_tokens)
    now = Step(words, "now", elapsed, expected)
    return progress.steps((now, Step("Writing"), Step("Judging both answers")), "Reading the sources")


@dataclass(slots=True)
class _RunTracker:
    """Remembers when each step of a run began and the latest stage of each kind."""

    request: Request
    options: Options
    estimator: DurationEstimator
    blind_left: Side | None
    began: dict[type, float] = field(default_factory=dict)
    prepared: Prepared | None = None
    written: GenerationProgress | None = None
    checks: int = 0

    def __post_init__(self) -> None:
        self.began[Prepared] = time.monotonic()

    def note(self, stage: Stage) -> None:
        self.began.setdefault(type(stage), time.monotonic())
        if isinstance(stage, Prepared):
            self.prepared = stage
        elif isinstance(stage, GenerationProgress):
            self.written = stage
        elif isinstance(stage, JudgingProgress):
            self.checks = stage.total

    def view(self, stage: Stage, *, first: bool) -> RunView:
        """Make the view of a stage. ``first`` says that the stage before was of another kind."""
        if isinstance(stage, JudgingProgress):
            elapsed, expected = self._since(JudgingProgress), self._expected_judging(stage)
            now = Step(f"Judging {progress.judging(stage)}", "now", elapsed, expected)
            status = progress.steps((*self._finished_steps(), now), "Judging both answers")
            # the diff does not change while the verdicts come in, so it is drawn once
            return RunView(status, result.judging(stage, self.request) if first else None)
        if isinstance(stage, GenerationProgress):
            elapsed, expected = self._since(GenerationProgress), self._expected_writing(stage)
            now = Step(f"Writing {progress.writing(stage)}", "now", elapsed, expected)
            later = Step("Judging both answers")
            status = progress.steps((*self._finished_steps(), now, later), "Writing")
            return RunView(status, result.writing(stage.text, self.request))
        reading = reading_status(self.prepared, self.request, self.estimator, self._since(Prepared))
        return RunView(reading, result.waiting())

    def partial_result(self) -> str | None:
        """Render the text that was written before a failure, if there is any and it may be seen."""
        text = self.written.text if self.written else ""
        return result.writing(text, self.request, over=True) if text and not self.blind_left else None

    def last_view(self, run: Refinement, judge_quality: Quality | None, *, stopped: bool) -> RunView:
        took = seconds(self._since(Prepared))
        words = f"Done in {took}."
        if run.usage.ended == "stopped":
            words = f"Stopped after {took}. What was written is kept."
        elif stopped:
            words = f"Stopped while judging, after {took}. What was not judged yet is not scored."
        else:
            self.estimator.learn(run, self.checks, self._since(JudgingProgress))
        shown = (
            result.blind(run, self.blind_left)
            if self.blind_left
            else result.finished(run, judge_quality, rated=True)
        )
        status = result.status(words, "good")
        return RunView(status, shown, running=False, finished=run, blind_left=self.blind_left)

    def _finished_steps(self) -> tuple[Step, ...]:
        """Make the steps that are over, each with the time that it took."""
        usage = self.written.usage if self.written else None
        steps = []
        if self.prepared:
            words = f"Read {progress.reading(self.prepared, len(self.request.sources))}"
            steps.append(Step(words, "done", usage.prefill_seconds if usage else None))
        if usage and JudgingProgress in self.began:
            words = f"Wrote {progress.writing(self.written)}" if self.written else ""
            steps.append(Step(words, "done", usage.seconds - usage.prefill_seconds))
        return tuple(steps)

    def _since(self, stage: type) -> float:
        """Seconds since the first stage of this kind, or 0 where there was none."""
        return time.monotonic() - self.began.get(stage, time.monotonic())

    def _expected_writing(self, stage: GenerationProgress) -> float | None:
        """Expect the speed so far, for as many tokens as earlier answers had beside their drafts."""
        length = self.estimator.answer_tokens(self.request.draft)
        done = stage.usage.completion_tokens
        if length is None or not done:
            return None
        return self._since(GenerationProgress) / done * min(max(length, done), self.options.max_new_tokens)

    def _expected_judging(self, stage: JudgingProgress) -> float | None:
        if stage.done:
            return self._since(JudgingProgress) / stage.done * stage.total
        return self.estimator.judging_seconds(stage.total)
