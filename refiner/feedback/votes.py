"""Stores and deletes ratings. Where a publisher is set it also publishes them and takes them back."""

from dataclasses import dataclass

from refiner.domain import Feedback
from refiner.feedback.publish.publisher import Publisher
from refiner.feedback.storage.store import Store


@dataclass(frozen=True, slots=True)
class VoteRecorder:
    """Puts every rating into the store.

    If there is a publisher, it also gets the ratings with consent to publish.
    """

    store: Store
    publisher: Publisher | None = None

    def record(self, feedback: Feedback) -> str:
        """Stores a rating and returns its event's id.

        Raises a `RefinerError` that says what to do if that fails.
        """
        event = self.store.add(feedback)
        if self.publisher is not None:
            vote = self.store.vote(event)
            if vote is not None:
                self.publisher.publish(vote)
        return event

    def delete(self, event: str) -> bool:
        """Wipes a rating and withdraws it if it may have been published.

        Returns False if there is nothing to wipe.

        It withdraws the rating even if the store raises: the store may have wiped the rating and then failed
        to remove the last copy.
        """
        run_id, published = self.store.run_of(event) or ("", False)
        try:
            return self.store.delete(event)
        finally:
            if published and self.publisher is not None:
                self.publisher.forget(event, run_id)
