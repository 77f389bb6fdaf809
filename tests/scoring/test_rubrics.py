"""Rubrics as people have them, read into criteria."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refiner import pipeline
from refiner.domain import Criterion, Request, Source
from refiner.errors import InputError
from refiner.scoring import rubrics


def request(*criteria: Criterion) -> Request:
    return Request("Q?", "D.", (Source("1", "T."),), criteria)


POSITIVE = Criterion("c1", "Names SORT", "It names selective organ targeting.", 2.0)
NEGATIVE = Criterion("c2", "Hedges", "It hedges.", 1.0, "negative")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            {
                "positive_rubrics": [
                    {"title": POSITIVE.title, "description": POSITIVE.description, "weight": 2}
                ],
                "negative_rubrics": [{"title": NEGATIVE.title, "description": NEGATIVE.description}],
            },
            id="positive and negative",
        ),
        pytest.param(
            {
                "rubrics": [
                    {"title": POSITIVE.title, "description": POSITIVE.description, "weight": 2},
                    {"title": NEGATIVE.title, "description": NEGATIVE.description, "weight": -1},
                ]
            },
            id="signed weights",
        ),
        pytest.param(
            [
                {"title": POSITIVE.title, "description": POSITIVE.description, "weight": "2.0"},
                {"title": NEGATIVE.title, "description": NEGATIVE.description, "polarity": "negative"},
            ],
            id="a list with polarity",
        ),
    ],
)
def test_every_form_reads_to_the_same_criteria(data: object) -> None:
    assert rubrics.parse(json.dumps(data)) == ((POSITIVE, NEGATIVE), ())


def test_what_is_written_reads_back() -> None:
    assert rubrics.parse(rubrics.to_json((POSITIVE, NEGATIVE))) == ((POSITIVE, NEGATIVE), ())


@pytest.mark.parametrize(
    ("item", "code"),
    [
        pytest.param({"title": " "}, "empty_criterion", id="no words"),
        pytest.param(7, "no_criterion", id="a number"),
        pytest.param({"title": "A", "weight": "heavy"}, "odd_weight", id="a weight in words"),
        pytest.param({"title": "A", "weight": 0}, "odd_weight", id="no weight"),
        pytest.param({"title": "A", "weight": "NaN"}, "odd_weight", id="NaN"),
        pytest.param({"title": "A", "weight": True}, "odd_weight", id="true"),
        pytest.param({"title": "A", "weight": 1000}, "odd_weight", id="more than the table takes"),
        pytest.param({"title": "A", "polarity": "bad"}, "odd_polarity", id="no such polarity"),
        pytest.param({"title": "A", "weight": "x" * 5000}, "odd_weight", id="a very long weight"),
    ],
)
def test_an_odd_item_is_a_finding_that_names_it(item: object, code: str) -> None:
    criteria, findings = rubrics.parse(json.dumps([{"title": "Good"}, item]))
    assert criteria[0].title == "Good"
    assert [(finding.code, finding.line) for finding in findings] == [(code, 2)]
    assert len(findings[0].message) < 200


@pytest.mark.parametrize(
    ("weight", "read_as", "polarity", "codes"),
    [
        pytest.param(999.5, 999.5, "positive", [], id="just below the highest"),
        pytest.param(1000, 1.0, "positive", ["odd_weight"], id="the highest is excluded"),
        pytest.param(0.5, 0.5, "positive", [], id="a small one"),
        pytest.param(0, 1.0, "positive", ["odd_weight"], id="zero is excluded and no fault"),
        pytest.param(-0.5, 0.5, "negative", [], id="a small fault"),
        pytest.param(-1000, 1.0, "negative", ["odd_weight"], id="a fault of too much weight is still one"),
        pytest.param("heavy", 1.0, "positive", ["odd_weight"], id="words"),
        pytest.param(True, 1.0, "positive", ["odd_weight"], id="true is no number"),
    ],
)
def test_a_weight_lies_between_its_bounds_or_counts_as_one(
    weight: object, read_as: float, polarity: str, codes: list[str]
) -> None:
    (criterion,), findings = rubrics.parse(json.dumps([{"title": "A", "weight": weight}]))
    assert (criterion.weight, criterion.polarity) == (read_as, polarity)
    assert [finding.code for finding in findings] == codes


@pytest.mark.parametrize("field", ["weight", "polarity"])
def test_a_finding_repeats_an_odd_value_up_to_forty_characters(field: str) -> None:
    for length, repeated in ((39, 39), (40, 40), (41, 40)):
        _, (finding,) = rubrics.parse(json.dumps([{"title": "A", field: "x" * length}]))
        assert finding.message.count("x") == repeated


@pytest.mark.parametrize(
    ("count", "read", "codes"),
    [
        pytest.param(100, 100, [], id="as many as are read"),
        pytest.param(101, 100, ["more"], id="one more"),
    ],
)
def test_a_rubric_is_read_up_to_its_hundredth_criterion(count: int, read: int, codes: list[str]) -> None:
    criteria, findings = rubrics.parse(json.dumps([f"It names lipid {n}." for n in range(1, count + 1)]))
    assert [one.id for one in criteria] == [f"c{n}" for n in range(1, read + 1)]
    assert criteria[-1].description == "It names lipid 100."
    assert [finding.code for finding in findings] == codes


def test_a_criterion_without_a_title_is_called_by_the_first_sixty_characters_of_its_description() -> None:
    for length, kept in ((59, 59), (60, 60), (61, 60)):
        (criterion,), _ = rubrics.parse(json.dumps([{"description": "x" * length}]))
        assert (criterion.title, criterion.description) == ("x" * kept, "x" * length)


def test_a_title_alone_is_its_own_description() -> None:
    (criterion,), _ = rubrics.parse(json.dumps([{"title": "Names SORT"}]))
    assert (criterion.title, criterion.description) == ("Names SORT", "Names SORT")


@pytest.mark.parametrize("polarity", ["negative", "Negative", " NEGATIVE "])
def test_a_fault_stays_a_fault_however_it_is_spelt(polarity: str) -> None:
    criteria, findings = rubrics.parse(json.dumps([{"title": "A", "polarity": polarity}]))
    assert (criteria[0].polarity, findings) == ("negative", ())


def test_a_byte_order_mark_is_read_over() -> None:
    assert rubrics.parse('\ufeff[{"title": "A"}]')[0][0].title == "A"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "7", '{"rubrics": 3}', "[[]]", "[" * 100_000])
def test_what_is_no_rubric_is_refused_with_the_form_to_give(text: str) -> None:
    with pytest.raises(InputError, match="positive_rubrics"):
        rubrics.parse(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda s: (
            st.lists(s)
            | st.dictionaries(
                st.sampled_from(
                    ["rubrics", "positive_rubrics", "title", "description", "weight", "polarity"]
                ),
                s,
            )
        ),
    )
)
def test_any_json_gives_criteria_with_words_and_a_weight_or_a_refusal(data: object) -> None:
    try:
        criteria, _ = rubrics.parse(json.dumps(data))
    except InputError:
        return
    assert all(one.title and one.description and 0 < one.weight <= 1000 for one in criteria)
    assert len({one.id for one in criteria}) == len(criteria)


def test_the_static_rubric_is_always_there_and_can_be_reworded() -> None:
    assert rubrics.for_request(request()) == rubrics.STATIC
    assert rubrics.for_request(request(POSITIVE)) == (*rubrics.STATIC, POSITIVE)
    mine = Criterion("c9", "off-query padding", "Mine.", 1.0, "negative")
    assert [one.id for one in rubrics.for_request(request(mine))] == [
        "citation-discipline",
        "wrong-entity-confabulation",
        "c9",
    ]


def test_an_id_that_came_before_gets_the_next_free_number_behind_it() -> None:
    own = [Criterion(name, f"T{n}", "D.") for n, name in enumerate(["c1", "c1", "c1", "c1-2", "c1"])]
    own_ids = [one.id for one in rubrics.for_request(request(*own))[len(rubrics.STATIC) :]]
    assert own_ids == ["c1", "c1-2", "c1-3", "c1-2-2", "c1-4"]


def test_ids_are_unique_whatever_the_request_brings() -> None:
    own = [
        Criterion(name, f"T{n}", "D.") for n, name in enumerate(["c1", "c1", "c1-2", "citation-discipline"])
    ]
    ids = [one.id for one in rubrics.for_request(request(*own))]
    assert len(set(ids)) == len(ids) == 7


def test_a_written_rubric_is_indented_and_keeps_its_letters_so_that_a_person_can_edit_it() -> None:
    lines = rubrics.to_json((Criterion("c1", "Größe", "It says „groß“."),)).splitlines()
    assert lines[1:4] == ['  "positive_rubrics": [', "    {", '      "title": "Größe",']


@given(criteria=st.lists(st.sampled_from([POSITIVE, NEGATIVE]), min_size=1, max_size=8))
def test_what_is_written_reads_back_positive_ones_first(criteria: list[Criterion]) -> None:
    back, findings = rubrics.parse(rubrics.to_json(criteria))
    assert [one.title for one in back] == sorted((one.title for one in criteria), reverse=True)
    assert findings == ()


def test_the_static_rubric_asks_for_one_thing_and_names_two_faults() -> None:
    assert [one.polarity for one in rubrics.STATIC] == ["positive", "negative", "negative"]


def test_scholarqabench_ingredients_weigh_as_there() -> None:
    data = {"ingredients": {"most_important": ["It defines SORT."], "nice_to_have": ["It names a lipid."]}}
    criteria, findings = rubrics.parse(json.dumps(data))
    assert findings == ()
    assert [(one.description, one.weight) for one in criteria] == [
        ("It defines SORT.", 2),
        ("It names a lipid.", 1),
    ]


@pytest.mark.parametrize(
    ("question", "titles"),
    [
        pytest.param("Why is the sky blue?", ["Direct Answer", "Open Points"], id="a plain question"),
        pytest.param(
            "What is SORT and how does it work?",
            [
                "Direct Answer",
                "Answers a Part of the Question",
                "Answers a Part of the Question",
                "Open Points",
            ],
            id="two parts",
        ),
        pytest.param(
            "How many mice were treated since 2019, why were they treated, and what was found?",
            [
                "Direct Answer",
                "Answers a Part of the Question",
                "Answers a Part of the Question",
                "Key Numbers",
                "Open Points",
            ],
            id="more than five would be too many, and the open points stay",
        ),
        pytest.param("What did Dr. Smith find?", ["Direct Answer", "Open Points"], id="an abbreviation"),
        pytest.param(
            "I am 30 years old. I take ibuprofen daily. Is that safe?",
            ["Direct Answer", "Open Points"],
            id="statements before the question",
        ),
        pytest.param(
            "What of people who smoke and who drink?",
            ["Direct Answer", "Open Points"],
            id="and who is no question",
        ),
        pytest.param(
            "What is the difference between TCP and UDP?",
            ["Direct Answer", "Open Points"],
            id="between is no limit",
        ),
        pytest.param(
            "How many mice were treated since 2019?",
            ["Direct Answer", "Key Numbers", "Named Limits", "Open Points"],
            id="a number within limits",
        ),
    ],
)
def test_without_a_rubric_the_question_suggests_one(question: str, titles: list[str]) -> None:
    found = rubrics.suggested(question)
    assert [one.title for one in found] == titles
    assert {one.origin for one in found} == {"generated"}
    assert [one.id for one in found] == [f"suggested-{number}" for number in range(1, len(titles) + 1)]
    assert pipeline.request(question, "D.", (Source("1", "T."),)).criteria == found
    assert pipeline.request(question, "D.", (Source("1", "T."),), [POSITIVE]).criteria == (POSITIVE,)


@given(st.text())
def test_any_question_suggests_a_few_criteria_with_words(question: str) -> None:
    found = rubrics.suggested(question)
    assert 2 <= len(found) <= rubrics.MAX_SUGGESTED
    assert all(one.title and one.description for one in found)
    assert len({one.id for one in found}) == len(found)
