"""Which continuation is guessed, how far, and what is learned from an answer.

The vocabularies are small and quickly made. With ``letters`` a token is a byte, so that a guess is seen byte by byte;
with ``words`` it is about a word.
"""

from collections.abc import Sequence

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from refiner.decoding.acceptance import (
    CLAIM_IDS,
    CLAIM_START,
    AcceptanceRates,
    Kind,
    another_claim,
    claim_end,
    copy_goes_on,
    copy_starts,
)
from refiner.decoding.constrained_writer import ConstrainedWriter, UnconstrainedWriter, Writer
from refiner.decoding.grammar import Grammar, Quotes
from refiner.decoding.lookup_text import LookupText, Match
from refiner.decoding.proposer import DraftToken, Proposer
from refiner.decoding.vocabulary import Vocabulary
from refiner.domain import Form

DRAFT = (
    ("1", "Air scatters blue light most."),
    ("", " "),
    ("2", "At dusk the path is longer, so red is left. That is why sunsets are red."),
    ("", " This was first explained by Rayleigh."),
)
SOURCE = "Rayleigh scattering is strongest for short waves. It was described in 1871."
FACTS = tuple(f"Fact {n} is {word}." for n, word in enumerate(("ash", "oak", "elm", "fir", "yew", "box"), 1))
BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
WIDE = 1000
"""More tokens than any guess here."""


def trained(size: int, texts: Sequence[str], alphabet: Sequence[str] = BYTES) -> Vocabulary:
    """A byte-level vocabulary of ``size`` tokens at most, those of the alphabet among them."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=size, initial_alphabet=list(alphabet), show_progress=False)
    )
    return Vocabulary(PreTrainedTokenizerFast(tokenizer_object=backend), size)


@pytest.fixture(scope="module")
def letters() -> Vocabulary:
    return trained(256, [])


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    tagged = " ".join(f"<snippet id={ids}>{text}</snippet>" for ids, text in DRAFT)
    return trained(600, [tagged, f"<answer>{tagged}</answer>", SOURCE, SOURCE])


class Answer:
    """An answer on its way, with the guesses for it, checked and learned from as the loop does."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        form: Form = "free",
        draft: Sequence[tuple[str, str]] = DRAFT,
        ids: tuple[str, ...] = ("1", "2", "3", "4", "5"),
        quotes: Quotes = (),
        source: str = SOURCE,
        min_probability: float = 0.0,
    ) -> None:
        self._vocabulary = vocabulary
        self.proposer = Proposer(
            LookupText(draft, [source]), ids, vocabulary, min_probability=min_probability
        )
        self.writer: Writer = (
            UnconstrainedWriter(vocabulary, 4000, frozenset())
            if form == "off"
            else ConstrainedWriter(Grammar(vocabulary, form, ids, quotes), 4000)
        )
        self.writer.start()

    def says(self, text: str) -> "Answer":
        """The model writes on to the end of ``text``, which begins with what it has written."""
        whole = text.encode()
        while len(self.writer.written) < len(whole):
            proposal, accepted = self.proposer.propose(self.writer, WIDE), 0
            while accepted < len(proposal) and whole.startswith(proposal[accepted].writer.written):
                self.writer = proposal[accepted].writer
                accepted += 1
            rest = whole[len(self.writer.written) :]
            self.proposer.update(self.writer, proposal if rest else proposal[:accepted], accepted)
            if rest:
                self.writer.accept(self._vocabulary.encode(rest)[0])
        assert self.writer.written == whole
        return self

    def writes(self, text: str) -> "Answer":
        """The same without any guess on the way, so that nothing is learned."""
        whole = text.encode()
        while rest := whole[len(self.writer.written) :]:
            self.writer.accept(self._vocabulary.encode(rest)[0])
        assert self.writer.written == whole
        return self

    def proposal(self, max_tokens: int = WIDE) -> list[DraftToken]:
        return self.proposer.propose(self.writer, max_tokens)

    def guess(self, max_tokens: int = WIDE) -> str:
        """The text that is guessed to come next."""
        proposal = self.proposal(max_tokens)
        return proposal[-1].writer.text[len(self.writer.text) :] if proposal else ""


