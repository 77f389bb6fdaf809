"""Votes onto a Hub data set repository, as they come in: a folder a process, rolled files, a commit now and then.

Every line is in a file of this machine's before anything is sent, and the files stay: what could not be sent is sent
later, by this process or the next one that is given the folder. A hub that fails is logged and never raises.
"""

import atexit
import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock
from huggingface_hub import CommitOperationAdd, CommitScheduler, HfApi

from refiner.errors import StoreError
from refiner.feedback.export.card import live_card
from refiner.feedback.export.dataset import LICENCE
from refiner.feedback.export.rows import Row, flat, scrubbed, tombstone
from refiner.feedback.export.scrub import Scrubber
from refiner.feedback.storage.store import Vote
from refiner.settings import Settings

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo

EVERY = 20.0
"""Minutes between two commits: three an hour, and the one at the end makes four."""
ROLL = 5_000_000
"""Bytes after which a new file begins. From 10 MB on the Hub wants large-file storage, which uploads in threads, and
there are none to be had at an interpreter's end."""

_log = logging.getLogger(__name__)


def publisher_of(settings: Settings) -> "Publisher | None":
    """The publisher that the settings name; None where they name none."""
    if not settings.dataset:
        return None
    folder, scrubber = settings.cache_dir / "publish", Scrubber(settings.cache_dir / "scrub")
    return Publisher(settings.dataset, folder, scrubber, token=settings.hub_token)


