"""A queue in front of the model. Each visitor is told how many are before them. Knows no Gradio."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class WaitingQueue:
    """A first-come, first-served queue in front of one model. Safe to use from threads."""

    def __init__(self) -> None:
        self._tickets: list[object] = []
        self._changed = threading.Condition()

    @contextmanager
    def join(self) -> Iterator[object]:
        """Yield a ticket for the last place. Leaving the block gives the place up.

        The model belongs to the holder of the first ticket.
        """
        ticket = object()
        with self._changed:
            self._tickets.append(ticket)
        try:
            yield ticket
        finally:
            with self._changed:
                self._tickets.remove(ticket)
                self._changed.notify_all()

    def count_ahead(self, ticket: object) -> int:
        """Count the tickets before this one, the one being served included. At 0 it is this one's turn."""
        with self._changed:
            return self._tickets.index(ticket)

    def wait(self, seconds: float) -> None:
        """Block until some ticket is given up, or for this many seconds."""
        with self._changed:
            self._changed.wait(seconds)