def claims(*texts: str, gap: str = " ") -> str:
    """An answer of these claims, each given as its ids, a colon and its words."""
    parts = (text.split(":", 1) for text in texts)
    return "<answer>" + gap.join(f"<snippet id={ids}>{said}</snippet>" for ids, said in parts)


def kinds(proposal: Sequence[DraftToken]) -> list[list[Kind]]:
    """The kinds that each token tests."""
    return [[kind for kind, _ in draft_token.evidence] for draft_token in proposal]


AIR = "1:Air scatters blue light most."
DUSK = "2:At dusk the path is longer, so red is left. That is why sunsets are red."

# --- what is guessed ----------------------------------------------------------------------------------------


def test_the_draft_is_guessed_to_its_end_in_the_form_of_the_answer(letters: Vocabulary) -> None:
    answer = Answer(letters, draft=DRAFT[:3]).says("<answer><snippet id=1>Air scatters")
    assert answer.guess() == (
        " blue light most.</snippet> <snippet id=2>At dusk the path is longer, so red is left.</snippet> "
        "<snippet id=2>That is why sunsets are red.</snippet></answer>"
    )


def test_prose_is_guessed_to_go_on_as_prose(letters: Vocabulary) -> None:
    answer = Answer(letters).says("<answer>Air scatters")
    assert answer.guess() == " blue light most. At dusk the path is longer" + DRAFT[2][1][26:] + DRAFT[3][1]


def test_without_a_form_the_text_is_guessed_and_no_tag(letters: Vocabulary) -> None:
    answer = Answer(letters, form="off").says("Air scatters")
    assert answer.guess() == "".join(text for _, text in DRAFT)[12:]


@pytest.mark.parametrize(
    ("form", "begun"),
    [
        ("off", "Quark"),
        ("free", "<answer>Quark"),
        ("free", "<answer><snippet id=1>Quark"),
    ],
)
def test_where_nothing_is_known_nothing_is_guessed(letters: Vocabulary, form: Form, begun: str) -> None:
    assert Answer(letters, form=form).says(begun).proposal() == []


def test_which_sentence_is_quoted_is_left_to_the_model(letters: Vocabulary) -> None:
    quotes = ((("1", "Air scatters."), ("2", "Dusk is red.")),)
    answer = Answer(letters, form="extractive", quotes=quotes)
    assert answer.writer.text == "<answer><snippet id="
    assert answer.proposal() == []


def test_a_finished_answer_has_no_next_words(letters: Vocabulary) -> None:
    assert Answer(letters).says(claims(AIR) + "</answer>").proposal() == []


@pytest.mark.parametrize(
    ("answer", "guess"),
    [
        pytest.param("<answer><snippet id=2>At", " dusk the path", id="to a later claim"),
        pytest.param(claims(DUSK, "1:Air scatters"), " blue light", id="back to an earlier claim"),
        pytest.param(claims(AIR, "2:By dusk"), " the path", id="past a changed word"),
        pytest.param(claims("3:Rayleigh scattering"), " is strongest", id="into a source"),
        pytest.param(claims(AIR) + " Rayleigh scattering", " is strongest", id="into a source, as prose"),
    ],
)
def test_guesses_follow_the_answer(letters: Vocabulary, answer: str, guess: str) -> None:
    said = answer.removesuffix("</snippet>")
    assert Answer(letters).says(said).guess().startswith(guess)


def test_of_places_that_match_alike_the_nearest_is_taken(letters: Vocabulary) -> None:
    draft = [("1", "Blue light is seen. "), ("2", "Red dusk is felt. "), ("3", "White noise is heard.")]
    answer = Answer(letters, draft=draft).says("<answer><snippet id=2>Red dusk, that is")
    assert answer.guess().startswith(" felt.")


