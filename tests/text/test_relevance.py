"""Which sentence has to do with a statement: found by words, at its place in the source, on any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timing import relative_cost

from refiner.domain import Source
from refiner.text import relevance
from refiner.text.words import words

TEXT = "Cats purr when they are content. Dogs bark at strangers.\nThe trial enrolled 412 patients in 2019."


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        pytest.param("Why do dogs bark?", "Dogs bark at strangers.", id="words"),
        pytest.param(
            "412 PATIENTS took part", "The trial enrolled 412 patients in 2019.", id="numbers, case"
        ),
        pytest.param("Photosynthesis makes sugar", None, id="no word shared"),
        pytest.param("", None, id="empty"),
        pytest.param("?! …", None, id="no words"),
    ],
)
def test_the_best_sentence_is_the_one_that_shares_most(statement: str, sentence: str | None) -> None:
    found = relevance.best_sentence(statement, Source("a", TEXT))
    assert (found.text if found else None) == sentence


@pytest.mark.parametrize("text", ["", " \n", "…"])
def test_a_source_without_words_has_no_best_sentence(text: str) -> None:
    assert relevance.best_sentence("Cats purr.", Source("a", text)) is None


@pytest.mark.parametrize(
    ("statement", "text", "sentence"),
    [
        pytest.param("猫喜欢鱼", "狗在叫。猫吃鱼。", "猫吃鱼。", id="Chinese"),
        pytest.param("さかな", "いぬがほえる。ねこはさかながすき。", "ねこはさかながすき。", id="Japanese"),
    ],
)
def test_a_script_without_blanks_is_compared_by_its_characters(
    statement: str, text: str, sentence: str
) -> None:
    found = relevance.best_sentence(statement, Source("a", text))
    assert found is not None
    assert found.text == sentence


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    scores = relevance.rank("the trial", ["the cat", "the dog", "the end", "a trial"])
    assert scores.index(max(scores)) == 3


def test_an_index_ranks_as_a_single_ranking_does() -> None:
    texts = TEXT.splitlines()
    index = relevance.Index(texts)
    assert [index.scores(one) for one in ("cats", "2019")] == [
        relevance.rank(one, texts) for one in ("cats", "2019")
    ]


@given(statement=st.text(), texts=st.lists(st.text(), max_size=6))
def test_any_texts_get_one_score_each_and_none_is_negative(statement: str, texts: list[str]) -> None:
    scores = relevance.rank(statement, texts)
    assert len(scores) == len(texts)
    shared = [bool(set(words(statement)) & set(words(text))) for text in texts]
    assert [score > 0 for score in scores] == shared


@given(statement=st.text(), text=st.text())
def test_the_best_sentence_stands_where_it_says(statement: str, text: str) -> None:
    found = relevance.best_sentence(statement, Source("a", text))
    assert found is None or found.text == text[found.start : found.end]


def test_a_text_without_end_is_looked_at_in_part() -> None:
    assert len(words("word " * 1_000_000)) == 20_000


def test_five_hundred_sentences_are_ranked_at_once() -> None:
    texts = [f"Sentence {n} tells of cats, dogs and {n * 7} other things in the garden." for n in range(500)]
    assert relative_cost(lambda: relevance.rank("How many cats are in the garden?", texts), 8) < 8
