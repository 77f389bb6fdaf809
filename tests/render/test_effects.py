"""What a change did: told only where citations, verdicts or a judge's reason tell it."""

from dataclasses import replace

import pytest
import runs

from refiner.diff import compare
from refiner.domain import Aggregate, CitationReward, ClaimSupport, Criterion, Reward, RubricReward, Verdict
from refiner.formats.answer import parse
from refiner.render.changes import effects

SOME = Aggregate(0.5, 0.5, 0.5, 1.0, 1)
COPPER = "The sky is green because of copper."
LIGHT = "Blue light is scattered more than red light by air."


def judged(value: float | None, reason: str = "") -> Verdict:
    return Verdict(value, "judged", reason, "j")


def reward(*supports: ClaimSupport, rubric: tuple[tuple[Criterion, Verdict], ...] = ()) -> Reward:
    citation = CitationReward(SOME, SOME, SOME, 1.0, supports, "judged")
    return Reward(RubricReward(rubric, SOME), citation, SOME, "judged")


def claim(text: str, value: float | None, *ids: str) -> ClaimSupport:
    return ClaimSupport(text, ids, judged(value))


def found(draft: str, refined: str, before: Reward, after: Reward) -> list[list[tuple[str, str]]]:
    changes = compare(parse(draft, ["1", "2"]), parse(refined, ["1", "2"]))
    return [
        [(one.tone, one.short) for one in each] for each in effects.change_effects(changes, before, after)
    ]


CHANGES = [
    pytest.param(
        f"{COPPER} [1]",
        "",
        reward(claim(COPPER, 0.0, "1")),
        reward(),
        [[("open", "−1 citation"), ("good", "−1 unsupported")]],
        id="an-unsupported-claim-dropped",
    ),
    pytest.param(
        f"{COPPER} [1]",
        "",
        reward(claim(COPPER, 1.0, "1")),
        reward(),
        [[("open", "−1 citation"), ("bad", "−1 supported")]],
        id="a-supported-claim-lost",
    ),
    pytest.param(
        "",
        f"{LIGHT} [1]",
        reward(),
        reward(claim(LIGHT, 1.0, "1")),
        [[("open", "+1 citation"), ("good", "+1 supported")]],
        id="a-supported-claim-added",
    ),
    pytest.param(
        LIGHT,
        f"{LIGHT} [1]",
        reward(claim(LIGHT, 0.0)),
        reward(claim(LIGHT, 1.0, "1")),
        [[("open", "+1 citation"), ("good", "now cited")]],
        id="now-cited",
    ),
    pytest.param(
        f"{LIGHT} [1]",
        f"{LIGHT} [2]",
        reward(claim(LIGHT, 0.0, "1")),
        reward(claim(LIGHT, 1.0, "2")),
        [[("open", "recited"), ("good", "support raised")]],
        id="cited-better",
    ),
    pytest.param(
        f"{LIGHT} [1]",
        f"{LIGHT} [2]",
        reward(claim(LIGHT, 0.0, "1")),
        reward(claim(LIGHT, None, "2")),
        [[("open", "recited")]],
        id="unscored-tells-nothing",
    ),
    pytest.param(f"{LIGHT} [1]", f"{LIGHT} [1]", reward(), reward(), [[]], id="kept"),
    pytest.param("", f"{LIGHT} Ever.", reward(claim(COPPER, 0.0)), reward(), [[], []], id="nothing-known"),
]


@pytest.mark.parametrize(("draft", "refined", "before", "after", "wanted"), CHANGES)
def test_a_change_tells_what_the_verdicts_tell(
    draft: str, refined: str, before: Reward, after: Reward, wanted: list[list[tuple[str, str]]]
) -> None:
    assert found(draft, refined, before, after) == wanted


def rubric(value: float | None, reason: str = "", *, fault: bool = False) -> Reward:
    criterion = Criterion(
        "c", "Names the cause", "It says why.", polarity="negative" if fault else "positive"
    )
    return reward(rubric=((criterion, judged(value, reason)),))