def test_of_places_as_likely_the_longer_match_is_taken(letters: Vocabulary) -> None:
    """Both are far away, 64 and 32 bytes long."""
    alike = "These are the words of a sentence that stands in two places, but not"
    apart = " ".join(f"word{n}" for n in range(100))
    answer = Answer(letters, source=f"{apart} {alike} there. {apart} Now {alike[-40:]} here.")
    assert answer.writes(f"<answer>{alike}").guess().startswith(" there")


def test_a_claim_begins_with_the_drafts_next_words(letters: Vocabulary) -> None:
    answer = Answer(letters).says(claims(AIR) + " <snippet id=3>")
    assert answer.guess().startswith("At dusk")


def test_after_a_source_was_quoted_the_draft_goes_on_where_it_was_left(letters: Vocabulary) -> None:
    quoted = "3:described in 1871."
    answer = Answer(letters).says(claims(AIR, quoted) + " <snippet id=")
    assert answer.guess().startswith("2>At dusk")


def test_after_the_draft_was_used_up_and_a_source_quoted_no_words_of_the_draft_are_left(
    letters: Vocabulary,
) -> None:
    said = claims(f"1:{FACTS[0]}", "2:described in 1871.")
    assert Answer(letters, draft=[("1", FACTS[0])]).says(said).guess() == " <snippet id=3>"


@pytest.mark.parametrize(
    ("written", "guess"),
    [
        pytest.param(claims(AIR), " <snippet id=2>At", id="a blank, if there was no gap yet"),
        pytest.param(claims(AIR, DUSK[:46], gap="\n\n"), "\n\n<snippet id=2>That", id="as the last one"),
        pytest.param(
            claims(AIR, DUSK[:46], gap="\n") + " <snippet id=2>That is why sunsets are red.</snippet>",
            " <snippet id=2>This",
            id="as the last of two",
        ),
    ],
)
def test_between_claims_stands_what_stood_there_before(letters: Vocabulary, written: str, guess: str) -> None:
    assert Answer(letters).says(written).guess().startswith(guess)


@pytest.mark.parametrize(
    ("form", "written", "guess"),
    [
        pytest.param("free", "<answer>\n", "<snippet id=", id="an answer without a word"),
        pytest.param("free", claims(AIR) + "<", "snippet id=2>At", id="the next claim"),
        pytest.param("free", "<answer>Air scatters <", "snippet id=1>", id="a claim and not a sign"),
        pytest.param("free", "<answer>It was said by Rayleigh.<", "/answer>", id="the end"),
        pytest.param("free", "<answer><snippet id=1>Air scatters<", "", id="a claim's end, without a reason"),
        pytest.param("strict", claims(AIR), " <snippet id=2>At", id="in the strict form"),
        pytest.param("strict", claims("1:This was first explained by Rayleigh."), "</answer>", id="its end"),
    ],
)
def test_a_tag_that_is_begun_is_guessed_to_its_end(
    letters: Vocabulary, form: Form, written: str, guess: str
) -> None:
    found = Answer(letters, form=form).says(written).guess()
    assert found.startswith(guess)
    assert bool(found) == bool(guess)


@pytest.mark.parametrize(
    ("ids", "written", "guess"),
    [
        (("21", "22"), "", "2>At"),
        (("221", "222"), "2", "2>At"),
    ],
)
def test_ids_that_are_begun_are_guessed_to_their_end(
    letters: Vocabulary, ids: tuple[str, ...], written: str, guess: str
) -> None:
    """`<snippet id=2` is written: all ids begin so."""
    answer = Answer(letters, draft=[(ids[1], "At dusk.")], ids=ids).says(f"<answer><snippet id=2{written}")
    assert answer.guess().startswith(guess)


