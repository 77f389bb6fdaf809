"""Votes under fire: writers killed at random and started again, and the server too."""

import random

import pytest
import votes


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("name", votes.DATABASES)
def test_no_acknowledged_vote_is_lost_and_none_doubled(name: str) -> None:
    cast = votes.WRITERS * votes.VOTES
    outcome = votes.DATABASES[name](votes.VOTES, random.randrange(1000))  # noqa: S311 - no secret
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert outcome.acknowledged == outcome.counted == cast
    assert outcome.killed == votes.WRITERS
    assert outcome.sends > cast * 1.25
