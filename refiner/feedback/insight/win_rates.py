"""Statistics over all votes: votes per day, and how often the refined answer won, by model and prompt.

Pure functions.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date

from refiner.domain import Choice
from refiner.feedback.insight import biases
from refiner.feedback.insight.agreement import Agreement, agreements
from refiner.feedback.insight.biases import Proportion
from refiner.feedback.storage.store import Vote


@dataclass(frozen=True, slots=True)
class VoteTally:
    """How often the refined answer won among votes for either answer, and the numbers of the other votes."""

    refined: Proportion
    ties: int
    both_bad: int

    @property
    def n(self) -> int:
        """The number of all votes."""
        return self.refined.n + self.ties + self.both_bad


@dataclass(frozen=True, slots=True)
class VoteGroup:
    """The votes on the answers of one model with one prompt version.

    Blind votes make a group of their own.
    """

    model: str
    prompt_version: str
    blind: bool
    tally: VoteTally


@dataclass(frozen=True, slots=True)
class VotesOfDay:
    """The votes of a day (UTC) by choice. Choices without votes are left out."""

    day: date
    counts: Mapping[Choice, int]


@dataclass(frozen=True, slots=True)
class Insight:
    """All statistics.

    ``raters`` is how many different raters are known, ``unnamed`` how many votes have no rater.

    ``groups`` are sorted from many votes to few, ``days`` from old to new. Days without votes are left out.
    ``blind`` counts the votes where the sides were unnamed, ``named`` the others.
    """

    total: VoteTally
    blind: VoteTally
    named: VoteTally
    raters: int
    unnamed: int
    days: tuple[VotesOfDay, ...]
    groups: tuple[VoteGroup, ...]
    agreements: tuple[Agreement, ...]
    longer_won: Proportion
    left_won_blind: Proportion
    left_won_named: Proportion


def insight(votes: Sequence[Vote]) -> Insight:
    """Computes all statistics of any number of votes, none included."""
    blind = [vote for vote in votes if vote.feedback.blind]
    named = [vote for vote in votes if not vote.feedback.blind]
    raters = [vote.feedback.rater for vote in votes]
    return Insight(
        total=tally(votes),
        blind=tally(blind),
        named=tally(named),
        raters=len(set(raters) - {""}),
        unnamed=raters.count(""),
        days=by_day(votes),
        groups=by_model(votes),
        agreements=agreements(votes),
        longer_won=biases.longer_won(votes),
        left_won_blind=biases.left_won(blind),
        left_won_named=biases.left_won(named),
    )


def tally(votes: Sequence[Vote]) -> VoteTally:
    """Counts the votes."""
    counts = Counter(vote.feedback.choice for vote in votes)
    return VoteTally(biases.refined_won(votes), counts["tie"], counts["both_bad"])


def by_day(votes: Sequence[Vote]) -> tuple[VotesOfDay, ...]:
    """Groups the votes by the day on which they were cast, in UTC."""
    days: defaultdict[date, Counter[Choice]] = defaultdict(Counter)
    for vote in votes:
        days[vote.created_at.astimezone(UTC).date()][vote.feedback.choice] += 1
    return tuple(VotesOfDay(day, days[day]) for day in sorted(days))


def by_model(votes: Sequence[Vote]) -> tuple[VoteGroup, ...]:
    """Groups the votes by model, by prompt version, and by whether they were blind."""
    groups: defaultdict[tuple[str, str, bool], list[Vote]] = defaultdict(list)
    for vote in votes:
        run = vote.feedback.run
        key = str(run.get("model", "")), str(run.get("prompt_version", "")), vote.feedback.blind
        groups[key].append(vote)
    by_size = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(VoteGroup(*key, tally(members)) for key, members in by_size)