def test_what_the_first_letter_of_an_id_decides_is_guessed_once(letters: Vocabulary) -> None:
    answer = Answer(letters, draft=[("ab", "At dusk.")], ids=("ab", "cd")).says("<answer><snippet id=")
    assert answer.guess() == "ab>At dusk.</snippet></answer>"


# --- how far ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [0, 1, 5, 26])
def test_a_guess_takes_all_the_tokens_that_it_may(letters: Vocabulary, most: int) -> None:
    proposal = Answer(letters).says("<answer><snippet id=1>Air").proposal(most)
    assert sum(len(draft_token.tokens) for draft_token in proposal) == most


def test_forced_tokens_count_and_a_tag_that_does_not_fit_is_left_out(letters: Vocabulary) -> None:
    """`</snippet>` is one token, and nine that it forces."""
    answer = Answer(letters).says("<answer><snippet id=1>Air scatters blue light most")
    assert answer.guess(10) == "."
    assert answer.guess(11) == ".</snippet>"


def test_a_guess_goes_on_while_it_is_at_least_as_likely_as_asked(letters: Vocabulary) -> None:
    rates = AcceptanceRates()
    first = rates.of(copy_starts(Match(8, near=True)))
    second = first * rates.of(copy_goes_on(9))
    for least, guess in ((first + 1e-9, ""), (first, " "), (second + 1e-9, " "), (second, " b")):
        answer = Answer(letters, min_probability=least).says("<answer><snippet id=1>All air scatters")
        assert answer.guess() == guess


def test_an_answers_end_is_as_likely_as_another_claim_is_not(letters: Vocabulary) -> None:
    likely = 1 - AcceptanceRates().of(another_claim(draft_used_up=True))
    for least, guess in ((likely, "</answer>"), (likely + 1e-9, "")):
        answer = Answer(letters, draft=[("1", FACTS[0])], min_probability=least)
        assert answer.says(claims(f"1:{FACTS[0]}")).guess() == guess


def test_a_claims_ids_are_as_likely_as_ids_were_before(letters: Vocabulary) -> None:
    likely = AcceptanceRates().of(CLAIM_IDS)
    for least, guess in ((likely, "1>"), (likely + 1e-9, "")):
        assert Answer(letters, min_probability=least).writes("<answer><snippet id=").guess() == guess


def test_a_sentence_longer_than_a_copy_is_guessed_to_its_end_and_closed_there(letters: Vocabulary) -> None:
    sentence = f"Air scatters {' '.join(f'word{n}' for n in range(60))}."
    answer = Answer(letters, draft=[("1", sentence)]).says("<answer><snippet id=1>Air scatters")
    assert answer.guess() == sentence.removeprefix("Air scatters") + "</snippet></answer>"


def test_words_without_a_sentences_end_are_guessed_to_the_texts_end(letters: Vocabulary) -> None:
    answer = Answer(letters, source="Short waves are scattered most")
    assert answer.says("<answer>Short waves").guess() == " are scattered most"


# --- what each token tests ----------------------------------------------------------------------------------


def test_a_copied_token_tests_the_match_and_then_how_long_the_copy_has_been_right(
    letters: Vocabulary,
) -> None:
    """`scatters` are eight bytes that match. Each letter is one more that is right."""
    proposal = Answer(letters).says("<answer><snippet id=1>All air scatters").proposal(12)
    goes_on = [[copy_goes_on(8 + right)] for right in range(1, 12)]
    assert kinds(proposal) == [[copy_starts(Match(8, near=True))], *goes_on]


def test_a_claims_first_words_are_a_kind_of_their_own(letters: Vocabulary) -> None:
    proposal = Answer(letters).says("<answer><snippet id=").proposal(14)
    goes_on = [[copy_goes_on(right)] for right in range(1, 12)]
    assert kinds(proposal) == [[CLAIM_IDS], [], [CLAIM_START], *goes_on]


