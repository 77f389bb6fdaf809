"""What an answer will probably repeat: where its end stands in the known texts, and what is copied from there."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from refiner.decoding.lookup_text import MAX_COPY, LookupText, Match

AIR = "Air scatters blue light most."
DUSK = "At dusk the path is longer, so red is left. That is why sunsets are red."
RAYLEIGH = " This was first explained by Rayleigh."
DRAFT = (("1", AIR), ("", " "), ("2", DUSK), ("", RAYLEIGH))
DRAFT_TEXT = AIR + " " + DUSK + RAYLEIGH
SOURCE = "Rayleigh scattering is strongest for short waves. It was described in 1871."
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
WORDS = " ".join(f"word{n}" for n in range(100))


def lookup(
    *answer: str, draft: Sequence[tuple[str, str]] = DRAFT, texts: Sequence[str] = (SOURCE,)
) -> LookupText:
    known = LookupText(draft, texts)
    for text in answer:
        known.set_answer(text.encode())
    return known


def goes_on(known: LookupText, expected: Sequence[int] = ()) -> dict[str, Match]:
    """The next ten bytes at every position that is found, with the match that holds there."""
    found: dict[str, Match] = {}
    for position, match in known.matches(expected):
        found.setdefault(known.copy(position, position + 10).decode(), match)
    return found


def boundaries(known: LookupText) -> list[int]:
    """All of them, one after the other."""
    found = []
    following = known.next_boundary(-1)
    while following is not None:
        found.append(following)
        following = known.next_boundary(following)
    return found


# --- copying ------------------------------------------------------------------------------------------------


def test_a_copy_is_what_stands_between_two_positions() -> None:
    assert lookup().copy(4, 12) == b"scatters"


@pytest.mark.parametrize("start", [0, 7, 100])
def test_a_long_copy_ends_at_the_last_word_that_fits(start: int) -> None:
    copied = lookup(draft=[("1", WORDS)]).copy(start, len(WORDS)).decode()
    rest = WORDS[start:]
    assert rest.startswith(copied + " ")
    assert len(copied) <= MAX_COPY - 1 < len(copied) + len(rest[len(copied) + 1 :].split(" ")[0]) + 1


@pytest.mark.parametrize(
    ("text", "copied"),
    [
        pytest.param("a " + "x" * 300, b"a", id="after its first word"),
        pytest.param(" " + "x" * 300, b" " + b"x" * (MAX_COPY - 1), id="within the only word"),
        pytest.param("x" * 300, b"x" * MAX_COPY, id="within a word without a blank before it"),
    ],
)
def test_a_copy_is_cut_within_a_word_only_where_it_holds_no_other(text: str, copied: bytes) -> None:
    assert lookup(draft=[("1", text)]).copy(0, 300) == copied


def test_a_text_without_blanks_is_copied_in_whole_characters() -> None:
    known = LookupText([("1", "散射" * 200)], [])
    for at in range(0, 240, 3):
        copied = known.copy(at, at + MAX_COPY)
        assert copied.decode()
        assert len(copied) > MAX_COPY - 4


def test_a_copy_ends_where_its_text_ends() -> None:
    known = lookup(AIR, draft=[("1", AIR)], texts=[SOURCE])
    assert known.copy(0, 200) == AIR.encode()
    assert known.copy(len(AIR) + 1, 200) == SOURCE.encode()


@pytest.mark.parametrize("size", [3, 10, MAX_COPY])
def test_an_answer_that_repeats_itself_is_copied_on_over_its_own_end(size: int) -> None:
    known = lookup("abcdefgabcdefg", draft=[("1", AIR)], texts=[])
    start = len(AIR) + 1 + 7
    assert known.copy(start, start + size) == (b"abcdefg" * 40)[:size]


def test_nothing_is_copied_from_behind_the_answers_end() -> None:
    known = lookup("Air", draft=[], texts=[])
    assert known.copy(4, 20) == b""


def test_an_answer_may_be_shorter_than_the_one_before() -> None:
    known = lookup("Air scatters", "Air", draft=[], texts=[])
    assert known.copy(1, 4) == b"Air"
    assert known.copy(4, 20) == b""


# --- sentences and claims -----------------------------------------------------------------------------------


def test_boundaries_are_claims_borders_and_sentence_ends_in_bytes() -> None:
    known = lookup(draft=[("", "Größe zählt. Sie "), ("1", "wächst “früh.” Und"), ("", " endet")], texts=[])
    stops = [
        "Größe zählt.",
        "Größe zählt. Sie ",
        "Größe zählt. Sie wächst “früh.”",
        "Größe zählt. Sie wächst “früh.” Und",
        "Größe zählt. Sie wächst “früh.” Und endet",
    ]
    assert boundaries(known) == [len(stop.encode()) for stop in stops]


def test_sentences_end_in_the_other_texts_too() -> None:
    known = lookup(draft=[("1", AIR)], texts=[SOURCE])
    start = len(AIR) + 1
    assert boundaries(known) == [
        0,
        len(AIR),
        start + len("Rayleigh scattering is strongest for short waves."),
        start + len(SOURCE),
    ]


def test_a_position_is_a_boundary_where_a_sentence_or_claim_ends_and_nowhere_else() -> None:
    known = lookup()
    length = len(DRAFT_TEXT) + len(SOURCE) + 40
    assert [n for n in range(length) if known.is_boundary(n)] == boundaries(known)


def test_a_claim_ends_only_where_the_drafts_claim_does() -> None:
    ends = [len(AIR), len(AIR) + 1 + len(DUSK)]
    assert [n for n in range(len(DRAFT_TEXT) + 60) if lookup().is_claim_end(n)] == ends


def test_the_draft_ends_where_its_last_piece_does() -> None:
    assert lookup().draft_end == len(DRAFT_TEXT)
    assert lookup(draft=[("1", "Größe")]).draft_end == len("Größe".encode())


def test_white_space_of_every_kind_is_skipped() -> None:
    known = lookup(draft=[("1", "One. \n\t Two.")])
    assert known.next_words(4) == len("One. \n\t ")
    assert known.next_words(1) == 1


@pytest.mark.parametrize(
    ("position", "ids"),
    [
        pytest.param(0, "1", id="where the first claim begins"),
        pytest.param(len(AIR) - 1, "1", id="at its last byte"),
        pytest.param(len(AIR), "2", id="where it ends, those of the next claim"),
        pytest.param(len(AIR) + 1, "2", id="where the next begins"),
        pytest.param(len(AIR) + 1 + len(DUSK), "", id="after the last claim"),
    ],
)
def test_a_position_has_the_ids_of_its_claim_or_of_the_next(position: int, ids: str) -> None:
    assert lookup().ids_at(position) == ids


# --- matching -----------------------------------------------------------------------------------------------


def test_a_longer_match_sorts_higher_and_a_near_one_before_a_far_one() -> None:
    ranked = [Match(64, near=False), Match(8, near=True), Match(8, near=False), Match(4, near=True)]
    assert sorted(ranked, reverse=True) == ranked


@pytest.mark.parametrize(
    ("size", "length"), [(7, 4), (8, 8), (15, 8), (16, 16), (31, 16), (32, 32), (63, 32), (64, 64), (90, 64)]
)
def test_a_match_is_as_long_as_the_longest_length_that_is_alike(size: int, length: int) -> None:
    """The answer's last ``size`` bytes stand in the source, and the byte before them does not."""
    alike = WORDS[: WORDS.index(" word50")][-size:]
    known = lookup("#" * 70 + alike, draft=[], texts=["=" * 70 + alike + " and so on"])
    assert goes_on(known)[" and so on"] == Match(length, near=False)


