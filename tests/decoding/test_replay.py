"""The replay benchmark on every ninth case: our guesses beside the peers', counted in forward passes."""

from collections.abc import Mapping, Sequence

import pytest
import replay
from replay import COMPARED, OURS, Replay, Took

from refiner.engines.local import LocalEngine

pytestmark = pytest.mark.real_model

Replayed = tuple[Sequence[Replay], Mapping[str, Sequence[Took]]]


@pytest.fixture(scope="module")
def replayed(embedded: LocalEngine) -> Replayed:
    cases = list(replay.replays(embedded, every=9))
    ways = replay.arms(embedded.loaded().vocabulary)
    return cases, {name: [way(case) for case in cases] for name, way in ways.items()}


@pytest.mark.parametrize(
    ("peer", "much", "little"),
    [
        ("plain", 3, 1),
        ("prompt lookup, the best of its lengths", 1.25, 1.1),
        ("suffix decoding, the better depth", 1.05, 1.05),
    ],
)
def test_it_takes_fewer_passes_than_its_peers(
    replayed: Replayed, peer: str, much: float, little: float
) -> None:
    cases, took = replayed
    columns = replay.columns_of(cases)
    for column, least in (
        (f"all but free, copied ≥ {replay.COPIED}", much),
        (f"all but free, copied < {replay.COPIED}", little),
    ):
        assert len(columns[column]) > 1
        assert replay.ratio(cases, took, COMPARED[peer], columns[column]) >= least


def test_every_output_is_written_to_its_end_and_no_pass_is_free(replayed: Replayed) -> None:
    cases, took = replayed
    for name, found in took.items():
        for case, one in zip(cases, found, strict=True):
            assert 0 < one.passes <= len(case.output), name


def test_the_same_replay_takes_the_same(replayed: Replayed, embedded: LocalEngine) -> None:
    cases, took = replayed
    assert [replay.ours(embedded.loaded().vocabulary, case, {}) for case in cases] == took[OURS]
