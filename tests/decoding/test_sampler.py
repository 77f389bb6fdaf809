"""The likeliest token of those that are allowed, or one drawn with a seed."""

from collections import Counter

import numpy as np
import pytest
import torch

from refiner.decoding.sampler import Sampler
from refiner.decoding.vocabulary import AllowedTokens

LOGITS = torch.tensor([1.0, 4.0, 3.0, 2.0, 0.0])
"""Of five tokens: 1 is the likeliest, then 2 and 3."""


def mask(*tokens: int) -> AllowedTokens:
    return AllowedTokens(mask=np.isin(np.arange(len(LOGITS)), tokens))


def choose(sampler: Sampler, allowed: AllowedTokens | None) -> int:
    """A token, chosen as the decoding loop does."""
    likeliest, logits = sampler.prepare(LOGITS.unsqueeze(0))
    return sampler.choose(likeliest[0], logits[0], allowed)


def draws(sampler: Sampler, allowed: AllowedTokens | None = None, count: int = 200) -> Counter[int]:
    return Counter(choose(sampler, allowed) for _ in range(count))


@pytest.mark.parametrize(
    ("allowed", "token"),
    [
        pytest.param(None, 1, id="anything"),
        pytest.param(mask(0, 1, 3), 1, id="a mask with the likeliest"),
        pytest.param(mask(0, 2, 3), 2, id="a mask without it"),
        pytest.param(AllowedTokens(tokens=(0, 1, 4)), 1, id="a few tokens with the likeliest"),
        pytest.param(AllowedTokens(tokens=(0, 3, 4)), 3, id="a few tokens without it"),
    ],
)
def test_at_temperature_0_the_likeliest_token_that_is_allowed_is_taken(
    allowed: AllowedTokens | None, token: int
) -> None:
    assert choose(Sampler(0.0, None), allowed) == token
    assert Sampler(0.0, None).sample(LOGITS, allowed) == token


def test_each_row_has_its_likeliest_token_and_one_to_draw_has_none() -> None:
    rows = torch.stack([LOGITS, LOGITS.flip(0)])
    likeliest, logits = Sampler(0.0, None).prepare(rows)
    assert likeliest == [1, 3]
    assert torch.equal(logits, rows)
    for temperature in (0.5, 1.0, 2.0):
        likeliest, logits = Sampler(temperature, 0).prepare(rows.half())
        assert likeliest == [None, None]
        assert logits.dtype == torch.float32


@pytest.mark.parametrize(
    ("allowed", "tokens"),
    [
        pytest.param(None, {0, 1, 2, 3, 4}, id="anything"),
        pytest.param(mask(0, 2), {0, 2}, id="a mask"),
        pytest.param(AllowedTokens(tokens=(3, 4)), {3, 4}, id="a few tokens"),
    ],
)
def test_what_is_drawn_is_allowed_and_may_be_any_of_it(
    allowed: AllowedTokens | None, tokens: set[int]
) -> None:
    assert set(draws(Sampler(2.0, 0), allowed)) == tokens


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    drawn, likely = draws(Sampler(1.0, 0), count=1000), torch.softmax(LOGITS, dim=0)
    assert all(abs(drawn[token] / 1000 - float(likely[token])) < 0.05 for token in range(len(LOGITS)))


def test_a_low_temperature_draws_the_likeliest_and_a_high_one_draws_all_alike() -> None:
    assert draws(Sampler(0.05, 0)) == {1: 200}
    assert min(draws(Sampler(100.0, 0)).values()) > 20


def test_a_seed_repeats_what_is_drawn_and_without_one_it_differs() -> None:
    def sequence(seed: int | None) -> list[int]:
        sampler = Sampler(10.0, seed)
        return [choose(sampler, None) for _ in range(50)]

    assert sequence(1) == sequence(1)
    assert sequence(1) != sequence(2)
    assert sequence(None) != sequence(None)