def test_a_text_that_begins_with_the_answer_matches_by_no_more_than_the_answer() -> None:
    known = lookup("Rayleigh scattering is", draft=[("1", AIR)])
    assert goes_on(known) == {" strongest": Match(16, near=False)}


@pytest.mark.parametrize(("expected", "near"), [([0], True), ([], False)])
def test_an_answer_that_is_the_drafts_beginning_matches_as_well_as_can_be(
    expected: Sequence[int], *, near: bool
) -> None:
    assert goes_on(lookup("Air"), expected) == {" scatters ": Match(64, near=near)}


def test_an_answer_that_is_empty_matches_nothing() -> None:
    assert goes_on(lookup(""), [0]) == {}


def test_line_breaks_and_tabs_count_as_blanks() -> None:
    assert goes_on(lookup("It said:\nscatters\tblue", texts=[])) == {" light mos": Match(8, near=False)}


def test_the_last_word_alone_finds_its_place_where_nothing_longer_does() -> None:
    assert goes_on(lookup("The path")) == {" is longer": Match(4, near=False)}


def test_a_word_that_only_ends_alike_is_not_the_word() -> None:
    assert goes_on(lookup("Twilight is hot and so", draft=[("", "Gold and also red.")], texts=[])) == {}


@pytest.mark.parametrize(
    ("ending", "found"),
    [
        pytest.param("Biosynthesis", {" is known.": Match(8, near=False)}, id="eight bytes alike"),
        pytest.param("Antithesis", {}, id="fewer"),
        pytest.param("The bynthesis", {" is known.": Match(8, near=False)}, id="exactly eight"),
        pytest.param("The bunthesis", {}, id="exactly seven"),
    ],
)
def test_far_away_eight_bytes_must_match_or_the_last_word(ending: str, found: dict[str, Match]) -> None:
    assert goes_on(lookup(ending, draft=[("1", "Photosynthesis is known.")], texts=[])) == found


