"""A judge's figures against labels: ranking, thresholds and calibration, with intervals over groups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timing import relative_cost

from refiner.scoring.metrics import Bin, Evaluation, Figure, agreement, evaluate


def of(*pairs: tuple[float | None, bool], **settings: float) -> Evaluation:
    values, labels = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return evaluate(values, labels, [str(n) for n in range(len(pairs))], **settings)  # type: ignore[arg-type]  # threshold is the only one used


def value(figure: Figure | None) -> float:
    assert figure is not None
    return figure.value


@pytest.mark.parametrize(
    ("pairs", "auroc"),
    [
        pytest.param([(0.9, True), (0.1, False)], 1.0, id="right order"),
        pytest.param([(0.1, True), (0.9, False)], 0.0, id="wrong order"),
        pytest.param([(0.5, True), (0.5, False)], 0.5, id="a tie counts half"),
        pytest.param([(0.8, True), (0.4, True), (0.6, False), (0.2, False)], 0.75, id="three of four pairs"),
        pytest.param([(0.5, True), (0.5, False), (0.4, False)], 0.75, id="a tie and a right pair"),
    ],
)
def test_auroc_is_the_share_of_pairs_in_the_right_order(
    pairs: list[tuple[float, bool]], auroc: float
) -> None:
    assert value(of(*pairs).auroc) == pytest.approx(auroc)


def test_balanced_accuracy_is_the_mean_of_both_classes_shares_and_the_threshold_accepts() -> None:
    pairs = ((0.6, True), (0.6, True), (0.5, True), (0.4, True), (0.6, False), (0.4, False))
    assert value(of(*pairs).balanced_accuracy) == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert value(of(*pairs, threshold=0.55).balanced_accuracy) == pytest.approx((2 / 4 + 1 / 2) / 2)


def test_calibration_error_weighs_each_bins_gap_by_its_share() -> None:
    found = of((0.95, True), (0.95, True), (1.0, False), (0.05, False))
    assert found.bins == (Bin(1, 0.05, 0.0), Bin(3, pytest.approx(2.9 / 3), pytest.approx(2 / 3)))
    assert value(found.ece) == pytest.approx(0.75 * (2.9 / 3 - 2 / 3) + 0.25 * 0.05)


YES, NO = True, False


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        # of 50: 20 both yes, 15 both no; chance (25 × 30 + 25 × 20) / 50² = 0.5; (0.7 - 0.5) / (1 - 0.5)
        pytest.param({(YES, YES): 20, (YES, NO): 5, (NO, YES): 10, (NO, NO): 15}, 0.4, id="more than chance"),
        pytest.param({(YES, YES): 4, (NO, NO): 3}, 1.0, id="always"),
        pytest.param({(YES, NO): 5, (NO, YES): 5}, -1.0, id="never"),
        pytest.param({(YES, YES): 6, (YES, NO): 3, (NO, YES): 2, (NO, NO): 1}, 0.0, id="as by chance"),
        pytest.param({(YES, YES): 3, (YES, NO): 1}, 0.0, id="one of them knows only yes"),
    ],
)
def test_kappa_is_agreement_beyond_chance(table: dict[tuple[bool, bool], int], kappa: float) -> None:
    pairs = [pair for pair, times in table.items() for _ in range(times)]
    one, other = ([pair[place] for pair in pairs] for place in (0, 1))
    found = agreement(one, other, [str(n) for n in range(len(pairs))])
    assert value(found) == pytest.approx(kappa)
    assert found is not None
    assert -1 <= found.lo <= found.hi <= 1


@pytest.mark.parametrize("said", [[], [True], [False] * 4], ids=["nothing", "yes", "no"])
def test_two_who_always_say_the_same_have_no_kappa(said: list[bool]) -> None:
    assert agreement(said, said, [str(n) for n in range(len(said))]) is None


def test_kappas_interval_has_the_width_that_theory_gives() -> None:
    one = [n % 2 == 0 for n in range(400)]
    other = [said != (n % 5 == 0) for n, said in enumerate(one)]  # they agree in 4 of 5, both say yes in half
    found = agreement(one, other, [str(n) for n in range(400)])
    assert found is not None
    # Fleiss, Cohen and Everitt 1969 with equal margins: sqrt(agreed (1 - agreed) / n) / (1 - chance)
    assert found.hi - found.lo == pytest.approx(2 * 1.96 * (0.8 * 0.2 / 400) ** 0.5 / 0.5, rel=0.15)


def test_what_was_not_scored_is_left_out_and_counted() -> None:
    found = of((0.9, True), (None, True), (0.1, False), (None, False))
    assert (found.n, found.scored, value(found.auroc)) == (4, 2, 1.0)


@pytest.mark.parametrize(
    "pairs", [[], [(None, True), (0.3, False)], [(0.3, True)]], ids=["nothing", "one scored", "one class"]
)
def test_without_both_classes_there_are_no_figures(pairs: list[tuple[float | None, bool]]) -> None:
    found = of(*pairs)
    assert (found.auroc, found.balanced_accuracy, found.ece) == (None, None, None)
    assert sum(one.count for one in found.bins) == found.scored


def test_copies_inside_a_group_do_not_narrow_the_interval() -> None:
    values = [0.9, 0.6, 0.5, 0.7, 0.3, 0.4, 0.2, 0.8]
    labels = [True, True, True, False, False, True, False, False]
    names = [str(n) for n in range(8)]
    once, copied = evaluate(values, labels, names), evaluate(values * 9, labels * 9, names * 9)
    assert copied.auroc == once.auroc
    free = evaluate(values * 9, labels * 9, [str(n) for n in range(72)]).auroc
    assert free is not None
    assert once.auroc is not None
    assert free.hi - free.lo < (once.auroc.hi - once.auroc.lo) / 2


def test_the_interval_has_the_width_that_theory_gives() -> None:
    labels = [n % 2 == 0 for n in range(400)]
    values = [0.6 if (n // 2) % 5 else 0.4 for n in range(400)]  # right in 4 of 5, wrong in 1 of 5
    figure = evaluate(values, labels, [str(n) for n in range(400)], threshold=0.5).balanced_accuracy
    assert figure is not None
    deviation = (2 * 0.8 * 0.2 / 200) ** 0.5 / 2  # of the mean of two shares of 200
    assert figure.hi - figure.lo == pytest.approx(2 * 1.96 * deviation, rel=0.15)


def test_a_seed_gives_the_same_interval_again() -> None:
    pairs = ([0.2, 0.7, 0.4, 0.6], [False, True, True, False], ["a", "b", "c", "d"])
    assert evaluate(*pairs, seed=3) == evaluate(*pairs, seed=3)


@given(
    st.lists(
        st.tuples(st.none() | st.floats(0, 1), st.booleans(), st.sampled_from("abcdef")), min_size=1
    ).map(lambda rows: tuple(map(list, zip(*rows, strict=True))))
)
def test_every_figure_is_in_range_and_the_order_of_rows_changes_none(
    rows: tuple[list[float | None], list[bool], list[str]],
) -> None:
    found = evaluate(*rows, resamples=20)
    turned = evaluate(*(row[::-1] for row in rows), resamples=20)  # type: ignore[arg-type]  # three lists as before
    for name in ("auroc", "balanced_accuracy", "ece"):
        figure, other = getattr(found, name), getattr(turned, name)
        assert (figure is None) == (other is None)
        if figure is not None:
            assert 0 <= figure.lo <= figure.hi <= 1
            assert figure.value == pytest.approx(other.value)


def test_a_thousand_resamples_of_a_thousand_rows_take_seconds() -> None:
    values = [(n * 37 % 1000) / 1000 for n in range(1000)]
    labels, groups = [one > 0.4 for one in values], [str(n % 300) for n in range(1000)]
    assert relative_cost(lambda: evaluate(values, labels, groups), 50) < 50
