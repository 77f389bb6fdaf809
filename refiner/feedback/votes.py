"""Stores and deletes ratings. Where a publisher is set it also publishes them and takes them back."""

from dataclasses import dataclass

from refiner.domain import Feedback
from refiner.feedback.publish.publisher import Publisher
from refiner.feedback.storage.store import Store


@dataclass(frozen=True, slots=True)
class VoteRecorder:
    """Where ratings go: all into the store, those whose raters agreed to the publisher too, where there is one."""

    store: Store
    publisher: Publisher | None = None

    def record(self, feedback: Feedback) -> str:
        """Keep a rating; returns its number. `RefinerError` says what to do where it could not be kept."""
        event = self.store.add(feedback)
        if self.publisher is not None:
            vote = self.store.vote(event)
            if vote is not None:
                self.publisher.publish(vote)
        return event

    def delete(self, event: str) -> bool:
        """Wipe a rating, and take it back where it may have been published; False where there is none.

        It is taken back whatever becomes of the wiping, which may be done and still have failed to leave no copy.
        """
        run_id, published = self.store.run_of(event) or ("", False)
        try:
            return self.store.delete(event)
        finally:
            if published and self.publisher is not None:
                self.publisher.forget(event, run_id)
