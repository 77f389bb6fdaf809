"""What comes of a judge's verdicts on the way: how many there are so far, and what is left of them when it fails."""

from collections.abc import Callable, Generator, Mapping, Sequence

import pytest

from refiner.domain import Check, Source, Verdict
from refiner.judges.ask import STOPPED, ask
from refiner.judges.lexical.judge import LexicalJudge
from refiner.judges.protocol import Stop, never_stop
from refiner.judges.quality import Quality

CHECKS = tuple(Check("support", "Q?", "", f"Claim {n}.", (Source("0", "A text."),)) for n in range(4))
Steps = Generator[Mapping[int, Verdict]]


class Giving:
    """A judge that gives what it is told to."""

    name, version, threshold = "giving", "1", 0.5
    quality: Quality | None = None

    def __init__(self, steps: Callable[[], Steps]) -> None:
        self._steps = steps

    def judge(self, checks: Sequence[Check], stop: Stop = never_stop) -> Steps:
        del checks, stop
        return self._steps()


def gives(*places: int) -> Mapping[int, Verdict]:
    return {place: Verdict(place / 10, "judged", "so", "giving") for place in places}


def last(judge: Giving, stop: Stop = never_stop) -> list[tuple[float | None, str]]:
    *_, verdicts = ask(judge, CHECKS, stop)
    return [(verdicts[check].value, verdicts[check].reason) for check in CHECKS]


def test_the_lexical_judge_tells_of_each_check() -> None:
    assert [len(so_far) for so_far in ask(LexicalJudge(), (*CHECKS, CHECKS[0]))] == [0, 1, 2, 3, 4]


def test_without_checks_there_are_no_verdicts_from_the_start() -> None:
    assert list(ask(LexicalJudge(), ())) == [{}]


def test_verdicts_go_to_their_checks_in_whatever_order_they_come() -> None:
    def steps() -> Steps:
        yield gives(3, 0)
        yield gives()
        yield gives(1)
        yield gives(2)

    assert last(Giving(steps)) == [(0.0, "so"), (0.1, "so"), (0.2, "so"), (0.3, "so")]
    assert [len(so_far) for so_far in ask(Giving(steps), CHECKS)] == [0, 2, 2, 3, 4]


def test_a_judge_that_breaks_half_way_leaves_what_it_gave() -> None:
    def steps() -> Steps:
        yield gives(2, 0)
        raise TimeoutError("30 s")

    broke = (None, "the judge failed: TimeoutError: 30 s")
    assert last(Giving(steps)) == [(0.0, "so"), broke, (0.2, "so"), broke]
    assert [len(so_far) for so_far in ask(Giving(steps), CHECKS)] == [0, 2, 4]


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        pytest.param([gives(1, 2), gives(3, 4)], "check 4 of 4", id="counted from one"),
        pytest.param([gives(0, 1, 2), gives(-1)], "check -1 of 4", id="counted from the end"),
        pytest.param([gives(0, 1), gives(1, 2, 3)], "check 1 of 4", id="one twice"),
        pytest.param([gives(0, 1, 2, 3), gives(4)], "check 4 of 4", id="one too many"),
        pytest.param([gives(0), gives(1, 2)], "3 verdicts on 4 checks", id="one too few"),
    ],
)
def test_a_judge_that_does_not_give_one_verdict_a_check_is_believed_in_none(
    steps: list[Mapping[int, Verdict]], words: str
) -> None:
    verdicts = last(Giving(lambda: (step for step in steps)))
    assert {value for value, _ in verdicts} == {None}
    assert all("the judge failed" in reason and words in reason for _, reason in verdicts)


def test_what_a_stopped_judge_did_not_give_is_unscored_for_the_stop() -> None:
    verdicts = last(Giving(lambda: (step for step in [gives(1)])), lambda: True)
    assert verdicts == [(None, STOPPED), (0.1, "so"), (None, STOPPED), (None, STOPPED)]


@pytest.mark.parametrize("place", [0, 9], ids=["left by who asked", "for a wrong place"])
def test_a_judge_that_is_left_early_is_closed(place: int) -> None:
    ended = []

    def steps() -> Steps:
        try:
            yield gives(place)
        finally:
            ended.append(True)

    asked = ask(Giving(steps), CHECKS)
    assert not next(asked)
    next(asked)
    asked.close()
    assert ended == [True]
