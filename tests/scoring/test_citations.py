"""Citation figures: the definitions, worked by hand; the invariants; and upstream's defects, not inherited."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refiner.domain import Aggregate, Answer, Basis, Check, CitationReward, Source, Verdict
from refiner.formats import answer
from refiner.scoring import citations

SOURCES = tuple(Source(name, f"Text of {name}.") for name in "abcd")
IDS = tuple(source.id for source in SOURCES)
LEVELS = st.sampled_from([0.0, 0.5, 1.0])


def read(text: str) -> Answer:
    return answer.parse(text, IDS, expect_block=False)


def judged(value: float | None, reason: str = "so") -> Verdict:
    return Verdict(value, "judged", reason, "tester")


def by_table(
    asked: Sequence[Check], table: Mapping[tuple[str, str], float | None], needs: float | None = 0.0
) -> dict[Check, Verdict]:
    """Verdicts by (statement, cited ids joined); ``needs`` for every uncited sentence."""
    return {
        check: judged(
            needs
            if check.kind == "needs_citation"
            else table[check.statement, "".join(one.id for one in check.evidence)]
        )
        for check in asked
    }


def figures(
    text: str, table: Mapping[tuple[str, str], float | None], needs: float | None = 0.0
) -> CitationReward:
    read_ = read(text)
    asked = citations.plan("Q?", read_, SOURCES).checks
    return citations.plan("Q?", read_, SOURCES).reward(by_table(asked, table, needs))


def test_an_example_worked_by_hand() -> None:
    """Three things need a citation, four citations stand: R = (1 + 0.5 + 0) / 3, P = (1 + 0 + 0.5 + 0) / 4."""
    text = (
        "<snippet id=a,b>Cats purr.</snippet> <snippet id=c,zz>Dogs bark loudly.</snippet> "
        "Fish swim in every sea of the world."
    )
    table = {
        ("Cats purr.", "a"): 1.0,
        ("Cats purr.", "b"): 0.0,
        ("Cats purr.", "ab"): 1.0,
        ("Dogs bark loudly.", "c"): 0.5,
    }
    found = figures(text, table, needs=1.0)
    assert found.recall.value == pytest.approx(0.5)
    assert found.precision.value == pytest.approx(0.375)
    assert found.f1.value == pytest.approx(2 * 0.5 * 0.375 / 0.875)
    assert found.validity == 0.75
    assert [one.verdict.value for one in found.supports] == [1.0, 0.5, 0.0]


def test_support_is_the_highest_of_each_alone_and_all_together() -> None:
    table = {("Cats purr.", "a"): 0.0, ("Cats purr.", "b"): 0.5, ("Cats purr.", "ab"): 1.0}
    assert figures("<snippet id=a,b>Cats purr.</snippet>", table).recall.value == 1.0


def test_a_citation_counts_where_the_claim_loses_support_without_it() -> None:
    table = {("C.", "a"): 0.0, ("C.", "b"): 0.0, ("C.", "ab"): 1.0}
    assert figures("<snippet id=a,b>C.</snippet>", table).precision.value == 1.0
    three = {
        **{("C.", one): 0.0 for one in "abc"},
        ("C.", "abc"): 1.0,
        ("C.", "bc"): 0.0,
        ("C.", "ac"): 0.0,
        ("C.", "ab"): 1.0,
    }
    assert figures("<snippet id=a,b,c>C.</snippet>", three).precision.value == pytest.approx(2 / 3)


def test_nothing_to_cite_is_not_applicable_and_not_zero() -> None:
    found = figures("So it is.", {}, needs=0.0)
    assert found.not_applicable
    assert found.f1.value is None
    assert found.validity is None


def test_an_uncited_claim_earns_nothing() -> None:
    found = figures("Fish swim in every sea of the world.", {}, needs=1.0)
    assert (found.recall.value, found.precision.value, found.f1.value) == (0.0, 0.0, 0.0)
    assert found.supports[0].ids == ()


def test_a_sentence_that_holds_a_claim_is_not_uncited() -> None:
    assert citations.uncited_sentences(read("In short, <snippet id=a>cats purr</snippet>. Dogs do not.")) == (
        "Dogs do not.",
    )


# --- upstream's defects ----------------------------------------------------------------------------


def test_upstream_judge_api_down_cited_zero_uncited_one() -> None:
    read_ = read("<snippet id=a>Cats purr.</snippet> Fish swim in every sea of the world.")
    found = citations.plan("Q?", read_, SOURCES).reward({})
    assert found.recall.value is None
    assert found.f1.value is None
    assert (found.recall.lo, found.recall.hi) == (0.0, 1.0)
    assert found.supports[0].verdict.reason == "not judged"


@pytest.mark.parametrize("ids", ['"a,b,c"', '"a, b, c"', "a,b,c", "'a b c'", '"a; b; c"'])
@pytest.mark.parametrize("name", ["id", "ids"])
def test_upstream_id_lists_lose_ids_or_the_claim(ids: str, name: str) -> None:
    asked = citations.plan("Q?", read(f"<cite {name}={ids}>Cats purr.</cite>"), SOURCES).checks
    assert {one.id for check in asked for one in check.evidence} == {"a", "b", "c"}


def test_upstream_a_claim_with_a_less_sign_is_not_parsed() -> None:
    asked = citations.plan("Q?", read("<snippet id=a>p < 0.05 and <b>so</b>.</snippet>"), SOURCES).checks
    assert [check.statement for check in asked] == ["p < 0.05 and <b>so</b>."]


def test_upstream_one_good_and_nine_junk_citations_have_precision_one() -> None:
    junk = ",".join(f"junk{n}" for n in range(9))
    found = figures(f"<snippet id=a,{junk}>Cats purr.</snippet>", {("Cats purr.", "a"): 1.0})
    assert found.precision.value == pytest.approx(0.1)
    assert found.recall.value == 1.0


def test_upstream_uncited_recall_is_always_zero() -> None:
    text = "<snippet id=a>Cats purr.</snippet> Hello there, my friends, on this fine day."
    assert figures(text, {("Cats purr.", "a"): 1.0}, needs=0.0).recall.value == 1.0


def test_upstream_a_perfect_one_claim_answer_gets_less_than_one() -> None:
    found = figures("<answer><snippet id=a>Cats purr.</snippet></answer>", {("Cats purr.", "a"): 1.0})
    assert (found.recall.value, found.precision.value, found.f1.value) == (1.0, 1.0, 1.0)


# --- invariants ------------------------------------------------------------------------------------

CLAIMS = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "d", "zz"]), min_size=1, max_size=4, unique=True), max_size=4
)


@st.composite
def cases(draw: st.DrawFn, *, missing: bool = True) -> tuple[list[list[str]], dict[Check, Verdict], int]:
    """Claims by their ids, verdicts on all their checks (some missing), and a number of plain sentences."""
    claims = draw(CLAIMS)
    plain = draw(st.integers(0, 2))
    asked = citations.plan("Q?", written(claims, plain), SOURCES).checks
    values = LEVELS | st.none() if missing else LEVELS
    verdicts = {check: judged(draw(values), "asked") for check in asked}
    return claims, verdicts, plain


def written(claims: Sequence[Sequence[str]], plain: int = 0) -> Answer:
    cited = [f"<snippet id={','.join(ids)}>Claim {n} holds.</snippet>" for n, ids in enumerate(claims)]
    return read(" ".join([*cited, *(f"Plain sentence number {n} says a lot." for n in range(plain))]))


@given(case=cases())
def test_every_value_lies_in_its_interval(case: tuple[list[list[str]], dict[Check, Verdict], int]) -> None:
    claims, verdicts, plain = case
    found = citations.plan("Q?", written(claims, plain), SOURCES).reward(verdicts)
    for one in (found.recall, found.precision, found.f1):
        assert 0.0 <= one.lo <= one.hi <= 1.0
        assert one.value is None or one.lo <= one.value <= one.hi
        assert 0.0 <= one.coverage <= 1.0


@given(case=cases(), data=st.data())
def test_any_completion_of_missing_verdicts_stays_in_the_interval(
    case: tuple[list[list[str]], dict[Check, Verdict], int], data: st.DataObject
) -> None:
    claims, verdicts, plain = case
    read_ = written(claims, plain)
    open_ = citations.plan("Q?", read_, SOURCES).reward(verdicts)
    filled = {c: v if v.value is not None else judged(data.draw(LEVELS)) for c, v in verdicts.items()}
    full = citations.plan("Q?", read_, SOURCES).reward(filled)
    for before, after in (
        (open_.recall, full.recall),
        (open_.precision, full.precision),
        (open_.f1, full.f1),
    ):
        assert after.value is None or before.lo - 1e-9 <= after.value <= before.hi + 1e-9


@given(case=cases(), data=st.data())
def test_how_ids_are_spelled_changes_nothing(
    case: tuple[list[list[str]], dict[Check, Verdict], int], data: st.DataObject
) -> None:
    claims, verdicts, _ = case

    def spelled(ids: Sequence[str]) -> str:
        name, quote = (
            data.draw(st.sampled_from(["id", "ids", "ID"])),
            data.draw(st.sampled_from(["", '"', "'", "“"])),
        )
        return (
            f"{name}={quote}{data.draw(st.sampled_from([',', ', ', '; ', ' ']), 'between').join(ids)}{quote}"
        )

    text = " ".join(f"<snippet {spelled(ids)}>Claim {n} holds.</snippet>" for n, ids in enumerate(claims))
    found = citations.plan("Q?", read(text), SOURCES).reward(verdicts)
    assert found == citations.plan("Q?", written(claims), SOURCES).reward(verdicts)


@given(case=cases(), data=st.data())
def test_the_order_of_claims_ids_and_sources_changes_nothing(
    case: tuple[list[list[str]], dict[Check, Verdict], int], data: st.DataObject
) -> None:
    claims, verdicts, plain = case
    shuffled = [
        f"<snippet id={','.join(data.draw(st.permutations(ids)))}>Claim {n} holds.</snippet>"
        for n, ids in enumerate(claims)
    ]
    parts = [*shuffled, *(f"Plain sentence number {n} says a lot." for n in range(plain))]
    other = read(" ".join(data.draw(st.permutations(parts))))
    before = citations.plan("Q?", written(claims, plain), SOURCES).reward(verdicts)
    after = citations.plan("Q?", other, data.draw(st.permutations(SOURCES))).reward(verdicts)
    for one, two in (
        (before.recall, after.recall),
        (before.precision, after.precision),
        (before.f1, after.f1),
    ):
        assert (one.lo, one.hi, one.value) == pytest.approx((two.lo, two.hi, two.value))


@given(case=cases())
def test_an_invented_id_changes_no_support_and_never_raises_precision(
    case: tuple[list[list[str]], dict[Check, Verdict], int],
) -> None:
    claims, verdicts, plain = case
    before = citations.plan("Q?", written(claims, plain), SOURCES).reward(verdicts)
    more = [[*ids, "invented"] for ids in claims]
    after = citations.plan("Q?", written(more, plain), SOURCES).reward(verdicts)
    assert [one.verdict.value for one in before.supports] == [one.verdict.value for one in after.supports]
    if before.precision.value is not None and claims:
        assert (after.precision.value or 0.0) <= before.precision.value


@given(case=cases(missing=False))
def test_adding_a_supported_claim_never_lowers_recall(
    case: tuple[list[list[str]], dict[Check, Verdict], int],
) -> None:
    claims, verdicts, plain = case
    more = [*claims, ["a"]]
    (new,) = (
        check
        for check in citations.plan("Q?", written(more), SOURCES).checks
        if check.statement == f"Claim {len(claims)} holds."
    )
    before = citations.plan("Q?", written(claims, plain), SOURCES).reward(verdicts)
    after = citations.plan("Q?", written(more, plain), SOURCES).reward({**verdicts, new: judged(1.0)})
    assert (after.recall.value or 0.0) >= (before.recall.value or 0.0)


@given(case=cases(missing=False), data=st.data())
def test_adding_a_supported_citation_never_lowers_recall(
    case: tuple[list[list[str]], dict[Check, Verdict], int], data: st.DataObject
) -> None:
    claims, verdicts, plain = case
    which = data.draw(st.integers(0, len(claims) - 1)) if claims else 0
    if not claims or len(set(claims[which]) & set(IDS)) == len(IDS):
        return
    new = next(one for one in IDS if one not in claims[which])
    more = [[*ids, new] if n == which else ids for n, ids in enumerate(claims)]
    asked = citations.plan("Q?", written(more, plain), SOURCES).checks
    known = {check: verdicts.get(check) or judged(data.draw(LEVELS)) for check in asked}
    for check in asked:
        if check.statement == f"Claim {which} holds." and [one.id for one in check.evidence] == [new]:
            known[check] = judged(1.0)
    before = citations.plan("Q?", written(claims, plain), SOURCES).reward(verdicts).recall.value
    after = citations.plan("Q?", written(more, plain), SOURCES).reward(known).recall.value
    assert before is not None
    assert after is not None
    assert after >= before


@given(case=cases(missing=False), data=st.data())
def test_one_failed_check_changes_no_other_verdict(
    case: tuple[list[list[str]], dict[Check, Verdict], int], data: st.DataObject
) -> None:
    claims, verdicts, plain = case
    supports = [check for check in verdicts if check.kind == "support"]
    if not supports:
        return
    failed = data.draw(st.sampled_from(supports))
    read_ = written(claims, plain)
    before = citations.plan("Q?", read_, SOURCES).reward(verdicts)
    after = citations.plan("Q?", read_, SOURCES).reward({**verdicts, failed: judged(None, "time-out")})
    for one, two in zip(before.supports, after.supports, strict=True):
        assert one.text == failed.statement or one == two


def test_mixed_bases_are_called_estimated() -> None:
    read_ = read("<snippet id=a>Cats purr.</snippet> <snippet id=b>Dogs bark.</snippet>")
    one, two = citations.plan("Q?", read_, SOURCES).checks
    verdicts = {one: judged(1.0), two: Verdict(0.9, "estimated", "overlap", "lexical")}
    assert citations.plan("Q?", read_, SOURCES).reward(verdicts).basis == "estimated"
    assert citations.plan("Q?", read_, SOURCES).reward({one: judged(1.0), two: judged(0.0)}).basis == "judged"


def test_a_claim_that_cites_very_many_sources_asks_a_bounded_number_of_checks() -> None:
    many = tuple(Source(f"s{n}", "T.") for n in range(30))
    text = f"<snippet id={','.join(one.id for one in many)}>Cats purr.</snippet>"
    assert len(citations.plan("Q?", answer.parse(text), many).checks) == 31


def test_lengths_of_the_checks_of_one_to_four_citations() -> None:
    counts = [len(citations.plan("Q?", written([list("abcd"[:k])]), SOURCES).checks) for k in range(1, 5)]
    assert counts == [1, 3, 7, 9]
    assert all(a < b for a, b in pairwise(counts))


# --- which verdicts count, and for how much --------------------------------------------------------

NOTHING = Aggregate(None, 0.0, 1.0, 0.0, 0)
"""A figure of nothing: unknown, so it could be anything."""


def test_a_sentence_nobody_judged_counts_as_one_item_that_may_need_a_citation() -> None:
    """One of two items is known: recall is 1 / 2 if the sentence needs a citation, 1 / 1 if it does not."""
    text = "<snippet id=a>Cats purr.</snippet> Fish swim in every sea of the world."
    found = figures(text, {("Cats purr.", "a"): 1.0}, needs=None)
    assert found.recall == Aggregate(1.0, 0.5, 1.0, 0.5, 2)


def test_where_only_unjudged_sentences_stand_recall_could_be_anything() -> None:
    found = figures("Fish swim in every sea of the world.", {}, needs=None)
    assert found.recall == Aggregate(None, 0.0, 1.0, 0.0, 1)
    assert not found.not_applicable


@pytest.mark.parametrize(("needs", "recall"), [(0.5, 0.5), (0.49, 1.0)])
def test_a_sentence_needs_a_citation_from_one_half_on(needs: float, recall: float) -> None:
    text = "<snippet id=a>Cats purr.</snippet> Fish swim in every sea of the world."
    assert figures(text, {("Cats purr.", "a"): 1.0}, needs=needs).recall.value == recall


def test_precision_is_a_known_zero_where_something_needs_a_citation_and_none_stands() -> None:
    found = figures("Fish swim in every sea of the world.", {}, needs=1.0)
    assert found.precision == Aggregate(0.0, 0.0, 0.0, 1.0, 0)


def test_where_nothing_needs_a_citation_no_figure_is_known() -> None:
    found = figures("So it is.", {}, needs=0.0)
    assert (found.recall, found.precision) == (NOTHING, NOTHING)


def test_the_mean_is_over_the_known_items_alone() -> None:
    text = " ".join(f"<snippet id={one}>Claim {one} holds.</snippet>" for one in "abc")
    table = {("Claim a holds.", "a"): 1.0, ("Claim b holds.", "b"): 0.0, ("Claim c holds.", "c"): None}
    assert figures(text, table).recall == Aggregate(
        0.5, pytest.approx(1 / 3), pytest.approx(2 / 3), pytest.approx(2 / 3), 3
    )


@pytest.mark.parametrize(("cited", "checks"), [(7, 15), (8, 17), (9, 10)])
def test_leaving_one_out_is_asked_of_claims_that_cite_up_to_eight_sources(cited: int, checks: int) -> None:
    many = tuple(Source(f"s{n}", "T.") for n in range(cited))
    text = f"<snippet id={','.join(one.id for one in many)}>Cats purr.</snippet>"
    assert len(citations.plan("Q?", answer.parse(text), many).checks) == checks


def test_where_leaving_one_out_is_not_asked_each_citation_counts_for_its_own_support() -> None:
    """Nine sources of which none supports the claim alone and all do together."""
    many = tuple(Source(f"s{n}", "T.") for n in range(9))
    read_ = answer.parse(f"<snippet id={','.join(one.id for one in many)}>Cats purr.</snippet>")
    planned = citations.plan("Q?", read_, many)
    verdicts = {check: judged(float(len(check.evidence) == 9)) for check in planned.checks}
    found = planned.reward(verdicts)
    assert (found.recall.value, found.precision.value) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("together", "precision"),
    [
        pytest.param(0.75, (0.75 + 0.75) / 2, id="both lose a quarter or more"),
        pytest.param(0.625, (0.25 + 0.625) / 2, id="without the first an eighth is lost"),
    ],
)
def test_a_citation_is_needed_where_a_quarter_of_the_support_goes_with_it(
    together: float, precision: float
) -> None:
    """The sources alone give 0.25 and 0.5."""
    table = {("C.", "a"): 0.25, ("C.", "b"): 0.5, ("C.", "ab"): together}
    assert figures("<snippet id=a,b>C.</snippet>", table).precision.value == pytest.approx(precision)


def test_whether_a_citation_is_needed_stays_open_until_leaving_it_out_is_judged() -> None:
    table: dict[tuple[str, str], float | None] = {
        **{("C.", one): 0.0 for one in "abc"},
        ("C.", "abc"): 1.0,
        **dict.fromkeys([("C.", "bc"), ("C.", "ac"), ("C.", "ab")]),
    }
    found = figures("<snippet id=a,b,c>C.</snippet>", table)
    assert found.recall.value == 1.0
    assert found.precision == Aggregate(None, 0.0, 1.0, 0.0, 3)


def test_a_claim_shows_the_verdict_with_the_highest_support() -> None:
    table = {("C.", "a"): 0.0, ("C.", "b"): 0.5, ("C.", "ab"): 0.0}
    (support,) = figures("<snippet id=a,b>C.</snippet>", table).supports
    assert support.verdict.value == 0.5
    assert [one.value for one in support.by_source] == [0.0, 0.5]


def test_a_claim_shows_no_support_while_an_unjudged_source_could_raise_it() -> None:
    table = {("C.", "a"): 0.5, ("C.", "b"): None, ("C.", "ab"): 0.5}
    (support,) = figures("<snippet id=a,b>C.</snippet>", table).supports
    assert support.verdict.value is None


def test_that_an_id_has_no_source_is_a_fact_with_no_support() -> None:
    first, second = figures(
        "<snippet id=a,zz>Cats purr.</snippet> <snippet id=zz>Dogs bark.</snippet>",
        {("Cats purr.", "a"): 1.0},
    ).supports
    missing = Verdict(0.0, "fact", "No source has the id zz.", "", label="no such source")
    assert [one.value for one in first.by_source] == [1.0, 0.0]
    assert (first.by_source[1], second.verdict) == (missing, missing)


@pytest.mark.parametrize(
    ("said", "basis"), [("judged", "fact"), ("fact", "fact"), ("estimated", "estimated")]
)
def test_that_a_sentence_lacks_a_citation_is_a_fact_unless_its_need_is_an_estimate(
    said: Basis, basis: Basis
) -> None:
    planned = citations.plan("Q?", read("Fish swim in every sea of the world."), SOURCES)
    (check,) = planned.checks
    (support,) = planned.reward({check: Verdict(1.0, said, "so", "tester", "v2")}).supports
    assert support.verdict == Verdict(0.0, basis, "It cites nothing.", "tester", "v2")


def test_an_estimate_anywhere_makes_the_figures_estimated() -> None:
    """Each check in turn is the only estimate: alone, together, left out, and whether a citation is needed."""
    text = "<snippet id=a,b,c>Cats purr.</snippet> Fish swim in every sea of the world."
    planned = citations.plan("Q?", read(text), SOURCES)
    assert len(planned.checks) == 8
    for estimated in planned.checks:
        verdicts = {
            check: Verdict(0.0, "estimated" if check == estimated else "judged", "so", "tester")
            for check in planned.checks
        }
        assert planned.reward(verdicts).basis == "estimated"


def test_a_verdict_without_a_value_has_no_say_in_the_basis() -> None:
    text = "<snippet id=a,b,c>Cats purr.</snippet> Fish swim in every sea of the world."
    planned = citations.plan("Q?", read(text), SOURCES)
    failed = dict.fromkeys(planned.checks, Verdict(None, "estimated", "time-out", "tester"))
    assert planned.reward(failed).basis == "fact"
    assert planned.reward({**failed, planned.checks[0]: judged(1.0)}).basis == "judged"


def test_a_sentence_that_touches_a_claim_is_uncited_all_the_same() -> None:
    """Chinese has no blank between sentences, so one begins where the other ends."""
    before = read("天空是蓝色的。<snippet id=a>大海是红色的。</snippet>")
    after = read("<snippet id=a>天空是蓝色的。</snippet>大海是红色的。")
    assert citations.uncited_sentences(before) == ("天空是蓝色的。",)
    assert citations.uncited_sentences(after) == ("大海是红色的。",)


def test_an_invented_id_is_a_citation_known_to_be_worth_nothing() -> None:
    assert figures("<snippet id=zz>Cats purr.</snippet>", {}).precision == Aggregate(0.0, 0.0, 0.0, 1.0, 1)


def test_an_unjudged_sentence_does_not_hide_the_ones_after_it() -> None:
    planned = citations.plan("Q?", read("Fish swim in every sea. Cats sleep all day long."), SOURCES)
    second = planned.checks[1]
    assert planned.reward({second: judged(1.0)}).recall == Aggregate(0.0, 0.0, 0.0, 0.5, 2)


def test_each_sentence_is_held_against_the_claims_at_its_own_place() -> None:
    text = "<snippet id=a>Cats purr.</snippet> Fish swim. <snippet id=b>Dogs bark.</snippet> Birds sing."
    assert citations.uncited_sentences(read(text)) == ("Fish swim.", "Birds sing.")
