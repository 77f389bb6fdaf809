"""Votes under fire: writers killed at random and started again, and the server too."""

import random

import pytest
import votes

FEW = 150
"""Votes of each writer where all tests are run; `make soak` casts as many as BENCHMARKS.md tells of."""


@pytest.mark.postgres
@pytest.mark.parametrize("name", votes.DATABASES)
@pytest.mark.parametrize(
    "each",
    [
        pytest.param(FEW, marks=pytest.mark.slow, id="few"),
        pytest.param(votes.VOTES, marks=pytest.mark.soak, id="many"),
    ],
)
def test_no_acknowledged_vote_is_lost_and_none_doubled(name: str, each: int) -> None:
    cast = votes.WRITERS * each
    outcome = votes.DATABASES[name](each, random.randrange(1000))  # noqa: S311 - no secret
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert outcome.acknowledged == outcome.counted == cast
    # of few votes, some writers have cast all before it is their turn to be killed
    assert outcome.killed == votes.WRITERS or (each == FEW and outcome.killed)
    assert outcome.sends > cast * 1.2
