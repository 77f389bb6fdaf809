"""The score: worked by hand, inside its interval, and never kinder for a judge that failed."""

from collections.abc import Callable, Generator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refiner.domain import (
    Aggregate,
    Answer,
    Basis,
    Check,
    Criterion,
    Polarity,
    Request,
    Reward,
    Source,
    Verdict,
)
from refiner.formats import answer
from refiner.judges.ask import ask
from refiner.scoring import rewards, rubrics

SOURCES = (Source("a", "Cats purr when they are content."), Source("b", "Dogs bark."))
ANSWER = answer.parse("<answer><snippet id=a>Cats purr.</snippet></answer>", ("a", "b"))


def request(*criteria: Criterion) -> Request:
    return Request("Why do cats purr?", "They purr.", SOURCES, criteria)


def judged(value: float | None) -> Verdict:
    return Verdict(value, "judged", "so", "tester")


def scored(
    one: Request, read: Answer, value_of: Callable[[Check], float | None]
) -> tuple[Reward, dict[Check, Verdict]]:
    verdicts = {check: judged(value_of(check)) for check in rewards.plan(one, read).checks}
    return rewards.plan(one, read).reward(verdicts), verdicts


def kind(criterion: float | None, support: float | None) -> Callable[[Check], float | None]:
    return lambda check: criterion if check.kind == "criterion" else support


def test_a_score_worked_by_hand() -> None:
    """Static rubric: 0.5, 1 − 0.5, 1 − 0.5 → 0.5; one claim, fully supported → F1 = 1; (0.5 + 0.2) / 1.2."""
    reward, _ = scored(request(), ANSWER, kind(0.5, 1.0))
    assert reward.rubric.total.value == pytest.approx(0.5)
    assert reward.citation.f1.value == 1.0
    assert reward.total.value == pytest.approx(0.7 / 1.2)
    assert rewards.training_scale(reward.total.value) == pytest.approx(10 * 0.7 / 1.2)
    assert reward.basis == "judged"


def test_weights_count_by_their_ratio() -> None:
    heavy = Criterion("x", "X", "It says X.", 3.0)
    reward, _ = scored(request(heavy), ANSWER, lambda check: float(check.criterion == heavy))
    assert reward.rubric.total.value == pytest.approx((0 + 1 + 1 + 3) / 6)


def test_without_anything_to_cite_the_score_is_the_rubric() -> None:
    reward, _ = scored(request(), answer.parse("<answer>So.</answer>"), kind(1.0, 0.0))
    assert reward.citation.not_applicable
    assert reward.total.value == reward.rubric.total.value


@pytest.mark.parametrize("text", ["", "<answer></answer>", "<answer> </answer>", "<think>No.</think>"])
def test_no_answer_scores_zero_and_says_so(text: str) -> None:
    reward, _ = scored(request(), answer.parse(text), kind(1.0, 1.0))
    assert reward.total.value == 0.0
    assert reward.reason == "There is no answer."


def test_a_part_scored_under_four_fifths_gives_no_total_but_an_interval() -> None:
    reward, _ = scored(request(), ANSWER, kind(None, 1.0))
    assert reward.total.value is None
    assert (reward.total.lo, reward.total.hi) == pytest.approx((0.2 / 1.2, 1.0))
    assert "0% of the rubric" in reward.reason


def test_a_total_failure_of_the_judge_gives_none_and_the_whole_interval() -> None:
    reward = rewards.plan(request(), ANSWER).reward({})
    assert reward.total.value is None
    assert (reward.total.lo, reward.total.hi) == (0.0, 1.0)


def test_upstream_a_failed_negative_criterion_is_flipped_to_the_best() -> None:
    reward = rewards.plan(request(), ANSWER).reward({})
    assert all(verdict.value is None for _, verdict in reward.rubric.verdicts)
    assert reward.rubric.total.lo == 0.0


def test_upstream_small_weights_lower_a_perfect_answer() -> None:
    light = Criterion("x", "X", "It says X.", 0.1)
    perfect = scored(
        request(light),
        ANSWER,
        lambda check: 1.0 if check.criterion is None or check.criterion.polarity == "positive" else 0.0,
    )[0]
    assert perfect.total.value == pytest.approx(1.0)


class Broken:
    """A judge that fails in the way it is told to."""

    name, version = "broken", "1"

    def __init__(self, answer_: Callable[[], tuple[()]]) -> None:
        self._answer = answer_

    def judge(self, checks: object, stop: object = None) -> Generator[Mapping[int, Verdict]]:
        del checks, stop
        yield from self._answer()


