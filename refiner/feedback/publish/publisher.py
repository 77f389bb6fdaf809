"""Publishes votes to a Hub data set repository as they come in.

Every row is in a file on this machine before anything is sent, and the files stay. What could not be sent is sent
later, by this process or by the next one that gets the folder. A failure of the Hub is logged and never raised.
"""

import atexit
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from huggingface_hub import HfApi

from refiner.errors import StoreError
from refiner.feedback.export.dataset import LICENCE
from refiner.feedback.export.rows import flat_row, scrub_vote, tombstone
from refiner.feedback.export.scrub import Scrubber
from refiner.feedback.publish.hub_sender import HubSender
from refiner.feedback.publish.vote_files import MAX_FILE_BYTES, VoteFiles
from refiner.feedback.storage.store import Vote
from refiner.settings import Settings

COMMIT_INTERVAL_MINUTES = 20.0
"""That makes three commits an hour, and a fourth one at the end of the process."""

_log = logging.getLogger(__name__)


def publisher_from_settings(settings: Settings) -> "Publisher | None":
    """The publisher for the data set that the settings name, None where they name none."""
    if not settings.dataset:
        return None
    folder, scrubber = settings.cache_dir / "publish", Scrubber(settings.cache_dir / "scrub")
    return Publisher(settings.dataset, folder, scrubber, token=settings.hub_token)


class Publisher:
    """Publishes votes to ``repo_id``, an owner/name. Threads may share it, and processes may share ``folder``.

    It asks nothing of the Hub before the first vote that may be published. `publish` and `forget` raise `StoreError`
    where the folder cannot be written.
    """

    def __init__(
        self,
        repo_id: str,
        folder: Path,
        scrubber: Scrubber,
        *,
        token: str = "",
        endpoint: str | None = None,
        interval_minutes: float = COMMIT_INTERVAL_MINUTES,
        max_file_bytes: int = MAX_FILE_BYTES,
        licence: str = LICENCE,
    ) -> None:
        self._repo_id, self._scrubber, self._interval_minutes = repo_id, scrubber, interval_minutes
        self._files = VoteFiles(folder.expanduser().resolve(), max_file_bytes)
        api = HfApi(endpoint=endpoint, token=token or None)
        self._sender = HubSender(
            repo_id, self._files, api, interval_minutes=interval_minutes, licence=licence
        )
        self._starting = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def serve(self) -> None:
        """Prepares a long-lived process: loads the scrubber's rules, and has SIGTERM end the process by `close`."""
        threading.Thread(target=self._scrubber.scrub, args=("",), name="scrub-warm", daemon=True).start()
        exit_on_sigterm()

    def publish(self, vote: Vote) -> None:
        """Queues a vote for publication. It replaces earlier votes on its run, and a repetition changes nothing.

        A vote without consent to publish only takes the earlier ones back.
        """
        feedback = vote.feedback
        row = flat_row(*scrub_vote(vote, self._scrubber)) if feedback.consent_publish else None
        with _disk_errors_as_store_errors(self._files.folder), self._files.lock():
            if self._files.contains(vote.id):
                return
            struck = self._files.strike({feedback.run_id})
            if row is not None:
                self._files.append(row)
        if struck or row is not None:
            self._start()

    def forget(self, event_id: str, run_id: str = "") -> None:
        """Takes back a vote that may have been published, and all other votes on its run.

        Its rows leave the files on this machine at once. With the next commit they leave the Hub, history included.
        Where somebody may have seen a row, or where this machine has none any more, one tombstone marks the
        withdrawal.
        """
        with _disk_errors_as_store_errors(self._files.folder), self._files.lock():
            struck = self._files.strike({event_id, run_id})
            self._files.strike({row["run_id"] for row in struck})
            if not struck and not self._files.contains(event_id):
                self._files.append(tombstone(event_id, run_id or None))
        self._start()

    def flush(self) -> bool:
        """Sends now what was not sent. False where the Hub cannot be reached."""
        try:
            self._sender.send_now()
        except Exception:  # noqa: BLE001 - whatever a hub, a proxy or a disk does: the files stay
            _log.exception(
                "Votes could not be published to %s; they are kept in %s", self._repo_id, self._files.folder
            )
            return False
        return True

    def close(self) -> bool:
        """Sends what was not sent, and stops. False where the Hub cannot be reached. Python's exit calls it too."""
        atexit.unregister(self.close)
        idle = self._thread is None or self._closed.is_set() or not self._files.paths()
        sent = idle or self.flush()
        self._closed.set()
        self._sender.stop()
        return sent

    def _start(self) -> None:
        """Starts to publish in the background, once."""
        with self._starting:
            if self._thread is None:
                atexit.register(self.close)
                self._thread = threading.Thread(target=self._keep_connecting, daemon=True)
                self._thread.start()

    def _keep_connecting(self) -> None:
        """Connects to the Hub. Where that fails it tries again, as often as commits are made."""
        while not self._closed.is_set():
            with suppress(Exception):  # any failure of a hub: the warning below reports it
                self._sender.connect()
                return
            _log.warning("The Hub cannot be reached; votes are kept in %s", self._files.folder)
            self._closed.wait(self._interval_minutes * 60)


def exit_on_sigterm() -> None:
    """Has SIGTERM, which stops a container, end Python in the normal way, so that exit handlers still run."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


@contextmanager
def _disk_errors_as_store_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"The rating is stored, but what is published could not be changed: {error}. {folder} must be a folder "
            "that can be written."
        ) from error
