"""The known biases of votes, of side and of length, as shares with intervals. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from refiner.domain import Side
from refiner.feedback.export.rows import VoteTexts
from refiner.feedback.storage.store import Vote
from refiner.scoring.metrics import Figure

_Z = 1.959964  # the two-sided 95% quantile of the normal distribution


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share: ``hits`` of ``n``."""

    hits: int
    n: int

    @property
    def figure(self) -> Figure | None:
        """The share with its 95% interval, or None if ``n`` is 0.

        It is Wilson's score interval (Wilson 1927, Probable inference, the law of succession, and statistical
        inference).
        """
        if not self.n:
            return None
        share, weight = self.hits / self.n, _Z**2 / self.n
        middle = (share + weight / 2) / (1 + weight)
        half = _Z * sqrt(share * (1 - share) / self.n + weight / (4 * self.n)) / (1 + weight)
        lo, hi = max(0.0, middle - half), min(1.0, middle + half)
        return Figure(
            share, min(lo, share), max(hi, share)
        )  # at 0 and 1, rounding may put an end past the share


def left_won(votes: Sequence[Vote]) -> Proportion:
    """Returns how often the answer on the left was preferred, among votes for either answer."""
    decided = _decided(votes)
    return Proportion(sum(vote.feedback.choice == vote.feedback.left for vote in decided), len(decided))


def refined_won(votes: Sequence[Vote]) -> Proportion:
    """Returns how often the refined answer was preferred, among votes for either answer."""
    decided = _decided(votes)
    return Proportion(sum(vote.feedback.choice == "refined" for vote in decided), len(decided))


def longer_won(votes: Sequence[Vote]) -> Proportion:
    """Returns how often the longer answer, in characters without markup, was preferred.

    Leaves out equal lengths.
    """
    longer = [(vote.feedback.choice, _longer(vote)) for vote in _decided(votes)]
    unequal = [(choice, side) for choice, side in longer if side is not None]
    return Proportion(sum(choice == side for choice, side in unequal), len(unequal))


def _decided(votes: Sequence[Vote]) -> list[Vote]:
    return [vote for vote in votes if vote.feedback.choice in {"refined", "draft"}]


def _longer(vote: Vote) -> Side | None:
    texts = VoteTexts.of(vote)
    difference = len(texts.refined.text.strip()) - len(texts.draft.text.strip())
    return "refined" if difference > 0 else "draft" if difference < 0 else None