def test_a_criterion_is_put_down_to_the_only_change() -> None:
    [[effect]] = effects.change_effects(
        compare(parse(COPPER), parse("The sky is blue because of air.")), rubric(0.0), rubric(1.0)
    )
    assert (effect.tone, effect.short) == ("good", "criterion ↑")
    assert effect.words == "“Names the cause” rose from 0.00 to 1.00: nothing else changed."


QUOTES = [
    pytest.param("It says “scattered more than red”.", [[], ["criterion ↑"]], id="in-quotation-marks"),
    pytest.param(
        "It says that blue light is scattered more than red light.", [[], ["criterion ↑"]], id="eight-words"
    ),
    pytest.param("Blue light is scattered more: good.", [[], []], id="some-words"),
    pytest.param("It is better on “light”.", [[], []], id="one-word-in-marks"),
]


@pytest.mark.parametrize(("reason", "wanted"), QUOTES)
def test_among_several_changes_a_criterion_belongs_to_the_one_that_its_reason_quotes(
    reason: str, wanted: list[list[str]]
) -> None:
    changes = compare(parse(""), parse(f"Whoever looks up sees it. {LIGHT}"))
    effects_of_changes = effects.change_effects(changes, rubric(0.5), rubric(1.0, reason))
    assert [[one.short for one in each] for each in effects_of_changes] == wanted


def test_a_reason_in_chinese_quotes_as_well() -> None:
    changes = compare(parse(""), parse("天空是蓝色的。水是湿的。"))
    effects_of_changes = effects.change_effects(changes, rubric(0.5), rubric(1.0, "它说“天空是蓝色的”。"))
    assert [[one.short for one in each] for each in effects_of_changes] == [["criterion ↑"], []]


def test_a_sentence_that_moved_is_a_change_too() -> None:
    draft, refined = (
        f"Water is wet. {LIGHT} {COPPER}",
        f"{LIGHT} Water is wet. The sky is blue because of air.",
    )
    effects_of_changes = effects.change_effects(
        compare(parse(draft), parse(refined)), rubric(0.0), rubric(1.0)
    )
    assert not [one for each in effects_of_changes for one in each if "nothing else changed" in one.words]


def test_two_claims_of_one_source_in_one_sentence_keep_their_own_verdicts() -> None:
    draft = f"<snippet id=1>{LIGHT[:-1]}</snippet>, and <snippet id=1>cows can fly</snippet>."
    before = reward(claim(LIGHT[:-1], 1.0, "1"), claim("cows can fly", 0.0, "1"))
    assert found(draft, "", before, reward()) == [
        [("open", "−2 citations"), ("bad", "−1 supported"), ("good", "−1 unsupported")]
    ]


SHIFTS = [
    pytest.param(rubric(0.0), rubric(1.0), [(0.0, 1.0)], id="rose"),
    pytest.param(rubric(0.0, fault=True), rubric(1.0, fault=True), [(1.0, 0.0)], id="a-fault-came-in"),
    pytest.param(rubric(1.0), rubric(1.0), [], id="stayed"),
    pytest.param(rubric(None), rubric(1.0), [], id="unscored-before"),
    pytest.param(rubric(1.0), rubric(None), [], id="unscored-after"),
]


@pytest.mark.parametrize(("before", "after", "wanted"), SHIFTS)
def test_criteria_shift_only_where_both_were_scored(
    before: Reward, after: Reward, wanted: list[tuple[float, float]]
) -> None:
    assert [(one.before, one.after) for one in effects.criterion_shifts(before, after)] == wanted


def test_an_estimate_is_called_one() -> None:
    guess = replace(
        claim(COPPER, 0.0, "1"), verdict=Verdict(0.1, "estimated", "", "l", label="problem found")
    )
    [[_, effect]] = effects.change_effects(
        compare(parse(f"{COPPER} [1]", ["1"]), parse("")), reward(guess), reward()
    )
    assert effect.words == "A claim that is marked “problem found” (an estimate) is gone."


def test_on_real_runs_only_what_changed_has_effects() -> None:
    for run in runs.samples():
        effects_of_changes = effects.change_effects(run.changes, run.draft_reward, run.reward)
        assert len(effects_of_changes) == len(run.changes)
        assert not [
            one
            for one, change in zip(effects_of_changes, run.changes, strict=True)
            if change.kind == "same" and one
        ]
