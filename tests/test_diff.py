"""The diff: no word lost, none invented; what is the same is the same; fast on long answers."""

import json
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from paths import SAMPLE_CASES
from timing import relative_cost

from refiner.diff import Counts, compare, count
from refiner.domain import Answer, Change, Token
from refiner.formats import answer

CASES = (SAMPLE_CASES).read_text(encoding="utf-8").splitlines()
DRAFTS = [json.loads(line)["draft"] for line in CASES]


def read(text: str) -> Answer:
    return answer.parse(text, ("1", "2"), expect_block=False)


def changed(draft: str, refined: str) -> tuple[Change, ...]:
    return compare(read(draft), read(refined))


def words(tokens: tuple[Token, ...]) -> str:
    return "".join(token.text or f"[{','.join(token.ids)}] " for token in tokens)


def shown(changes: tuple[Change, ...]) -> list[tuple[str, str, str]]:
    return [(change.kind, words(change.draft).strip(), words(change.refined).strip()) for change in changes]


def test_sentences_pair_up_and_only_their_changed_words_are_marked() -> None:
    (only,) = changed("The sky is blue today.", "The sky is mostly blue.")
    assert only.kind == "edited"
    assert [token.text for token in only.draft if token.changed] == ["blue ", "today."]
    assert [token.text for token in only.refined if token.changed] == ["mostly ", "blue."]


def test_what_went_stands_where_it_stood_and_before_what_came() -> None:
    draft = "One cat sat on the mat. Something about dogs in general. Three mice ran away fast."
    refined = "One cat sat on the mat. A word on fish instead. Three mice ran away fast."
    assert shown(changed(draft, refined)) == [
        ("same", "One cat sat on the mat.", "One cat sat on the mat."),
        ("removed", "Something about dogs in general.", ""),
        ("added", "", "A word on fish instead."),
        ("same", "Three mice ran away fast.", "Three mice ran away fast."),
    ]


def test_a_sentence_that_stands_elsewhere_has_moved_not_gone() -> None:
    draft = "Ships cross the wide sea. Birds fly in flocks. Cats sleep all day long."
    refined = "Birds fly in flocks. Cats sleep all day long. Ships cross the wide blue sea."
    last = changed(draft, refined)[-1]
    assert (last.kind, last.moved) == ("edited", True)
    assert count(changed(draft, refined)) == Counts(kept=2, edited=1, moved=1)


def test_a_citation_is_one_token_and_its_ids_have_no_order() -> None:
    same = compare(read("<snippet id=1,2>It rains.</snippet>"), read("<snippet id=2,1>It rains.</snippet>"))
    assert [change.kind for change in same] == ["same"]
    (more,) = compare(read("It rains [1]."), read("It rains [1, 2]."))
    assert [token.ids for token in more.refined if token.changed] == [("1", "2")]
    assert count((more,)) == Counts(edited=1, recited=1)


def test_a_new_citation_changes_no_word() -> None:
    (only,) = changed("It rains in May.", "<answer><snippet id=1>It rains in May.</snippet></answer>")
    assert [token for token in only.refined if token.changed] == [Token("", ("1",), changed=True, claim=0)]
    assert count((only,)) == Counts(edited=1, citations_added=1)


def test_a_full_stop_outside_the_claim_is_no_change() -> None:
    (only,) = changed("It rains in May [1].", "<answer><snippet id=1>It rains in May</snippet>.</answer>")
    assert only.kind == "same"


def test_new_lines_begin_paragraphs() -> None:
    changes = changed("One here.\nTwo there. Three.", "One here. Two there.\n\nThree.")
    assert [change.paragraph for change in changes] == [True, False, True]


def test_chinese_is_compared_by_character() -> None:
    (only,) = changed("天空是蓝色的。", "天空是红色的。")
    assert [token.text for token in only.refined if token.changed] == ["红"]


@pytest.mark.parametrize("draft", DRAFTS, ids=range(len(DRAFTS)))
def test_a_real_draft_against_itself_is_all_the_same(draft: str) -> None:
    changes = changed(draft, draft)
    assert {change.kind for change in changes} == {"same"}
    assert not any(change.moved for change in changes)


TEXT = st.text() | st.lists(
    st.sampled_from(
        ["The cat sat.", "A dog ran [1].", "\n", "It is so.", "<b>x</b>", "天空是蓝色的。", "e.g. one"]
    )
).map(" ".join)


@given(draft=TEXT, refined=TEXT)
@example(draft="a\x85b", refined="\u2028")
def test_no_word_is_lost_and_none_invented(draft: str, refined: str) -> None:
    before, after = read(draft), read(refined)
    changes = compare(before, after)
    assert "".join(token.text for change in changes for token in change.refined) == after.text
    kept = Counter(token.text for change in changes for token in change.draft if token.text)
    assert kept == Counter(
        token.text for change in compare(before, before) for token in change.draft if token.text
    )
    assert Counter(token.ids for change in changes for token in change.draft if token.ids) == Counter(
        claim.ids for claim in before.claims
    )
    assert [token.ids for change in changes for token in change.refined if token.ids] == [
        claim.ids for claim in after.claims
    ]


@given(text=TEXT)
def test_an_answer_against_itself_is_all_the_same(text: str) -> None:
    changes = compare(read(text), read(text))
    assert all(change.kind == "same" and not change.moved for change in changes)
    assert "".join(token.text for change in changes for token in change.draft) == read(text).text


@given(draft=TEXT, refined=TEXT)
def test_the_draft_keeps_its_order_but_for_what_moved(draft: str, refined: str) -> None:
    changes, whole = compare(read(draft), read(refined)), compare(read(draft), read(draft))
    sentences = iter([words(change.draft) for change in whole])
    stayed = [words(change.draft) for change in changes if change.draft and not change.moved]
    assert all(any(sentence == one for one in sentences) for sentence in stayed)


LONG = " ".join((" ".join(json.loads(line)["draft"] for line in CASES).split() * 20)[:3000])


@pytest.mark.parametrize(
    ("draft", "refined"),
    [
        pytest.param(LONG, LONG.replace(" the ", " a ").replace("which", "that"), id="3,000 words edited"),
        pytest.param("word " * 3000, "word other " * 1500, id="one sentence of 3,000 words"),
        pytest.param("Yes. " * 3000, "No. Yes. " * 1500, id="3,000 sentences of one word"),
        pytest.param(
            " ".join(f"A{n}x." for n in range(3000)),
            " ".join(f"B{n}x." for n in range(3000)),
            id="nothing shared",
        ),
        pytest.param(
            " ".join(f"A{n}x." for n in range(3000)),
            " ".join(f"A{n}x." for n in reversed(range(3000))),
            id="turned round",
        ),
    ],
)
def test_long_answers_take_no_time(draft: str, refined: str) -> None:
    before, after = read(draft), read(refined)
    assert relative_cost(lambda: compare(before, after), 8) < 8
