"""What passes cost, and how much of a proposal that makes worthwhile."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from refiner.decoding.kv_cache import STATIC_WIDTHS, KVCache
from refiner.decoding.pass_costs import PassCosts
from refiner.decoding.proposer import DraftToken
from refiner.engines.local import LocalEngine


def costs_of(*seconds: float) -> PassCosts:
    costs = PassCosts()
    costs.seconds = dict(zip(STATIC_WIDTHS, seconds, strict=True))
    assert costs.measured
    return costs


def proposal_of(probabilities: list[float], size: int = 1) -> list[DraftToken]:
    nobody: Any = None  # asks for the writer
    return [DraftToken([0] * size, nobody, 0, (), probability) for probability in probabilities]


@pytest.mark.parametrize(
    ("seconds", "probabilities", "worthwhile"),
    [
        pytest.param((1, 1, 1), [0.9, 0.3, 0.01], 3, id="width costs nothing: all"),
        pytest.param((1, 3, 9), [0.9] * 7 + [0.8] * 8, 7, id="what fits the narrowest pass, and no more"),
        pytest.param((1, 3, 9), [0.4, 0.05], 2, id="what fits comes along, however improbable"),
        pytest.param((1, 2, 9), [0.9] * 7 + [0.5] * 8, 7, id="too improbable for the next width"),
        pytest.param((1, 1.1, 9), [0.9] * 7 + [0.5] * 8, 15, id="over a width that costs little more"),
    ],
)
def test_as_much_is_proposed_as_gives_the_most_tokens_a_second(
    seconds: tuple[float, ...], probabilities: list[float], worthwhile: int
) -> None:
    assert len(costs_of(*seconds).worthwhile(proposal_of(probabilities), unread=1)) == worthwhile


@given(
    seconds=st.lists(st.floats(0.5, 9), min_size=len(STATIC_WIDTHS), max_size=len(STATIC_WIDTHS)),
    factors=st.lists(st.floats(0.1, 1), max_size=20),
    size=st.integers(1, 3),
    unread=st.integers(1, 4),
)
def test_no_other_length_gives_more(
    seconds: list[float], factors: list[float], size: int, unread: int
) -> None:
    probability, probabilities = 1.0, []
    for factor in factors:
        probability *= factor
        probabilities.append(probability)
    costs, proposal = costs_of(*seconds), proposal_of(probabilities, size)

    def rate(length: int) -> float:
        width = min(width for width in STATIC_WIDTHS if width >= unread + size * length)
        return (1 + sum(probabilities[:length])) / costs.seconds[width]

    chosen = len(costs.worthwhile(proposal, unread))
    assert rate(chosen) == max(map(rate, range(len(proposal) + 1)))


def ticks() -> Iterator[float]:
    """Times at which passes begin and end: the first pass of a width takes 100, the others 3, 2 and 4."""
    now = 0.0
    for number in count():
        yield now
        now += (100, 3, 2, 4)[number // 2 % 4] if number % 2 == 0 else 0


@pytest.fixture
def cache(qwen: LocalEngine) -> KVCache:
    cache = KVCache(qwen.loaded().model, 300, full_attention=True)
    cache.forward(list(range(100, 120)), [0])
    return cache


def test_each_width_is_timed_by_its_quickest_pass_but_the_first(cache: KVCache) -> None:
    costs, clock = PassCosts(), ticks()
    costs.measure(cache, clock=lambda: next(clock))
    assert costs.seconds == dict.fromkeys(STATIC_WIDTHS, 2)
    assert cache.tokens == list(range(100, 120))


def test_measuring_leaves_what_was_read_as_it_was(cache: KVCache) -> None:
    before = cache.forward([5], [0])
    cache.crop(20)
    PassCosts().measure(cache)
    torch.testing.assert_close(cache.forward([5], [0]), before, atol=1e-5, rtol=0)


def test_a_stop_ends_the_measuring_which_goes_on_at_the_next_request(cache: KVCache) -> None:
    costs, asked = PassCosts(), count()
    costs.measure(cache, stopped=lambda: next(asked) == 2)
    assert list(costs.seconds) == list(STATIC_WIDTHS[:2])
    assert not costs.measured
    first = dict(costs.seconds)
    costs.measure(cache)
    assert costs.measured
    assert costs.seconds.items() >= first.items()


def test_nothing_is_timed_beyond_the_models_context(cache: KVCache) -> None:
    costs = PassCosts()
    cache.context = 20 + STATIC_WIDTHS[-1] - 1
    costs.measure(cache)
    assert costs.seconds == {}
    cache.context += 1
    costs.measure(cache)
    assert costs.measured
