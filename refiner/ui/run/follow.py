"""The stages of a run turned into what the page shows, at most ten times a second. Knows no Gradio."""

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
from refiner.ui.run.duration import Pace
from refiner.ui.run.stopping import Stages

EVERY = 0.1
"""Seconds between two updates: more would only keep the browser busy."""


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows now. None leaves the result as it is; ``done`` is set with the last view of a run.

    ``blind`` is the side that stands left of a run that is to be rated blind.
    """

    status: str
    result: str | None = None
    running: bool = True
    done: Refinement | None = None
    blind: Side | None = None


def follow(
    stages: Stages,
    request: Request,
    options: Options,
    stop_file: str,
    *,
    judged: Quality | None = None,
    pace: Pace | None = None,
    blind: Side | None = None,
) -> Iterator[View]:
    """The views of a run. Closing it closes the run, so that a visitor who leaves frees the model.

    ``judged`` is what is known of the judge; ``pace`` tells what to expect, and learns from the run. With ``blind``,
    the side that stands left, nothing is shown that tells one answer from the other.
    """
    shown = 0.0
    last: type | None = None
    run = _Run(request, options, pace or Pace(), blind)
    # a generator, though its type says iterator: through `spaces` it still is one
    running = cast("Generator[Stage | RefinerError]", stages(request, options, stop_file))
    with closing(running):
        for stage in running:
            if isinstance(stage, RefinerError):
                yield View(failed(stage), run.kept(), running=False)
                return
            run.note(stage)
            if isinstance(stage, Finished):
                yield run.finished(stage.refinement, judged, stopped=Path(stop_file).exists())
            elif type(stage) is not last or time.monotonic() - shown >= EVERY:
                view = run.view(stage, first=type(stage) is not last)
                yield view if blind is None else replace(view, result=None)
                shown, last = time.monotonic(), type(stage)


def failed(error: RefinerError) -> str:
    """An expected failure in words, with the field that it is about."""
    return result.status(str(error), "error", error.field if isinstance(error, InputError) else "")


@dataclass(slots=True)
class _Run:
    """When each step of a run began, and what is known of those that are over."""

    request: Request
    options: Options
    pace: Pace
    blind: Side | None
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

    def view(self, stage: Stage, *, first: bool) -> View:
        if isinstance(stage, JudgingProgress):
            words = f"Judging {progress.judging(stage)}"
            given = (*self._over(), Step(words, "now", self._since(JudgingProgress), self._judging(stage)))
            # the diff stays as it is while the checks come back
            return View(
                progress.steps(given, "Judging both answers"),
                result.judging(stage, self.request) if first else None,
            )
        if isinstance(stage, GenerationProgress):
            now = Step(
                f"Writing {progress.writing(stage)}",
                "now",
                self._since(GenerationProgress),
                self._writing(stage),
            )
            said = progress.steps((*self._over(), now, Step("Judging both answers")), "Writing")
            return View(said, result.writing(stage.text, self.request))
        return View(reading(self.prepared, self.request, self.pace, self._since(Prepared)), result.waiting())

    def kept(self) -> str | None:
        """What was written before it broke off, if anything was and may be seen."""
        text = self.written.text if self.written else ""
        return result.writing(text, self.request, over=True) if text and not self.blind else None

    def finished(self, run: Refinement, judged: Quality | None, *, stopped: bool) -> View:
        took = seconds(self._since(Prepared))
        words = f"Done in {took}."
        if run.usage.ended == "stopped":
            words = f"Stopped after {took}. What was written is kept."
        elif stopped:
            words = f"Stopped while judging, after {took}. What was not judged yet is not scored."
        else:
            self.pace.learn(run, self.checks, self._since(JudgingProgress))
        shown = result.blind(run, self.blind) if self.blind else result.finished(run, judged, rated=True)
        return View(result.status(words, "good"), shown, running=False, done=run, blind=self.blind)

    def _over(self) -> tuple[Step, ...]:
        """The steps that are behind, each with the time that it took."""
        usage = self.written.usage if self.written else None
        found = []
        if self.prepared:
            words = f"Read {progress.reading(self.prepared, len(self.request.sources))}"
            found.append(Step(words, "done", usage.prefill_seconds if usage else None))
        if usage and JudgingProgress in self.began:
            words = f"Wrote {progress.writing(self.written)}" if self.written else ""
            found.append(Step(words, "done", usage.seconds - usage.prefill_seconds))
        return tuple(found)

    def _since(self, step: type) -> float:
        return time.monotonic() - self.began.get(step, time.monotonic())

    def _writing(self, stage: GenerationProgress) -> float | None:
        """As fast as so far, for as many tokens as drafts like this one took."""
        length = self.pace.length(self.request.draft)
        done = stage.usage.completion_tokens
        if length is None or not done:
            return None
        return self._since(GenerationProgress) / done * min(max(length, done), self.options.max_new_tokens)

    def _judging(self, stage: JudgingProgress) -> float | None:
        if stage.done:
            return self._since(JudgingProgress) / stage.done * stage.total
        return self.pace.judging(stage.total)


def reading(prepared: Prepared | None, request: Request, pace: Pace, elapsed: float) -> str:
    """The steps while nothing is written yet."""
    words, expected = "Reading the sources", None
    if prepared:
        words = f"Reading {progress.reading(prepared, len(request.sources))}"
        expected = pace.reading(prepared.prompt_tokens)
    now = Step(words, "now", elapsed, expected)
    return progress.steps((now, Step("Writing"), Step("Judging both answers")), "Reading the sources")