def boom() -> tuple[()]:
    raise TimeoutError("30 s")


@pytest.mark.parametrize(
    ("break_", "word"),
    [pytest.param(boom, "TimeoutError: 30 s", id="exception"), pytest.param(tuple, "0 verdicts", id="none")],
)
def test_a_judge_that_breaks_leaves_everything_unscored_with_the_reason(
    break_: Callable[[], tuple[()]], word: str
) -> None:
    *_, verdicts = ask(Broken(break_), rewards.plan(request(), ANSWER).checks)
    assert {verdict.value for verdict in verdicts.values()} == {None}
    assert all(word in verdict.reason for verdict in verdicts.values())
    assert rewards.plan(request(), ANSWER).reward(verdicts).total.value is None


VALUES = st.sampled_from([None, 0.0, 0.25, 0.5, 1.0])


@given(
    values=st.lists(VALUES, min_size=5, max_size=5), fill=st.lists(st.floats(0, 1), min_size=5, max_size=5)
)
def test_the_score_lies_in_its_interval_and_so_does_every_completion(
    values: list[float | None], fill: list[float]
) -> None:
    one = request(Criterion("x", "X", "It says X.", 2.5))
    asked = rewards.plan(one, ANSWER).checks
    verdicts = {check: judged(value) for check, value in zip(asked, values, strict=True)}
    reward = rewards.plan(one, ANSWER).reward(verdicts)
    assert 0 <= reward.total.lo <= reward.total.hi <= 1
    assert reward.total.value is None or reward.total.lo <= reward.total.value <= reward.total.hi
    full = {
        check: verdict if verdict.value is not None else judged(value)
        for (check, verdict), value in zip(verdicts.items(), fill, strict=True)
    }
    total = rewards.plan(one, ANSWER).reward(full).total.value
    assert total is not None
    assert reward.total.lo - 1e-9 <= total <= reward.total.hi + 1e-9


@given(
    values=st.lists(st.floats(0, 1), min_size=5, max_size=5), rise=st.floats(0, 1), which=st.integers(0, 3)
)
def test_the_score_is_monotone_in_each_criterion(values: list[float], rise: float, which: int) -> None:
    one = request(Criterion("x", "X", "It says X.", 2.5))
    asked = rewards.plan(one, ANSWER).checks
    raised = [min(1.0, value + rise) if n == which else value for n, value in enumerate(values)]
    totals = [
        rewards.plan(one, ANSWER).reward(dict(zip(asked, map(judged, given_), strict=True))).total.value
        or 0.0
        for given_ in (values, raised)
    ]
    criterion = asked[which].criterion
    assert criterion is not None
    sign = 1 if criterion.polarity == "positive" else -1
    assert sign * (totals[1] - totals[0]) >= -1e-9


