"""The stages of a run turned into what the page shows, at most ten times a second. Knows no Gradio."""

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import cast

from refiner.domain import Finished, Judging, Options, Prepared, Refinement, Request, Stage, Writing
from refiner.errors import RefinerError
from refiner.judges.quality import Quality
from refiner.render import result
from refiner.ui.runs import Stages

EVERY = 0.1
"""Seconds between two updates: more would only keep the browser busy."""


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows now. None leaves the result as it is; ``done`` is set with the last view of a run."""

    status: str
    result: str | None = None
    running: bool = True
    done: Refinement | None = None


def follow(
    stages: Stages, request: Request, options: Options, stop_file: str, judged: Quality | None = None
) -> Iterator[View]:
    """The views of a run, of each kind of stage the first at once. ``judged`` is what is known of the judge.

    Closing it closes the run, so that a visitor who leaves frees the model.
    """
    shown = 0.0
    kind: type[Stage] | None = None
    # a generator, though its type says iterator: through `spaces` it still is one
    running = cast("Generator[Stage | RefinerError]", stages(request, options, stop_file))
    with closing(running):
        for stage in running:
            if isinstance(stage, RefinerError):
                yield View(result.status(str(stage), "error"), running=False)
                return
            now, first = time.monotonic(), type(stage) is not kind
            if first or now - shown >= EVERY:
                shown, kind = now, type(stage)
                yield _view(stage, request, judged, first=first)


def _view(stage: Stage, request: Request, judged: Quality | None, *, first: bool) -> View:
    if isinstance(stage, Finished):
        run = stage.refinement
        words = "Stopped. What was written is kept." if run.usage.ended == "stopped" else "Done."
        return View(result.status(words, "good"), result.finished(run, judged), running=False, done=run)
    words = result.status(result.progress(stage), "busy")
    if isinstance(stage, Writing):
        return View(words, result.writing(stage.text, request))
    if isinstance(stage, Judging):  # the diff stands, and is as large as the answer
        return View(words, result.judging(stage, request) if first else None)
    return View(words, result.waiting() if isinstance(stage, Prepared) else None)
