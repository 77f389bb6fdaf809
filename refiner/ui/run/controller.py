"""Does a visitor's run: reads the fields, queues for the model, yields views. Knows no Gradio."""

import random
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from refiner.domain import Request, Side
from refiner.engines.protocol import Engine
from refiner.errors import RefinerError
from refiner.judges.ask import clear_caches
from refiner.judges.quality import Quality
from refiner.render import result
from refiner.render.progress import waiting
from refiner.ui.inputs import fields
from refiner.ui.run.duration import DurationEstimator
from refiner.ui.run.stopping import RunFunction, StopSignals
from refiner.ui.run.views import RunView, error_status, reading_status, run_views
from refiner.ui.run.waiting_queue import WaitingQueue

_QUEUE_POLL_SECONDS = 0.5
"""Seconds between two looks at a visitor's place in the queue."""


@dataclass(frozen=True, slots=True)
class RunController:
    """The engine, the runs under way, the queue before them, and what earlier runs taught about durations."""

    engine: Engine
    run: RunFunction
    judge_quality: Quality | None = None
    stop_signals: StopSignals = field(default_factory=StopSignals)
    queue: WaitingQueue = field(default_factory=WaitingQueue)
    estimator: DurationEstimator = field(default_factory=DurationEstimator)

    def refine(self, session: str, values: fields.InputValues) -> Iterator[RunView]:
        """Do one run for a session and yield its views. An expected failure is a view too."""
        blind_left = random.choice(get_args(Side)) if values.blind else None  # noqa: S311 - no secret
        try:
            request, options = fields.read_request(values), fields.read_options(values)
        except RefinerError as error:
            yield RunView(error_status(error), running=False)
            return
        with self.stop_signals.open(session) as stop_file, self.queue.join() as ticket, _forgetting_texts():
            if (yield from self._wait(ticket, Path(stop_file))):
                status = result.status("Stopped before it began. Your texts are kept.", "good")
                yield RunView(status, running=False)
                return
            yield self._first_view(request, blind=values.blind)
            yield from run_views(
                self.run,
                request,
                options,
                stop_file,
                judge_quality=self.judge_quality,
                estimator=self.estimator,
                blind_left=blind_left,
            )

    def _wait(self, ticket: object, stop_file: Path) -> Generator[RunView, None, bool]:
        """Yield views of the place in the queue until the model is free. Return True if the run was stopped."""
        began = time.monotonic()
        while (ahead := self.queue.count_ahead(ticket)) and not stop_file.exists():
            elapsed = time.monotonic() - began
            yield RunView(waiting(ahead, elapsed, self.estimator.run_seconds(ahead)))
            self.queue.wait(_QUEUE_POLL_SECONDS)
        return stop_file.exists()

    def _first_view(self, request: Request, *, blind: bool) -> RunView:
        shown = result.covered() if blind else result.waiting()
        if not self.engine.ready:
            words = "Loading the model: the first time takes up to half a minute"
            return RunView(result.status(words, "busy"), shown)
        return RunView(reading_status(None, request, self.estimator, 0.0), shown)


@contextmanager
def _forgetting_texts() -> Iterator[None]:
    """Drop the texts that the block left in caches."""
    try:
        yield
    finally:
        clear_caches()