@given(scale=st.floats(0.01, 100), values=st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_weights_scaled_together_change_nothing(scale: float, values: list[float]) -> None:
    one, two = (
        rewards._rubric_reward(
            [
                (Criterion(str(n), "T", "D", weight * factor), judged(value))
                for n, (weight, value) in enumerate(zip((1.0, 2.5), values, strict=True))
            ]
        )
        for factor in (1.0, scale)
    )
    assert one.total.value == pytest.approx(two.total.value)


WEIGHTS = st.floats(1e-300, 999.0) | st.sampled_from([0.1, 0.2, 0.3, 5e-324])


@given(
    rows=st.lists(
        st.tuples(WEIGHTS, st.none() | st.floats(0, 1), st.sampled_from(["positive", "negative"])),
        min_size=1,
        max_size=8,
    )
)
def test_the_rubric_lies_in_its_interval_to_the_last_digit_at_any_weights(
    rows: list[tuple[float, float | None, Polarity]],
) -> None:
    verdicts = [
        (Criterion(str(n), "T", "D", weight, polarity), judged(value))
        for n, (weight, value, polarity) in enumerate(rows)
    ]
    one = rewards._rubric_reward(verdicts).total
    assert 0 <= one.lo <= one.hi <= 1
    assert 0 <= one.coverage <= 1
    assert one.value is None or one.lo <= one.value <= one.hi
    assert rewards._rubric_reward(verdicts[::-1]).total == one


TEXTS = st.lists(
    st.sampled_from(
        [
            "<snippet id=a>Cats purr.</snippet>",
            "<snippet id=a,b>Dogs and cats.</snippet>",
            "<snippet id=zz>Fish fly.</snippet>",
            "A plain sentence says a lot here.",
            "Another one says as much again.",
        ]
    ),
    min_size=1,
    max_size=4,
    unique=True,
)


@given(texts=TEXTS, data=st.data())
def test_any_completion_of_missing_verdicts_stays_in_the_interval_of_the_score(
    texts: list[str], data: st.DataObject
) -> None:
    read = answer.parse(" ".join(texts), ("a", "b"), expect_block=False)
    asked = rewards.plan(request(), read).checks
    full = {check: judged(data.draw(VALUES.filter(lambda value: value is not None))) for check in asked}
    some = {check: verdict for check, verdict in full.items() if data.draw(st.booleans())}
    before = rewards.plan(request(), read).reward(some).total
    after = rewards.plan(request(), read).reward(full).total
    assert after.value is not None
    assert before.lo - 1e-9 <= after.value <= before.hi + 1e-9


def test_a_sentence_nobody_judged_leaves_open_that_nothing_needs_a_citation() -> None:
    """Perfect criteria and one unjudged plain sentence: 1.0 where it needs no citation, 1 / 1.2 where it does."""
    read = answer.parse("<answer>A plain sentence says a lot here.</answer>")
    perfect = {
        check: judged(float(check.criterion.polarity == "positive"))
        for check in rewards.plan(request(), read).checks
        if check.criterion
    }
    total = rewards.plan(request(), read).reward(perfect).total
    assert (total.value, total.lo, total.hi) == pytest.approx((None, 1 / 1.2, 1.0))


def test_that_nothing_needs_a_citation_is_no_better_known_than_who_said_so() -> None:
    read = answer.parse("<answer>So.</answer>")
    verdicts = {
        check: judged(1.0) if check.criterion else Verdict(0.0, "estimated", "short", "lexical")
        for check in rewards.plan(request(), read).checks
    }
    assert rewards.plan(request(), read).reward(verdicts).basis == "estimated"


def test_the_order_of_criteria_changes_nothing() -> None:
    x, y = Criterion("x", "X", "It says X.", 2.0), Criterion("y", "Y", "It says Y.")
    value = {"x": 1.0, "y": 0.0}

    def of(check: Check) -> float:
        return value.get(check.criterion.id, 0.5) if check.criterion else 1.0

    assert scored(request(x, y), ANSWER, of)[0].total == scored(request(y, x), ANSWER, of)[0].total


def test_criteria_see_the_answer_with_its_citations_and_the_sources() -> None:
    asked = [check for check in rewards.plan(request(), ANSWER).checks if check.kind == "criterion"]
    assert [check.criterion for check in asked] == list(rubrics.STATIC)
    assert {check.answer for check in asked} == {"<answer><snippet id=a>Cats purr.</snippet></answer>"}
    assert {check.evidence for check in asked} == {SOURCES}


def test_the_convex_mix_weighs_the_rubric_with_what_the_citations_leave() -> None:
    verdicts = scored(request(), ANSWER, kind(0.5, 1.0))[1]
    reward = rewards.plan(request(), ANSWER).reward(verdicts, "convex")
    assert reward.mix == "convex"
    assert reward.total.value == pytest.approx(0.8 * 0.5 + 0.2 * 1.0)


# --- which verdicts count, and for how much --------------------------------------------------------


def by_kind(criterion: Verdict, support: Verdict) -> Reward:
    """The reward where every criterion has the one verdict and every other check the other."""
    planned = rewards.plan(request(), ANSWER)
    return planned.reward(
        {check: criterion if check.kind == "criterion" else support for check in planned.checks}
    )


@pytest.mark.parametrize(
    ("criterion", "support", "basis"),
    [
        ("judged", "judged", "judged"),
        ("estimated", "judged", "estimated"),
        ("judged", "estimated", "estimated"),
        ("fact", "judged", "judged"),
        ("judged", "fact", "judged"),
        ("fact", "fact", "fact"),
    ],
)
def test_a_score_is_no_better_known_than_the_weaker_of_its_parts(
    criterion: Basis, support: Basis, basis: Basis
) -> None:
    reward = by_kind(Verdict(1.0, criterion, "so", "tester"), Verdict(1.0, support, "so", "tester"))
    assert reward.basis == basis


def test_a_criterion_without_a_value_has_no_say_in_the_basis() -> None:
    failed = Verdict(None, "estimated", "time-out", "tester")
    assert by_kind(failed, judged(1.0)).basis == "judged"
    assert by_kind(failed, Verdict(1.0, "fact", "so", "tester")).basis == "fact"


def test_an_empty_answer_has_a_known_score_of_zero_as_a_fact() -> None:
    reward, _ = scored(request(), answer.parse(""), kind(1.0, 1.0))
    assert (reward.total, reward.basis) == (Aggregate(0.0, 0.0, 0.0, 1.0, 0), "fact")


def test_four_fifths_of_a_part_are_enough_for_a_total() -> None:
    """Of five criteria of one weight, four are judged: between 4 / 5 and 5 / 5 of the rubric is earned."""
    one = request(Criterion("x", "X", "It says X."), Criterion("y", "Y", "It says Y."))
    good = kind(1.0, 1.0)

    def value_of(check: Check) -> float | None:
        if check.criterion is None or check.criterion.id == "y":
            return None if check.criterion else good(check)
        return float(check.criterion.polarity == "positive")

    reward, _ = scored(one, ANSWER, value_of)
    assert reward.rubric.total == Aggregate(1.0, 0.8, 1.0, 0.8, 5)
    assert reward.total == Aggregate(
        pytest.approx(1.0), pytest.approx(1.0 / 1.2), pytest.approx(1.0), pytest.approx(1.0 / 1.2), 6
    )
    assert reward.reason == ""


@pytest.mark.parametrize(
    ("criterion", "support", "rubric", "total"),
    [
        pytest.param(0.0, 1.0, 0.0, 0.2 / 1.2, id="the criteria earned nothing"),
        pytest.param(1.0, 0.0, 1.0, 1.0 / 1.2, id="the citations earned nothing"),
        pytest.param(0.5, 0.0, 0.5, 0.5 / 1.2, id="the criteria earned half"),
    ],
)
def test_a_score_is_of_what_was_judged_and_a_part_that_earned_nothing_adds_nothing(
    criterion: float, support: float, rubric: float, total: float
) -> None:
    """One of five criteria is unjudged, so the score lies inside its interval and not at an end of it."""
    one = request(Criterion("x", "X", "It says X."), Criterion("y", "Y", "It says Y."))

    def value_of(check: Check) -> float | None:
        if check.criterion is None:
            return support
        if check.criterion.id == "y":
            return None
        return criterion if check.criterion.polarity == "positive" else 1 - criterion

    reward, _ = scored(one, ANSWER, value_of)
    assert reward.rubric.total.value == pytest.approx(rubric)
    assert reward.total.value == pytest.approx(total)


def test_a_part_that_is_known_in_too_small_a_share_gives_no_total() -> None:
    """Three of four criteria are judged, so the rubric has a value, but not enough of one."""
    one = request(Criterion("y", "Y", "It says Y."))
    reward, _ = scored(
        one, ANSWER, lambda check: None if check.criterion and check.criterion.id == "y" else 1.0
    )
    assert (reward.rubric.total.value, reward.rubric.total.coverage) == (pytest.approx(1 / 3), 0.75)
    assert reward.total.value is None


def test_without_a_total_the_reason_names_both_parts_and_the_first_failed_criterion() -> None:
    reward = by_kind(Verdict(None, "judged", "time-out", "tester"), judged(1.0))
    assert reward.reason == (
        "0% of the rubric and 100% of the citations could be scored; a total takes 80% of each. Rubric: time-out."
    )
    assert reward.total == Aggregate(
        None, pytest.approx(0.2 / 1.2), pytest.approx(1.0), pytest.approx(0.2 / 1.2), 4
    )


def test_where_the_citations_are_short_of_verdicts_the_reason_names_no_criterion() -> None:
    reward = by_kind(judged(1.0), judged(None))
    assert reward.reason == (
        "100% of the rubric and 0% of the citations could be scored; a total takes 80% of each."
    )


def test_a_failed_criterion_is_not_the_reason_where_the_rubric_has_enough() -> None:
    one = request(Criterion("x", "X", "It says X."), Criterion("y", "Y", "It says Y."))
    reward, _ = scored(
        one, ANSWER, lambda check: 1.0 if check.criterion and check.criterion.id != "y" else None
    )
    assert reward.rubric.total.coverage == 0.8
    assert reward.reason.endswith("a total takes 80% of each.")


def test_where_a_claim_stands_an_unjudged_sentence_does_not_lift_the_best_score_to_the_rubric() -> None:
    """A claim without support: F1 is 0 whatever the sentence needs, so the best score is 1 / 1.2."""
    read = answer.parse("<answer><snippet id=a>Cats purr.</snippet> A plain sentence says a lot.</answer>")

    def value_of(check: Check) -> float | None:
        if check.criterion is not None:
            return float(check.criterion.polarity == "positive")
        return 0.0 if check.kind == "support" else None

    total = scored(request(), read, value_of)[0].total
    assert (total.lo, total.hi) == pytest.approx((1 / 1.2, 1 / 1.2))
