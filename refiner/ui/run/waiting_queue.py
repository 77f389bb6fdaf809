"""Who waits for the model: first come, first served, and everyone is told their place."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Line:
    """A queue in front of one model. Safe to use from threads."""

    def __init__(self) -> None:
        self._waiting: list[object] = []
        self._moved = threading.Condition()

    @contextmanager
    def join(self) -> Iterator[object]:
        """A place at the end, as a ticket; given up when the block is left. The model belongs to the first."""
        ticket = object()
        with self._moved:
            self._waiting.append(ticket)
        try:
            yield ticket
        finally:
            with self._moved:
                self._waiting.remove(ticket)
                self._moved.notify_all()

    def ahead(self, ticket: object) -> int:
        """How many come before, the one being served included; 0 when it is one's turn."""
        with self._moved:
            return self._waiting.index(ticket)

    def wait(self, seconds: float) -> None:
        """Until someone leaves, at most so long."""
        with self._moved:
            self._moved.wait(seconds)
