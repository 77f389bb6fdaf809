"""Makes the function that does a run, and stops a run from another request. Knows no Gradio.

A stop signal is a file. A ZeroGPU run happens in a forked process, which sees no `threading.Event` of this
process but sees the same files. A thread beside the run turns the file into the event that the engine looks
at.
"""

import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from refiner.domain import Mix, Options, Request, Stage
from refiner.engines.protocol import Engine
from refiner.errors import RefinerError
from refiner.judges.protocol import Judge
from refiner.pipeline import refine
from refiner.prompts.prompt_file import PromptTemplate

_POLL_SECONDS = 0.05
"""Seconds between two looks for the stop file."""

RunFunction = Callable[[Request, Options, str], Iterator[Stage | RefinerError]]
"""Takes the request, the options and the path of the stop file, and yields the stages of the run.

An expected failure is the last value: a child process could not raise it into this one.
"""


def make_run_function(
    engine: Engine, judge: Judge, template: PromptTemplate | None = None, mix: Mix = "weighted"
) -> RunFunction:
    """Bind the engine, the judge and the prompt. Arguments and results of the function can be pickled."""

    def run(request: Request, options: Options, stop_file: str) -> Iterator[Stage | RefinerError]:
        stop = threading.Event()
        with _set_by_file(stop, Path(stop_file)):
            try:
                yield from refine(request, engine, judge, options, stop, template=template, mix=mix)
            except RefinerError as error:
                yield error

    return run


@contextmanager
def _set_by_file(stop: threading.Event, file: Path) -> Iterator[None]:
    """Set ``stop`` as soon as the file exists, and in any case when the block is left."""

    def watch() -> None:
        while not stop.wait(_POLL_SECONDS):
            if file.exists():
                stop.set()

    watcher = threading.Thread(target=watch, name="stop-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


class StopSignals:
    """The stop files of the runs under way, one a session. A session's new run stops the run before it."""

    def __init__(self) -> None:
        self._files: dict[str, Path] = {}
        self._lock = threading.Lock()

    @contextmanager
    def open(self, session: str) -> Iterator[str]:
        """Yield the path of a run's stop file, which does not exist yet. Leaving the block removes it."""
        file = Path(tempfile.gettempdir()) / f"refiner-stop-{uuid.uuid4().hex}"
        with self._lock:
            self._stop(session)
            self._files[session] = file
        try:
            yield str(file)
        finally:
            with self._lock:
                if self._files.get(session) == file:
                    del self._files[session]
                file.unlink(missing_ok=True)

    def stop(self, session: str) -> bool:
        """Stop the session's run. Returns whether there was one."""
        with self._lock:
            return self._stop(session)

    def _stop(self, session: str) -> bool:
        file = self._files.get(session)
        if file is not None:
            file.touch()
        return file is not None
