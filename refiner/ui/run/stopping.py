"""One run of one visitor: its stages, and how it is stopped from another request.

A stop is a file: a ZeroGPU run happens in a forked process that sees no event of this one, but the same
files. The run's own thread turns the file into the `threading.Event` that the engine looks at.
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
from refiner.prompts.template import PromptTemplate

_LOOK_EVERY = 0.05
Stages = Callable[[Request, Options, str], Iterator[Stage | RefinerError]]


def stages_of(
    engine: Engine, judge: Judge, template: PromptTemplate | None = None, mix: Mix = "weighted"
) -> Stages:
    """The work of a run with this engine and judge, as one function of picklable things."""

    def stages(request: Request, options: Options, stop_file: str) -> Iterator[Stage | RefinerError]:
        """The stages; an expected failure comes as the last value, as it could not be raised out of a child."""
        stop = threading.Event()
        with _watched(Path(stop_file), stop):
            try:
                yield from refine(request, engine, judge, options, stop, template=template, mix=mix)
            except RefinerError as error:
                yield error

    return stages


@contextmanager
def _watched(file: Path, stop: threading.Event) -> Iterator[None]:
    """Set ``stop`` when the file appears, and in any case at the end."""

    def watch() -> None:
        while not stop.wait(_LOOK_EVERY):
            if file.exists():
                stop.set()

    watcher = threading.Thread(target=watch, name="stop-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


class Runs:
    """The runs under way, one a session; a new one stops the one before it."""

    def __init__(self) -> None:
        self._files: dict[str, Path] = {}
        self._lock = threading.Lock()

    @contextmanager
    def open(self, session: str) -> Iterator[str]:
        """The name of a new run's stop file; gone again, and the run stopped, when the block is left."""
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
        """Stop the session's run; whether there was one."""
        with self._lock:
            return self._stop(session)

    def _stop(self, session: str) -> bool:
        file = self._files.get(session)
        if file is not None:
            file.touch()
        return file is not None