def test_tags_test_the_claims_end_the_next_claim_and_its_ids(letters: Vocabulary) -> None:
    answer = Answer(letters).says("<answer><snippet id=1>Air scatters blue light mos")
    assert kinds(answer.proposal(29))[1:] == [
        [copy_goes_on(2)],
        [claim_end(in_draft=True)],
        [another_claim(draft_used_up=False)],
        [],
        [],
        [CLAIM_IDS],
        [],
        [CLAIM_START],
        [copy_goes_on(1)],
    ]


def test_a_token_of_text_and_tag_tests_both(words: Vocabulary) -> None:
    answer = Answer(words).says("<answer><snippet id=1>All air scatters blue light most")
    draft_token = answer.proposal()[0]
    assert ".</snippet>".startswith(words.decode(draft_token.tokens[:1]).decode())
    assert [kind[0] for kind, _ in draft_token.evidence] == ["copy", "claim end"]


def test_a_proposed_token_knows_its_place_in_the_draft(letters: Vocabulary) -> None:
    """Tags leave the place as it is, and a claim's first word is after the blank."""
    proposal = Answer(letters).says("<answer><snippet id=1>Air scatters blue light mo").proposal(30)
    end = len("Air scatters blue light most.")
    assert [(letters.decode(one.tokens).decode(), one.position) for one in proposal] == [
        *(("s", end - 2), ("t", end - 1), (".", end)),
        *((tag, end) for tag in ("</snippet>", " ", "<", "snippet id=", "2", ">")),
        *(("A", end + 2), ("t", end + 3)),
    ]


# --- what is learned ----------------------------------------------------------------------------------------


def of_facts(*ids: str) -> list[tuple[str, str]]:
    """A draft of one claim a fact, with these ids."""
    pieces = zip(ids, FACTS, strict=False)
    return [piece for one in pieces for piece in (one, ("", " "))]


@pytest.mark.parametrize(
    ("draft", "most"),
    [
        pytest.param([("1", " ".join(FACTS))], 2, id="within the draft's claim: two refusals"),
        pytest.param(of_facts(*"11111"), 4, id="where the draft's claim ends: four refusals"),
    ],
)
def test_a_claim_is_guessed_to_end_with_a_sentence_until_that_was_refused_too_often(
    letters: Vocabulary, draft: Sequence[tuple[str, str]], most: int
) -> None:
    for refusals in range(most + 1):
        said = " ".join([*FACTS[:refusals], FACTS[refusals][:-4]])
        guess = Answer(letters, draft=draft).says(f"<answer><snippet id=1>{said}").guess()
        goes_on = "</snippet>" if refusals < most else " Fact" if refusals < 4 else ""
        assert guess.startswith(FACTS[refusals][-4:] + goes_on)
        assert ("</snippet>" in guess[:14]) == (refusals < most)


def test_a_claim_end_that_was_accepted_may_be_refused_once_more(letters: Vocabulary) -> None:
    draft = [("1", " ".join(FACTS))]
    said = claims(f"1:{FACTS[0]}", f"1:{' '.join(FACTS[1:3])} Fact 4 is")
    answer = Answer(letters, draft=draft).says(said.removesuffix("</snippet>"))
    assert answer.guess().startswith(" fir.</snippet>")
    assert answer.says(answer.writer.text + " fir. Fact 5 is").guess().startswith(" yew. Fact")


@pytest.mark.parametrize(
    ("prose", "guess"),
    [
        pytest.param("Fact 2 is oak. <", "snippet id=", id="once, by prose"),
        pytest.param("It is <5 and <", "snippet id=", id="twice, by prose and by a sign"),
        pytest.param("It is <5 and <6 and <", "/answer>", id="three times"),
    ],
)
def test_another_claim_is_guessed_until_it_was_refused_oftener_than_not(
    words: Vocabulary, prose: str, guess: str
) -> None:
    answer = Answer(words, draft=of_facts(*"12345"))
    assert answer.says(f"{claims(f'1:{FACTS[0]}')} {prose}").guess().startswith(guess)


