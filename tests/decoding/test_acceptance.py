"""When guessing pays: how far it goes before anything is learned, and how many refusals end it."""

import pytest

from refiner.decoding.acceptance import (
    CLAIM_IDS,
    CLAIM_START,
    FIRM_MATCH,
    AcceptanceRates,
    Kind,
    another_claim,
    claim_end,
    copy_goes_on,
    copy_starts,
)
from refiner.decoding.lookup_text import MATCH_LENGTHS, MATCH_WITHIN_WORD, SHORT_MATCH, Match
from refiner.engines.loaded_model import MIN_PROBABILITY

MATCHES = [Match(n, near=near) for n in (*MATCH_LENGTHS, SHORT_MATCH) for near in (True, False)]
KINDS = [
    *(copy_starts(match) for match in (*MATCHES, Match(MATCH_WITHIN_WORD, near=False))),
    *(copy_goes_on(run) for run in (0, 8, 16, 32, 64, 128)),
    *(claim_end(in_draft=in_draft) for in_draft in (True, False)),
    *(another_claim(draft_used_up=used_up) for used_up in (True, False)),
    CLAIM_START,
    CLAIM_IDS,
]


def refusals_until(kind: Kind, rate: float) -> int:
    """How many refusals in a row take the kind's rate below ``rate``."""
    rates, count = AcceptanceRates(), 0
    while rates.of(kind) >= rate:
        rates.update(kind, accepted=False)
        count += 1
    return count


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_is_accepted_becomes_likelier_and_what_is_refused_less_likely(kind: Kind) -> None:
    rates = AcceptanceRates()
    first = rates.of(kind)
    rates.update(kind, accepted=True)
    lifted = rates.of(kind)
    rates.update(kind, accepted=False)
    assert 0 < first < lifted < 1
    assert 0 < rates.of(kind) < lifted


def test_a_kind_learns_nothing_from_the_others_or_from_another_answer() -> None:
    rates = AcceptanceRates()
    rates.update(claim_end(in_draft=True), accepted=False)
    for kind in KINDS:
        assert (rates.of(kind) < AcceptanceRates().of(kind)) == (kind == claim_end(in_draft=True))


@pytest.mark.parametrize(
    ("run", "longer"), [(8, 16), (16, 32), (32, 64), (64, 128)], ids=lambda run: f"{run} bytes"
)
def test_the_longer_a_copy_has_been_right_the_surer_it_goes_on(run: int, longer: int) -> None:
    rates = AcceptanceRates()
    assert rates.of(copy_goes_on(run)) < rates.of(copy_goes_on(longer))
    assert copy_goes_on(longer - 1) == copy_goes_on(run)


@pytest.mark.parametrize(
    ("run", "tokens"),
    [(0, 13), (7, 13), (8, 6), (15, 6), (16, 13), (32, 27), (64, 56), (127, 56), (128, 137), (9999, 137)],
)
def test_so_many_tokens_of_a_copy_are_worth_guessing_on_a_cpu(run: int, tokens: int) -> None:
    """More than a pass holds, once the copy has been right for some sentences."""
    rate = AcceptanceRates().of(copy_goes_on(run))
    assert rate ** (tokens + 1) < MIN_PROBABILITY <= rate**tokens


def test_of_two_places_the_better_match_is_likelier_to_go_on() -> None:
    """In this order. Of equal ones the longer and then the near one is taken, as `Match` sorts."""
    rates = AcceptanceRates()
    ranked = sorted(MATCHES, key=lambda match: (rates.of(copy_starts(match)), match), reverse=True)
    assert ranked == [
        Match(64, near=True),
        Match(32, near=True),
        Match(64, near=False),
        Match(32, near=False),
        Match(8, near=True),
        Match(16, near=True),
        Match(16, near=False),
        Match(4, near=True),
        Match(8, near=False),
        Match(4, near=False),
    ]


def test_a_firm_match_is_the_likeliest_start() -> None:
    rates = AcceptanceRates()
    assert max(KINDS[: len(MATCHES) + 1], key=rates.of) == FIRM_MATCH


@pytest.mark.parametrize(
    ("match", "refusals"),
    [
        (Match(64, near=True), 26),
        (Match(64, near=False), 16),
        (Match(32, near=True), 20),
        (Match(32, near=False), 16),
        (Match(16, near=True), 3),
        (Match(16, near=False), 3),
        (Match(8, near=True), 3),
        (Match(8, near=False), 1),
        (Match(4, near=True), 2),
        (Match(4, near=False), 0),
        (Match(1, near=False), 2),
    ],
    ids=str,
)
def test_where_nothing_is_copied_few_refusals_after_short_matches_end_guessing(
    match: Match, refusals: int
) -> None:
    assert refusals_until(copy_starts(match), MIN_PROBABILITY) == refusals


@pytest.mark.parametrize(
    ("kind", "refusals"),
    [(CLAIM_START, 4), (CLAIM_IDS, 15)],
    ids=["a claim's first words", "a claim's ids"],
)
def test_a_claims_beginning_is_guessed_until_it_was_refused_so_often(kind: Kind, refusals: int) -> None:
    assert refusals_until(kind, MIN_PROBABILITY) == refusals