@pytest.mark.parametrize(("answer", "rest"), [("Air sc", "atters blu"), ("Air s", "catters bl")])
def test_within_a_word_a_match_is_the_weakest(answer: str, rest: str) -> None:
    """`Air sc` may become `scatters`, but the text does not show that a word ends there."""
    assert goes_on(lookup(answer, texts=[]))[rest] == Match(1, near=False)


def test_a_row_of_one_sign_goes_on() -> None:
    assert goes_on(lookup("-" * 9, draft=[], texts=[])) == {"-" * 10: Match(8, near=False)}


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        pytest.param([0], {" is blue. ": Match(4, near=True)}, id="looked for nowhere else"),
        pytest.param(
            [],
            {" is blue. ": Match(4, near=False), " pressure ": Match(4, near=False)},
            id="otherwise everywhere",
        ),
    ],
)
def test_a_whole_word_near_the_expected_position_is_enough(
    expected: Sequence[int], found: dict[str, Match]
) -> None:
    known = lookup("The air", draft=[("1", f"So air is blue. {WORDS}")], texts=["Now air pressure falls."])
    assert goes_on(known, expected) == found


def test_half_a_word_near_the_expected_position_is_not() -> None:
    known = lookup("The air", draft=[("1", f"So airs are blue. {WORDS}")], texts=["In air too."])
    assert goes_on(known, [0]) == {"s are blue": Match(1, near=False), " too.": Match(4, near=False)}


def test_the_first_word_of_the_draft_is_near_its_start() -> None:
    """It is found there, and therefore nowhere else."""
    known = lookup("Air", draft=[("1", f"Air is blue. {WORDS}")], texts=["Air pressure falls."])
    assert list(goes_on(known, [0])) == [" is blue. "]


def test_what_matches_far_away_is_found_beside_what_is_near() -> None:
    draft = [("1", "So light is scattered."), ("", " " + WORDS), ("2", " Most light is red.")]
    found = goes_on(lookup("Most light", draft=draft, texts=[]), [0])
    assert found == {" is scatte": Match(4, near=True), " is red.": Match(8, near=False)}


@pytest.mark.parametrize(
    ("expected", "near"),
    [
        pytest.param([0], False, id="far behind"),
        pytest.param([400], True, id="some sentences behind"),
        pytest.param([700], True, id="there"),
        pytest.param([715], True, id="a word before"),
        pytest.param([800], False, id="far before"),
        pytest.param([0, 700], True, id="one of two"),
    ],
)
def test_a_match_is_near_a_little_before_an_expected_position_and_well_after_it(
    expected: Sequence[int], *, near: bool
) -> None:
    """The word ends at byte 701."""
    text = "x " * 348 + "skies are red. " + "y " * 300
    assert text.find("skies") + len("skies") == 701
    assert goes_on(lookup("The skies", draft=[("1", text)]), expected) == {" are red. ": Match(4, near=near)}


def test_the_answers_own_end_is_no_match() -> None:
    assert goes_on(lookup("The quark", draft=[], texts=[])) == {}


def test_a_place_in_the_answer_itself_matches() -> None:
    known = lookup("The quark has spin. The quark", draft=[], texts=[])
    assert goes_on(known) == {" has spin.": Match(8, near=False)}


def test_a_word_that_stands_everywhere_is_looked_at_a_few_times_and_not_a_thousand() -> None:
    found = list(lookup("the", draft=[("1", "the sky " * 1000)]).matches([]))
    assert 8 < len(found) < 100


@given(draft=TEXT, source=TEXT, answer=TEXT, expected=st.lists(st.integers(0, 60)))
@example(draft="the sky", source="", answer="the", expected=[0])
def test_before_every_match_stands_what_the_answer_ends_with(
    draft: str, source: str, answer: str, expected: list[int]
) -> None:
    known = lookup(answer, draft=[("1", draft)], texts=[source])
    everything = f"{draft}\0{source}\0{answer}".encode()
    for position, _ in known.matches(expected):
        assert 0 < position < len(everything)
        before, last = everything[position - 1 : position], answer.encode()[-1:]
        assert before == last or before + last in (b" \n", b"\n ", b" \t", b"\t ", b"\n\t", b"\t\n")
