"""Candidates of the extractive form: sentences of the sources, each once, in the draft's order, within the room."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refiner.domain import Source
from refiner.formats import answer
from refiner.prompts import quotes

SKY = Source(
    "s1", "The sky is blue because air scatters blue light. Birds fly under the sky in large flocks."
)
SEA = Source(
    "s2", "The sea looks blue because water absorbs red light. Ships cross the sea in about ten days."
)


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def groups(draft: str, *given_: Source, room: int = 1000) -> tuple[quotes.QuoteGroup, ...]:
    return quotes.groups(answer.parse(draft, ["s1", "s2"], expect_block=False), given_, words, room)


def test_groups_follow_the_draft_and_begin_with_the_best_match() -> None:
    found = groups("Ships need ten days to cross the sea. Air scatters blue light in the sky.", SKY, SEA)
    assert [group[0] for group in found] == [
        ("s2", "Ships cross the sea in about ten days."),
        ("s1", "The sky is blue because air scatters blue light."),
    ]


def test_a_cited_source_comes_first_among_equals() -> None:
    same = "Nanoparticles gather in the liver of mice."
    one, two = Source("s1", same + " One."), Source("s2", "In mice nanoparticles gather in the liver.")
    assert groups("Nanoparticles gather in the liver [s2].", one, two)[0][0][0] == "s2"
    assert groups("Nanoparticles gather in the liver [s1].", one, two)[0][0][0] == "s1"


def test_only_what_fits_is_kept_but_always_one() -> None:
    draft = "Ships need ten days to cross the sea. Air scatters blue light in the sky."
    assert len(groups(draft, SKY, SEA, room=14)) == 1
    assert len(groups(draft, SKY, SEA, room=1)) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("Too short.", id="a fragment"),
        pytest.param("word " * 80, id="a list without stops"),
    ],
)
def test_what_is_no_sentence_is_no_candidate(text: str) -> None:
    assert groups("The sky is blue.", Source("s1", text)) == ()


def test_where_nothing_matches_the_first_sentences_can_be_quoted() -> None:
    assert groups("Xyzzy plugh.", SKY) == ((("s1", SKY.text[:48]), ("s1", SKY.text[49:])),)


@given(draft=st.text(), texts=st.lists(st.text(max_size=300), max_size=4))
def test_any_text_gives_sentences_each_once_with_no_tag_or_break(draft: str, texts: list[str]) -> None:
    given_ = [Source(str(n), text) for n, text in enumerate(texts)]
    found = [sentence for group in groups(draft, *given_) for _, sentence in group]
    assert len(set(found)) == len(found)
    assert all(sentence == answer.defang(sentence) and "\n" not in sentence for sentence in found)