class Publisher:
    """Publishes votes to ``repo_id``, an owner/name. Safe to use from threads, and ``folder`` from several processes.

    Nothing is asked of the Hub before the first vote that may be published. ``every`` is in minutes, ``roll`` in bytes.
    Where the folder cannot be written `publish` and `forget` raise `StoreError`.
    """

    def __init__(
        self,
        repo_id: str,
        folder: Path,
        scrubber: Scrubber,
        *,
        token: str = "",
        endpoint: str | None = None,
        every: float = EVERY,
        roll: int = ROLL,
        licence: str = LICENCE,
    ) -> None:
        self._repo_id, self._folder, self._scrubber = repo_id, folder.expanduser().resolve(), scrubber
        self._api = HfApi(endpoint=endpoint, token=token or None)
        self._every, self._roll, self._licence = every, roll, licence
        self._lock = threading.Lock()
        self._connecting = threading.Lock()
        self._closed = threading.Event()
        self._pushing = threading.Lock()
        self._offered = self._folder / "offered"  # names the files, of any process, that may be there
        self._withdrawn = self._folder / "withdrawn"  # there while the Hub's history may hold what was
        self._thread: threading.Thread | None = None
        self._scheduler: _Scheduler | None = None
        began = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
        self._own = self._folder / "data" / f"{socket.gethostname()}-{began}-{secrets.token_hex(3)}"
        self._number = 1

    def serve(self) -> None:
        """Make ready for votes, in a process that stays: it will end by `exit_on_sigterm`, so that the last are sent."""
        threading.Thread(target=self._scrubber.scrub, args=("",), name="scrub-warm", daemon=True).start()
        exit_on_sigterm()

    def publish(self, vote: Vote) -> None:
        """Put a vote in line to be published, in place of earlier ones of its run; the same one again is no news.

        Without consent to publish it only takes those back.
        """
        given = vote.feedback
        row = flat(*scrubbed(vote, self._scrubber)) if given.consent_publish else None
        with _told(self._folder), self._alone():
            if any(_holds(file, vote.id) for file in self._files()):
                return
            struck = self._strike({given.run_id})
            if row is not None:
                self._append(row)
        if struck or row is not None:
            self._start()

    def forget(self, event_id: str, run_id: str = "") -> None:
        """Take back a vote that may have been published, and the others of its run.

        Its lines leave the files of this machine, and with the next commit those of the Hub, history included.
        Where one may have been seen, or none is here any more, a line says that it is withdrawn, once.
        """
        with _told(self._folder), self._alone():
            found = self._strike({event_id, run_id})
            self._strike({row["run_id"] for row in found})
            if not found and not any(_holds(file, event_id) for file in self._files()):
                self._append(tombstone(event_id, run_id or None))
        self._start()

    def flush(self) -> bool:
        """Send now what was not sent; False where the Hub cannot be had."""
        try:
            with self._connecting:
                push = self._scheduler.push_to_hub if self._scheduler is not None else self._push
                push()
        except Exception:  # noqa: BLE001 - whatever a hub, a proxy or a disk does: the files stay
            _log.exception(
                "Votes could not be published to %s; they are kept in %s", self._repo_id, self._folder
            )
            return False
        return True

    def close(self) -> bool:
        """Send what was not sent, and end; False where the Hub cannot be had. Also done at the interpreter's end."""
        atexit.unregister(self.close)
        idle = self._thread is None or self._closed.is_set() or not self._files()
        sent = idle or self.flush()
        self._closed.set()
        if self._scheduler is not None:
            self._scheduler.stop()
        return sent

    def _start(self) -> None:
        """Begin to publish in the background, once."""
        with self._lock:
            if self._thread is None:
                atexit.register(self.close)
                self._thread = threading.Thread(target=self._keep_connecting, daemon=True)
                self._thread.start()

    def _keep_connecting(self) -> None:
        """The scheduler's first commit is at once; where the Hub cannot be had, try again as often as it commits."""
        while not self._closed.is_set():
            with suppress(Exception):  # told by the log below; what it may be is any of a hub's failures
                self._connect()
                return
            _log.warning("The Hub cannot be reached; votes are kept in %s", self._folder)
            self._closed.wait(self._every * 60)

    def _connect(self) -> None:
        with self._connecting:
            self._prepare()
            self._scheduler = _Scheduler(
                self._alone,
                self._sending,
                repo_id=self._repo_id,
                repo_type="dataset",
                folder_path=self._folder,
                every=self._every,
                allow_patterns=["README.md", "data/*/*.jsonl"],
                hf_api=self._api,
            )

    def _push(self) -> None:
        """Everything in one commit, without a scheduler: that begins a thread, which an interpreter's end forbids."""
        self._prepare()
        self._api.create_repo(self._repo_id, repo_type="dataset", exist_ok=True)
        with self._sending():
            files = [*self._folder.glob("README.md"), *self._files()]
            added = [CommitOperationAdd(str(file.relative_to(self._folder)), file) for file in files]
            self._api.create_commit(self._repo_id, added, commit_message="Votes", repo_type="dataset")

    @contextmanager
    def _sending(self) -> Iterator[None]:
        """Around a commit, one at a time. What was withdrawn leaves the history as well: all commits become one."""
        with self._pushing:
            with self._alone():
                names = {str(file.relative_to(self._folder)) for file in self._files()}
                _overwrite(self._offered, "\n".join(sorted(names)))
                withdrawn = _modified(self._withdrawn)
            yield
            if withdrawn:
                self._api.super_squash_history(self._repo_id, repo_type="dataset")
                with self._alone():
                    if _modified(self._withdrawn) == withdrawn:  # or more was withdrawn since
                        self._withdrawn.unlink()

    def _prepare(self) -> None:
        self._write_card()
        self._mend()

    def _write_card(self) -> None:
        """A card where the repository has none: somebody may have written theirs."""
        card = self._folder / "README.md"
        if self._api.file_exists(self._repo_id, "README.md", repo_type="dataset"):
            card.unlink(missing_ok=True)
        else:
            self._folder.mkdir(parents=True, exist_ok=True)
            card.write_text(live_card(self._licence, "data/*/*.jsonl"), encoding="utf-8")

    def _mend(self) -> None:
        """Take out a last line that a crash of an earlier process cut off: no reader would take the file."""
        with self._alone():
            for file in self._files():
                if not file.read_bytes().endswith(b"\n"):
                    _replace(file, _read(file))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """With the files to ourselves, between threads and between processes."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._lock, FileLock(self._folder / "lock"):
            yield

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("data/*/*.jsonl"))

    def _append(self, row: Row) -> None:
        file = self._own / f"{self._number:04}.jsonl"
        if file.exists() and file.stat().st_size >= self._roll:
            self._number += 1
            file = self._own / f"{self._number:04}.jsonl"
        self._own.mkdir(parents=True, exist_ok=True)
        before = _modified(file)
        with file.open("a", encoding="utf-8") as out:
            out.write(_line(row))
            out.flush()
            os.fsync(out.fileno())
        _mark(file, before)

    def _strike(self, names: AbstractSet[str]) -> list[Row]:
        """Take the lines of these events and runs out of all files, and return them."""
        wanted = set(names) - {""}
        return [row for file in self._files() for row in self._strike_in(file, wanted)]

    def _strike_in(self, file: Path, names: AbstractSet[str]) -> list[Row]:
        """A line that may have been seen leaves a tombstone."""
        if not any(name.encode() in file.read_bytes() for name in names):
            return []
        lines = _read(file)
        struck = [
            row for row in lines if not row["deleted"] and not names.isdisjoint((row["id"], row["run_id"]))
        ]
        if not struck:
            return []
        kept = [row for row in lines if row not in struck]
        if self._maybe_seen(file):
            kept += [tombstone(row["id"], None) for row in struck]
            self._withdrawn.touch()
        _replace(file, kept)
        return struck

    def _maybe_seen(self, file: Path) -> bool:
        """Whether a file may be on the Hub: one of another process may, and one that a commit has begun with."""
        if file.parent != self._own:
            return True
        offered = self._offered.read_text(encoding="utf-8") if self._offered.exists() else ""
        return str(file.relative_to(self._folder)) in offered.split("\n")


class _Scheduler(CommitScheduler):
    """Hugging Face's scheduler with the publisher's lock over the files, and what it does around a commit."""

    def __init__(
        self,
        alone: Callable[[], AbstractContextManager[None]],
        sending: Callable[[], AbstractContextManager[None]],
        **options: Any,
    ) -> None:
        self._alone, self._sending = alone, sending
        super().__init__(**options)

    @property  # type: ignore[override]  # it is only entered
    def lock(self) -> AbstractContextManager[None]:
        """The one that the publisher writes under."""
        return self._alone()

    @lock.setter
    def lock(self, _: object) -> None:
        """The base class makes one of its own."""

    def push_to_hub(self) -> "CommitInfo | None":
        """Send what changed."""
        with self._sending():
            return super().push_to_hub()


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"The rating is stored, but what is published could not be changed: {error}. {folder} must be a folder "
            "that can be written."
        ) from error


def exit_on_sigterm() -> None:
    """Have the signal that stops a container end Python in its own way, so that what is registered still runs."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def _holds(file: Path, event_id: str) -> bool:
    return f'{{"id": {json.dumps(event_id)},'.encode() in file.read_bytes()


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _read(file: Path) -> list[Row]:
    """The rows; a last line that a crash cut off is none."""
    rows = []
    for line in file.read_text(encoding="utf-8", errors="replace").split("\n"):
        with suppress(json.JSONDecodeError):
            rows.append(json.loads(line))
    return rows


def _replace(file: Path, rows: list[Row]) -> None:
    """Other lines in a file; none: no file. A push that reads the old ones goes on reading them."""
    if not rows:
        file.unlink()
        return
    before = _modified(file)
    _overwrite(file, "".join(map(_line, rows)))
    _mark(file, before)


def _overwrite(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def _modified(file: Path) -> int:
    return file.stat().st_mtime_ns if file.exists() else 0


def _mark(file: Path, before: int) -> None:
    """The scheduler tells a change by the time, which two changes within a clock's tick would share."""
    if file.stat().st_mtime_ns <= before:
        os.utime(file, ns=(before + 1_000_000, before + 1_000_000))
