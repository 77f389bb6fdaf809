"""The published rows as files of JSON lines on this machine. Knows no network.

Several processes may share the folder. Each writes new rows into its own sub-folder, and each may take a row out of
anybody's file. The folder holds:

- ``data/PROCESS/NNNN.jsonl``: the rows. A new file begins when the last one is large enough.
- ``offered``: the names of all files that a commit has begun to send. The Hub may hold them.
- ``withdrawn``: exists while the Hub's history may hold a row that was taken out here.
- ``lock``: held while files are read for a change or written.
"""

import json
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from refiner.feedback.export.rows import Row, tombstone

PATTERN = "data/*/*.jsonl"
"""Where the rows are, relative to the folder and to the Hub's repository."""
MAX_FILE_BYTES = 5_000_000
"""A new file begins at this size. From 10 MB on the Hub wants large-file storage, which uploads in threads. Python
cannot start threads while it exits."""


class VoteFiles:
    """The rows in ``folder``, for this process.

    `lock` makes a sequence of calls safe between threads and processes. `append`, `strike` and `contains` must be
    called inside it. The other methods take it themselves where they need it. Errors of the disk are `OSError`.
    """

    def __init__(self, folder: Path, max_file_bytes: int = MAX_FILE_BYTES) -> None:
        self.folder = folder
        self._max_file_bytes = max_file_bytes
        self._thread_lock = threading.Lock()
        self._offered = folder / "offered"
        self._withdrawn = folder / "withdrawn"
        started = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
        self._own_folder = folder / "data" / f"{socket.gethostname()}-{started}-{secrets.token_hex(3)}"
        self._file_number = 1

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps all other threads and processes away from the files. Not reentrant."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._thread_lock, FileLock(self.folder / "lock"):
            yield

    def paths(self) -> list[Path]:
        """All files of rows, of every process."""
        return sorted(self.folder.glob(PATTERN))

    def contains(self, event_id: str) -> bool:
        """Whether any file has a row of this event: the vote itself or its tombstone."""
        row_start = f'{{"id": {json.dumps(event_id)},'.encode()
        return any(row_start in file.read_bytes() for file in self.paths())

    def append(self, row: Row) -> None:
        """Writes a row to the end of this process's file, and waits until the disk has it."""
        file = self._own_folder / f"{self._file_number:04}.jsonl"
        if file.exists() and file.stat().st_size >= self._max_file_bytes:
            self._file_number += 1
            file = self._own_folder / f"{self._file_number:04}.jsonl"
        self._own_folder.mkdir(parents=True, exist_ok=True)
        time_before = _modified_ns(file)
        with file.open("a", encoding="utf-8") as out:
            out.write(_to_line(row))
            out.flush()
            os.fsync(out.fileno())
        _advance_modified_time(file, time_before)

    def strike(self, ids: AbstractSet[str]) -> list[Row]:
        """Removes the rows of these events and runs from all files, and returns them.

        Where the Hub may hold a row, a tombstone takes its place. Tombstones themselves stay. Empty ids are ignored.
        """
        wanted = set(ids) - {""}
        return [row for file in self.paths() for row in self._strike_in(file, wanted)]

    def begin_commit(self) -> int:
        """Notes that the Hub may hold all present files from now on.

        Returns the time stamp of the last withdrawal that the Hub's history does not reflect yet, else 0.
        """
        with self.lock():
            names = {str(file.relative_to(self.folder)) for file in self.paths()}
            _overwrite(self._offered, "\n".join(sorted(names)))
            return _modified_ns(self._withdrawn)

    def end_withdrawal(self, time_stamp: int) -> None:
        """Notes that the Hub's history holds nothing of what was withdrawn up to ``time_stamp``."""
        with self.lock():
            if _modified_ns(self._withdrawn) == time_stamp:  # else more was withdrawn meanwhile
                self._withdrawn.unlink()

    def drop_torn_lines(self) -> None:
        """Removes a last line that a crash of an earlier process cut off. No reader would accept the file."""
        with self.lock():
            for file in self.paths():
                if not file.read_bytes().endswith(b"\n"):
                    _replace_rows(file, _read_rows(file))

    def _strike_in(self, file: Path, ids: AbstractSet[str]) -> list[Row]:
        content = file.read_bytes()
        if not any(name.encode() in content for name in ids):
            return []
        rows = _read_rows(file)
        struck = [
            row for row in rows if not row["deleted"] and not ids.isdisjoint((row["id"], row["run_id"]))
        ]
        if not struck:
            return []
        kept = [row for row in rows if row not in struck]
        if self._may_be_on_hub(file):
            kept += [tombstone(row["id"], None) for row in struck]
            self._withdrawn.touch()
        _replace_rows(file, kept)
        return struck

    def _may_be_on_hub(self, file: Path) -> bool:
        """Of another process's files any may be there, of our own those that a commit has begun to send."""
        if file.parent != self._own_folder:
            return True
        offered = self._offered.read_text(encoding="utf-8") if self._offered.exists() else ""
        return str(file.relative_to(self.folder)) in offered.split("\n")


def _to_line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _read_rows(file: Path) -> list[Row]:
    """The rows, without a last line that a crash cut off."""
    rows = []
    for line in file.read_text(encoding="utf-8", errors="replace").split("\n"):
        with suppress(json.JSONDecodeError):
            rows.append(json.loads(line))
    return rows


def _replace_rows(file: Path, rows: list[Row]) -> None:
    """Replaces the file, or removes it where there are no rows. A push that has it open goes on reading the old one."""
    if not rows:
        file.unlink()
        return
    time_before = _modified_ns(file)
    _overwrite(file, "".join(map(_to_line, rows)))
    _advance_modified_time(file, time_before)


def _overwrite(file: Path, text: str) -> None:
    """Replaces the file in one step: after a crash it is the old one or the new one."""
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def _modified_ns(file: Path) -> int:
    return file.stat().st_mtime_ns if file.exists() else 0


def _advance_modified_time(file: Path, time_before: int) -> None:
    """The scheduler recognises a change by the file's time. Two changes in one tick of the clock would look alike."""
    if file.stat().st_mtime_ns <= time_before:
        os.utime(file, ns=(time_before + 1_000_000, time_before + 1_000_000))
