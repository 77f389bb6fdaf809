"""The diff: no word lost, none invented; what is the same is the same; fast on long answers."""

import json
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from paths import SAMPLE_CASES
from rapidfuzz import fuzz
from timing import relative_cost

from refiner.diff import Counts, compare, count
from refiner.diff import words as bare_words
from refiner.domain import Answer, Change, Plain, Token
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


def test_an_added_sentence_comes_before_what_went_further_down() -> None:
    draft = "Rain fell on the hills. Nobody knew why at all. Cats sleep all day long. The end came late."
    refined = "Here is a summary first. Rain fell on the hills. Cats sleep all day long."
    assert [
        (change.kind, words(change.draft or change.refined).split()[0]) for change in changed(draft, refined)
    ] == [
        ("added", "Here"),
        ("same", "Rain"),
        ("removed", "Nobody"),
        ("same", "Cats"),
        ("removed", "The"),
    ]


def test_edited_sentences_between_kept_ones_find_their_partners_wherever_each_side_stands() -> None:
    draft = (
        "A preface says nothing new. Ships cross the wide sea. Rain fell on the northern hills. "
        "Birds fly in flocks. Cats sleep all day long. Trains run late in winter."
    )
    refined = (
        "Ships cross the wide sea. Rain fell on the southern hills. Birds fly in flocks. "
        "One more word about money. Cats sleep all night long. Trains run late in autumn."
    )
    partners = [
        ("A pr", ""),
        ("Ship", "Ship"),
        ("Rain", "Rain"),
        ("Bird", "Bird"),
        ("", "One "),
        ("Cats", "Cats"),
        ("Trai", "Trai"),
    ]
    there, back = changed(draft, refined), changed(refined, draft)
    assert [(words(change.draft)[:4], words(change.refined)[:4]) for change in there] == partners
    assert [(words(change.refined)[:4], words(change.draft)[:4]) for change in back] == partners
    assert not any(change.moved for change in (*there, *back))


def numbered(first: int, last: int) -> list[str]:
    return [f"w{number}" for number in range(first, last + 1)]


def sentence(numbers: list[str]) -> str:
    return " ".join(numbers).capitalize() + "."


@pytest.mark.parametrize(
    ("refined", "kinds"),
    [
        pytest.param(numbered(1, 8) + numbered(31, 42), ["edited"], id="16 of 40 words: 40 per cent"),
        pytest.param(numbered(1, 8) + numbered(31, 43), ["removed", "added"], id="16 of 41 words"),
    ],
)
def test_two_sentences_are_versions_of_one_from_forty_per_cent_of_shared_words(
    refined: list[str], kinds: list[str]
) -> None:
    changes = changed(sentence(numbered(1, 20)), sentence(refined))
    assert [change.kind for change in changes] == kinds


@pytest.mark.parametrize(
    ("length", "shared", "moved"),
    [
        pytest.param(8, 6, 1, id="12 of 16 words: 75 per cent"),
        pytest.param(27, 20, 0, id="40 of 54 words: 74 per cent"),
    ],
)
def test_a_sentence_has_moved_from_seventy_five_per_cent_of_shared_words(
    length: int, shared: int, moved: int
) -> None:
    stays = "Birds fly in flocks. Cats sleep all day long."
    before = sentence(numbered(1, length))
    after = sentence(numbered(1, shared) + numbered(51, 50 + length - shared))
    assert count(changed(f"{before} {stays}", f"{stays} {after}")).moved == moved


def test_of_two_sentences_that_may_have_moved_the_more_similar_one_did() -> None:
    stays = "Birds fly in flocks. Cats sleep all day long."
    near, nearer = "Ships slowly cross the wide old sea.", "Ships slowly cross the wide blue sea."
    after = "Ships slowly cross the wide blue sea today."
    for draft in (f"{near} {nearer} {stays}", f"{nearer} {near} {stays}"):
        changes = changed(draft, f"{stays} {after}")
        assert [words(change.draft).strip() for change in changes if change.moved] == [nearer]
        assert [words(change.draft).strip() for change in changes if change.kind == "removed"] == [near]


TOPICS = ["blue", "cold", "deep", "fast", "high"]
SENTENCES = st.lists(st.lists(st.sampled_from(TOPICS), min_size=1, max_size=5), max_size=4)


def most_shared(draft: list[list[str]], refined: list[list[str]]) -> float:
    """The highest sum of similarities of pairs in the order of both sides, found by trying every choice."""
    if not draft or not refined:
        return 0.0
    alike = fuzz.ratio(draft[0], refined[0], score_cutoff=40)
    return max(
        alike + most_shared(draft[1:], refined[1:]),
        most_shared(draft[1:], refined),
        most_shared(draft, refined[1:]),
    )


@given(draft=SENTENCES, refined=SENTENCES)
@example(draft=[["blue", "cold"], ["blue"]], refined=[["blue"], ["blue", "cold"]])
@example(draft=[["blue", "cold", "high"], ["blue"]], refined=[["blue", "cold"]])
@example(draft=[["blue", "cold"]], refined=[["blue", "cold", "high"], ["blue"]])
@example(draft=[["deep"], ["blue", "cold"], ["fast"]], refined=[["blue", "cold", "high"]])
@example(draft=[["blue", "cold", "high"]], refined=[["deep"], ["blue", "cold"], ["fast"]])
def test_no_other_pairs_in_the_same_order_share_more_words(
    draft: list[list[str]], refined: list[list[str]]
) -> None:
    before = [["it", "was", *topics] for topics in draft]
    after = [["it", "is", *topics] for topics in refined]
    changes = changed(" ".join(map(sentence, before)), " ".join(map(sentence, after)))
    total = sum(
        fuzz.ratio(bare_words(words(change.draft)), bare_words(words(change.refined)))
        for change in changes
        if change.draft and change.refined and not change.moved
    )
    assert total == pytest.approx(most_shared(before, after), abs=0.01)


def test_up_to_a_quarter_of_a_million_pairs_of_sentences_are_compared() -> None:
    draft = " ".join(f"Aa{number} bb." for number in range(500))
    refined = " ".join(f"Aa{number} cc." for number in range(500))
    assert count(changed(draft, refined)) == Counts(edited=500)
    assert count(changed(draft, f"{refined} Dd ee.")) == Counts(removed=500, added=501)


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


def test_white_space_before_the_first_sentence_belongs_to_it() -> None:
    indented = Answer("", (Plain("\n  It rains. It pours.", 0, 22),))
    changes = compare(indented, indented)
    assert [words(change.refined) for change in changes] == ["\n  It rains. ", "It pours."]
    assert [change.paragraph for change in changes] == [True, False]


def test_a_citation_follows_the_very_character_in_which_its_claim_ends() -> None:
    draft = "<snippet id=1>天空</snippet>是<snippet id=2>蓝色</snippet>的。"
    (only,) = compare(read(draft), read(draft))
    assert words(only.draft) == "天空[1] 是蓝色[2] 的。"
    assert [token.claim for token in only.draft if token.ids] == [0, 1]


def test_nothing_against_nothing_is_no_change() -> None:
    assert changed("", "") == ()
    assert count(()) == Counts()


def test_an_answer_against_nothing_is_all_removed_or_all_added() -> None:
    assert [change.kind for change in changed("It rains. It pours.", "")] == ["removed", "removed"]
    assert [change.kind for change in changed("", "It rains. It pours.")] == ["added", "added"]


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