@pytest.mark.parametrize(
    ("more", "guess"),
    [
        pytest.param("", "</answer>", id="the answer ends"),
        pytest.param(" <", "snippet id=", id="unless a claim was begun"),
        pytest.param(" <snippet id=2>It was described in 1871.</snippet>", " <snippet id=", id="or written"),
    ],
)
def test_after_the_drafts_last_claim(letters: Vocabulary, more: str, guess: str) -> None:
    answer = Answer(letters, draft=of_facts("1")).says(claims(f"1:{FACTS[0]}") + more)
    assert answer.guess().startswith(guess)


def test_a_refused_tag_speaks_neither_against_the_words_before_it_nor_against_the_next_tag(
    words: Vocabulary,
) -> None:
    """`.</snippet>` is one token with what it forces. After two refusals `.` is as likely as it was."""
    begun = "<answer><snippet id=2>By dusk the path is longer, so red is left"
    likely = AcceptanceRates().of(copy_starts(Match(32, near=True)))
    for least, written, guess in ((likely, begun, "."), (0.0, begun + ".</snippet>", " <snippet id=2>That")):
        answer = Answer(words, min_probability=least).writes(begun)
        proposal = Answer(words).writes(begun).proposal()
        for _ in range(2):
            answer.proposer.update(answer.writer, proposal, 0)
        assert answer.writes(written).guess().startswith(guess)


# --- ids ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["free", "strict"])
@pytest.mark.parametrize(
    ("in_draft", "used", "guess"),
    [
        pytest.param("1", "", "1", id="the draft's"),
        pytest.param("", "", "", id="none, where the draft cites nothing"),
        pytest.param("", "2", "2", id="the last, where the draft cites nothing"),
        pytest.param("1,2", "", "1,2", id="several"),
        pytest.param("11111", "22", "1", id="the draft's still, when the last was right once"),
        pytest.param("11111", "222", "2", id="the last, when it was right twice"),
        pytest.param("33333", "12", "3", id="the draft's still, when the next was right once"),
        pytest.param("33333", "123", "3", id="as right as the next"),
        pytest.param("11111", "1222", "1", id="the draft's still, as it was right as often"),
        pytest.param("55555", "123", "4", id="the next, when it was right twice"),
        pytest.param("55555", "12345", "5", id="the draft's, where there is no next"),
        pytest.param("", "123", "4", id="the next, when it was right and the last was not"),
    ],
)
def test_a_claims_ids_come_by_the_rule_that_was_right_most_often(
    letters: Vocabulary, form: Form, in_draft: str, used: str, guess: str
) -> None:
    draft = of_facts(in_draft) if "," in in_draft else of_facts(*(in_draft or [""] * 5))
    said = claims(*(f"{ids}:{fact}" for ids, fact in zip(used, FACTS, strict=False)))
    answer = Answer(letters, form=form, draft=draft).says(f"{said}{' ' * bool(used)}<snippet id=")
    assert answer.guess().partition(">")[0] == guess


# --- what cannot be written ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        pytest.param("Air is\x07 blue.", " is", id="a control character"),
        pytest.param("Air is <b>blue</b>.", " is <", id="a tag"),
    ],
)
def test_a_guess_stops_before_what_the_format_forbids(letters: Vocabulary, text: str, guess: str) -> None:
    assert Answer(letters, draft=[("1", text)]).says("<answer><snippet id=1>Air").guess() == guess


def test_what_the_vocabulary_cannot_spell_is_not_guessed() -> None:
    ascii_only = trained(
        300, [text for _, text in DRAFT], alphabet=[chr(n) for n in range(0x21, 0x7F)] + ["Ġ"]
    )
    answer = Answer(ascii_only, draft=[("1", "Air is blue. It is größer.")])
    assert answer.says("<answer>Air is").guess() == " blue."
