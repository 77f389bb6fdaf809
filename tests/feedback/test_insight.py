"""What the votes tell: counts by hand, a judge against its raters by hand, and that nothing is lost or doubled."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_votes import vote, votes

from refiner.feedback.insight.agreement import Agreement, FigureOrReason, JudgeVersion, agreements
from refiner.feedback.insight.biases import Proportion
from refiner.feedback.insight.win_rates import VoteGroup, VotesOfDay, VoteTally, by_day, by_model, insight
from refiner.feedback.storage.store import Vote
from refiner.judges.lexical.judge import NO_PROBLEM, PROBLEM, WEAK
from refiner.render import insight as shown
from refiner.render.insight_tables import MAX_TABLE_ROWS

CHOICES = ("refined", "draft", "tie", "both_bad")
HOSTED = JudgeVersion("judge-35b", "asking-1", estimated=False)


def verdict(value: float | None, **fields: Any) -> dict[str, Any]:
    return {
        "value": value,
        "basis": "judged",
        "label": "",
        "judge": HOSTED.name,
        "judge_version": HOSTED.version,
    } | fields


def on_criterion(number: int, value: float | None, *, agreed: bool, rater: str = "", **fields: Any) -> Vote:
    one = {"id": "c", "title": "Clarity", **verdict(value, **fields)}
    run = {"reward": {"rubric": {"criteria": [one]}}}
    return vote(number, run=run, criteria={"c": agreed}, rater=rater)


def on_claims(number: int, *judged: tuple[dict[str, Any], bool]) -> Vote:
    supports = [{"ids": ["1"], **one} for one, _ in judged]
    claims = {place: agreed for place, (_, agreed) in enumerate(judged)}
    return vote(number, run={"reward": {"citation": {"supports": supports}}}, claims=claims)


def table(both_yes: int, only_judge: int, only_rater: int, both_no: int) -> list[Vote]:
    """Votes on one criterion by what judge and rater say."""
    cells = ((1.0, True, both_yes), (1.0, False, only_judge), (0.0, False, only_rater), (0.0, True, both_no))
    rows = [(value, agreed) for value, agreed, times in cells for _ in range(times)]
    return [on_criterion(number, value, agreed=agreed) for number, (value, agreed) in enumerate(rows)]


def only(found: Sequence[Agreement]) -> Agreement:
    (one,) = found
    return one


def value(measured: FigureOrReason) -> float:
    assert measured.figure is not None, measured.reason
    return measured.figure.value


# --- votes -----------------------------------------------------------------------------------------


def test_the_win_rate_is_of_decided_votes_and_the_others_stand_beside_it() -> None:
    found = insight(votes(["refined"] * 7 + ["draft"] * 3 + ["tie", "tie", "both_bad"]))
    assert found.total == VoteTally(Proportion(7, 10), ties=2, both_bad=1)
    assert found.total.n == 13
    figure = found.total.refined.figure
    assert figure is not None
    # Wilson by hand, z = 1.96: (0.7 + 0.19207 ± 1.96 sqrt(0.021 + 0.0096036)) / 1.38415
    assert (figure.value, figure.lo, figure.hi) == pytest.approx((0.7, 0.3968, 0.8922), abs=1e-4)


def test_blind_votes_are_counted_apart() -> None:
    votes = [vote(0, blind=True, left="refined"), vote(1, "draft", blind=True, left="refined"), vote(2)]
    found = insight(votes)
    assert (found.blind, found.named) == (
        VoteTally(Proportion(1, 2), 0, 0),
        VoteTally(Proportion(1, 1), 0, 0),
    )
    assert (found.left_won_blind, found.left_won_named) == (Proportion(1, 2), Proportion(0, 1))


def test_models_and_prompts_are_told_apart_most_votes_first() -> None:
    runs = ({"model": "b"}, {"model": "a"}, {"model": "a"}, {"model": "a", "prompt_version": "other"})
    votes = [vote(number, run={"prompt_version": "one", **run}) for number, run in enumerate(runs)]
    votes.append(vote(9, "tie", run={"model": "a", "prompt_version": "one"}, blind=True))
    assert by_model(votes) == (
        VoteGroup("a", "one", blind=False, tally=VoteTally(Proportion(2, 2), 0, 0)),
        VoteGroup("a", "one", blind=True, tally=VoteTally(Proportion(0, 0), 1, 0)),
        VoteGroup("a", "other", blind=False, tally=VoteTally(Proportion(1, 1), 0, 0)),
        VoteGroup("b", "one", blind=False, tally=VoteTally(Proportion(1, 1), 0, 0)),
    )


def test_a_day_is_one_of_utc() -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-2)))
    early = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
    votes = [Vote("late", late, vote(0, "tie").feedback), Vote("early", early, vote(1).feedback)]
    assert by_day(votes) == (
        VotesOfDay(date(2026, 3, 1), {"refined": 1}),
        VotesOfDay(date(2026, 3, 2), {"tie": 1}),
    )


def test_raters_are_counted_once_and_the_unnamed_beside_them() -> None:
    found = insight([vote(0, rater="a"), vote(1, rater="a"), vote(2, rater="b"), vote(3)])
    assert (found.raters, found.unnamed) == (2, 1)


def test_no_votes_tell_nothing() -> None:
    found = insight([])
    assert (found.total.n, found.days, found.groups, found.agreements) == (0, (), (), ())
    assert found.longer_won.figure is None


# --- judge and people ------------------------------------------------------------------------------


def test_kappa_and_auroc_compare_the_judge_with_what_raters_would_have_said() -> None:
    found = only(agreements(table(20, 5, 10, 15)))
    assert (found.judge, found.kind, found.title, found.agreed) == (
        HOSTED,
        "criterion",
        "Clarity",
        Proportion(35, 50),
    )
    assert value(found.kappa) == pytest.approx(0.4)  # chance is 0.5: see test_evaluation
    # of 30 that people call so the judge calls 20 so, of 20 that they do not, 5: 2/3 × 3/4 + (2/3 × 1/4 + 1/3 × 3/4) / 2
    assert value(found.auroc) == pytest.approx(0.5 + (1 / 6 + 1 / 4) / 2)


def test_a_fault_has_the_same_kappa_and_auroc_read_either_way() -> None:
    there, turned = (only(agreements(votes)) for votes in (table(20, 5, 10, 15), table(15, 10, 5, 20)))
    assert value(there.kappa) == pytest.approx(value(turned.kappa))
    assert value(there.auroc) == pytest.approx(value(turned.auroc))


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        pytest.param(table(4, 1, 2, 2), "fewer than 10 answers", id="few"),
        pytest.param(table(8, 4, 0, 0), "the judge always said the same", id="only yes"),
        pytest.param(table(8, 0, 4, 0), "people always said the same", id="people only yes"),
        pytest.param(table(8, 0, 0, 4), "nobody disagreed", id="all agree"),
        pytest.param(
            [on_claims(0, *[(verdict(n % 2), n % 3 == 0) for n in range(12)])],
            "from fewer than 5 runs",
            id="one run",
        ),
    ],
)
def test_a_figure_that_cannot_be_had_says_why(votes: list[Vote], reason: str) -> None:
    found = only(agreements(votes))
    assert (found.kappa, found.auroc) == (FigureOrReason(None, reason), FigureOrReason(None, reason))
    assert found.agreed.n == sum(len(one.feedback.criteria) + len(one.feedback.claims) for one in votes)


def test_partly_counts_as_agreed_or_not_and_in_no_other_figure() -> None:
    middle = [on_criterion(100 + n, 0.5, agreed=n < 3) for n in range(4)]
    found, without = (
        only(agreements(votes)) for votes in (table(20, 5, 10, 15) + middle, table(20, 5, 10, 15))
    )
    assert (found.agreed, found.middle) == (Proportion(38, 54), 4)
    assert (found.kappa, found.auroc) == (without.kappa, without.auroc)


def test_an_estimate_is_read_by_its_label_and_stands_apart() -> None:
    estimates = ((0.9, PROBLEM), (0.9, NO_PROBLEM), (0.9, WEAK), (0.2, PROBLEM))
    votes = [
        on_claims(
            number,
            *(
                (verdict(one, label=label, basis="estimated"), (n + number) % 3 > 0)
                for n, (one, label) in enumerate(estimates)
            ),
            (verdict(1.0), True),
        )
        for number in range(10)
    ]
    judged, estimated = sorted(agreements(votes), key=lambda one: one.judge.estimated)
    assert (judged.agreed, judged.middle) == (Proportion(10, 10), 0)
    assert (estimated.agreed.n, estimated.middle) == (40, 10)
    answers = [
        (label, (n + number) % 3 > 0) for number in range(10) for n, (_, label) in enumerate(estimates)
    ]
    yes_and_wrong = [agreed for label, agreed in answers if label == NO_PROBLEM].count(False)
    assert yes_and_wrong == 3
    assert estimated.kappa.figure is not None


def test_judges_and_their_versions_stand_apart_the_one_most_heard_first() -> None:
    votes = [
        *(on_criterion(n, 1.0, agreed=True, judge="seldom") for n in range(2)),
        *(on_criterion(n + 10, 1.0, agreed=True) for n in range(3)),
        on_criterion(20, 1.0, agreed=True, judge_version="asking-0"),
    ]
    assert [(one.judge.name, one.judge.version) for one in agreements(votes)] == [
        ("judge-35b", "asking-1"),
        ("seldom", "asking-1"),
        ("judge-35b", "asking-0"),
    ]


def test_facts_what_was_not_scored_and_what_is_not_there_are_nobodys_verdicts() -> None:
    votes = [
        on_claims(0, (verdict(0.0, basis="fact", judge="", label="no such source"), True)),
        on_criterion(1, None, agreed=True),
        vote(2, criteria={"gone": True}, claims={99: True, -1: False}),
        vote(3, run={"reward": None}, criteria={"c": True}, claims={0: True}),
        vote(4, run={"reward": {"rubric": [], "citation": {"supports": ["?"]}}}, claims={0: True}),
    ]
    assert agreements(votes) == ()


def test_a_sentence_said_to_need_a_citation_is_a_matter_of_its_own() -> None:
    nothing = {**verdict(0.0, basis="fact"), "ids": []}
    found = only(agreements([on_claims(n, (nothing, n > 0)) for n in range(12)]))
    assert (found.kind, found.agreed) == ("uncited", Proportion(11, 12))
    assert found.kappa.reason == "the judge always said the same"


def test_answers_of_one_rater_hang_together() -> None:
    """Eight raters of six answers, two of whom never agree: as wide as eight answers make it, not 48."""
    free, tied = (
        only(agreements([on_criterion(n, n % 2, agreed=n // 6 > 1, rater=names(n)) for n in range(48)]))
        for names in (str, lambda n: f"{n // 6}")
    )
    assert free.kappa.figure is not None
    assert tied.kappa.figure is not None
    assert tied.kappa.figure.value == pytest.approx(0.5)
    assert free.kappa.figure.value == pytest.approx(0.5)
    width = free.kappa.figure.hi - free.kappa.figure.lo
    assert tied.kappa.figure.hi - tied.kappa.figure.lo > 2 * width


# --- as HTML ---------------------------------------------------------------------------------------


def test_a_table_that_strangers_make_long_is_cut_and_says_so() -> None:
    votes = [vote(n, run={"model": f"model {n:03}"}) for n in range(MAX_TABLE_ROWS + 5)]
    html = shown.groups(by_model(votes))
    assert html.count("<tr ") == MAX_TABLE_ROWS
    assert "5 further groups left out." in html


def test_a_figure_that_is_not_there_shows_its_reason_once() -> None:
    html = shown.agreement(agreements(table(4, 1, 2, 2)))
    assert html.count("fewer than 10 answers") == 1
    assert "67% <small>[35%" in html


def test_texts_of_strangers_are_escaped_wherever_they_stand() -> None:
    bad = "<img src=x onerror=alert(1)> {{1}}"
    votes = [
        replace(
            one,
            feedback=replace(
                one.feedback, comment=bad, run={**one.feedback.run, "model": bad, "question": bad}
            ),
        )
        for one in (
            on_criterion(n, 1.0, agreed=True, judge=bad, judge_version=bad, title=bad) for n in range(3)
        )
    ]
    found = insight(votes)
    for html in (shown.groups(found.groups), shown.agreement(found.agreements), shown.events(votes)):
        assert "&lt;img" in html
        assert "<img" not in html
        assert "{{" not in html


# --- properties ------------------------------------------------------------------------------------

ANY = st.lists(
    st.tuples(st.sampled_from(CHOICES), st.booleans(), st.sampled_from(["a", "b"]), st.integers(0, 5)),
    max_size=40,
)


@given(ANY)
def test_every_vote_is_counted_once_and_every_interval_holds_its_share(
    rows: list[tuple[str, bool, str, int]],
) -> None:
    cast = [
        Vote(
            str(n),
            datetime(2026, 3, 1 + day, tzinfo=UTC),
            vote(n, choice, blind=blind, run={"model": model}).feedback,
        )
        for n, (choice, blind, model, day) in enumerate(rows)
    ]
    found = insight(cast)
    assert found.total.n == found.blind.n + found.named.n == len(rows)
    assert sum(group.tally.n for group in found.groups) == len(rows)
    assert sum(sum(day.counts.values()) for day in found.days) == len(rows)
    shares = [found.total.refined, found.longer_won, *(group.tally.refined for group in found.groups)]
    for figure in (share.figure for share in shares):
        assert figure is None or 0 <= figure.lo <= figure.value <= figure.hi <= 1


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.sampled_from("abcdefgh")), max_size=40))
def test_every_figure_of_a_judge_is_in_range_or_says_why_not(rows: list[tuple[float, bool, str]]) -> None:
    votes = [on_criterion(n, one, agreed=agreed, rater=rater) for n, (one, agreed, rater) in enumerate(rows)]
    for found in agreements(votes):
        assert found.agreed.n == len(rows)
        for measured, least in ((found.kappa, -1), (found.auroc, 0)):
            assert (measured.figure is None) == bool(measured.reason)
            if measured.figure is not None:
                assert least <= measured.figure.lo <= measured.figure.hi <= 1
                assert least <= measured.figure.value <= 1
