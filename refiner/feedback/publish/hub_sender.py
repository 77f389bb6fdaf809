"""Sends the files of rows to a data set repository on the Hub. Knows no votes, only files.

Hugging Face's `CommitScheduler` commits what changed at regular intervals. Where a row was withdrawn, the commit is
followed by a squash: all commits become one, so that the history does not hold the row either.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from huggingface_hub import CommitOperationAdd, CommitScheduler, HfApi

from refiner.feedback.export.card import live_card
from refiner.feedback.publish.vote_files import PATTERN, VoteFiles

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo


class HubSender:
    """Sends ``files`` to ``repo_id``. Safe to use from threads. All errors of the Hub and the disk are raised.

    ``licence`` is the licence id in the card, which is written only where the repository has none.
    """

    def __init__(
        self, repo_id: str, files: VoteFiles, api: HfApi, *, interval_minutes: float, licence: str
    ) -> None:
        self._repo_id, self._files, self._api = repo_id, files, api
        self._interval_minutes, self._licence = interval_minutes, licence
        self._connecting = threading.Lock()
        self._committing = threading.Lock()
        self._scheduler: _Scheduler | None = None

    def connect(self) -> None:
        """Starts the scheduler, whose first commit is at once."""
        with self._connecting:
            self._prepare()
            self._scheduler = _Scheduler(
                self._files.lock,
                self._commit,
                repo_id=self._repo_id,
                repo_type="dataset",
                folder_path=self._files.folder,
                every=self._interval_minutes,
                allow_patterns=["README.md", PATTERN],
                hf_api=self._api,
            )

    def send_now(self) -> None:
        """Sends what was not sent. Returns when the Hub has it."""
        with self._connecting:
            if self._scheduler is not None:
                self._scheduler.push_to_hub()
            else:
                self._send_without_scheduler()

    def stop(self) -> None:
        """Stops the scheduler, if it was started."""
        if self._scheduler is not None:
            self._scheduler.stop()

    def _send_without_scheduler(self) -> None:
        """Sends everything in one commit. A scheduler would start a thread, which Python forbids while it exits."""
        self._prepare()
        self._api.create_repo(self._repo_id, repo_type="dataset", exist_ok=True)
        with self._commit():
            folder = self._files.folder
            files = [*folder.glob("README.md"), *self._files.paths()]
            added = [CommitOperationAdd(str(file.relative_to(folder)), file) for file in files]
            self._api.create_commit(self._repo_id, added, commit_message="Votes", repo_type="dataset")

    @contextmanager
    def _commit(self) -> Iterator[None]:
        """Surrounds every commit. One runs at a time, and a withdrawal is taken out of the history after it."""
        with self._committing:
            withdrawal = self._files.begin_commit()
            yield
            if withdrawal:
                self._api.super_squash_history(self._repo_id, repo_type="dataset")
                self._files.end_withdrawal(withdrawal)

    def _prepare(self) -> None:
        self._write_card()
        self._files.drop_torn_lines()

    def _write_card(self) -> None:
        """Writes a card unless the repository has one, which its owner may have written."""
        card = self._files.folder / "README.md"
        if self._api.file_exists(self._repo_id, "README.md", repo_type="dataset"):
            card.unlink(missing_ok=True)
        else:
            self._files.folder.mkdir(parents=True, exist_ok=True)
            card.write_text(live_card(self._licence, PATTERN), encoding="utf-8")


class _Scheduler(CommitScheduler):
    """Hugging Face's scheduler with another lock over the files, and with a context around each commit."""

    def __init__(
        self,
        lock_files: Callable[[], AbstractContextManager[None]],
        commit: Callable[[], AbstractContextManager[None]],
        **options: Any,
    ) -> None:
        self._lock_files, self._commit = lock_files, commit
        super().__init__(**options)

    @property  # type: ignore[override]  # the base class only enters it
    def lock(self) -> AbstractContextManager[None]:
        """The lock that the files are written under."""
        return self._lock_files()

    @lock.setter
    def lock(self, _: object) -> None:
        """The base class sets a lock of its own, which nobody else would hold."""

    def push_to_hub(self) -> "CommitInfo | None":
        """Sends what changed."""
        with self._commit():
            return super().push_to_hub()
