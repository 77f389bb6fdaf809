"""What of a judge's written reply counts, where it ends, and why it does not."""

import pytest

from refiner.chat.completion import ReplyToken
from refiner.judges.reply import Reply, parse, score_probabilities


def tokens(*texts: str, probabilities: dict[str, float], at: int) -> list[ReplyToken]:
    """A reply in tokens, of which the one ``at`` a place has probabilities."""
    return [ReplyToken(text, probabilities if n == at else {}) for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(" ", "the judge's reply is empty", id="blank"),
        pytest.param("<think>Hm.</think> ", "the judge's reply is empty", id="only thinking"),
        pytest.param("Two.", "the judge's reply holds no JSON object", id="prose"),
        pytest.param(
            '[{"score": 1}]', "the judge's reply is a list of verdicts; one was asked for", id="a list"
        ),
        pytest.param('{"rationale": "So."}', 'the judge\'s reply has no "score"', id="no score"),
        pytest.param(
            '{"score": 1, "score": 2}',
            "the judge's reply gives two verdicts in one: a key stands twice",
            id="a key twice",
        ),
        pytest.param(
            '{"score": 1, "confidence": 2}',
            'the judge\'s reply says more than "score" and "rationale"',
            id="another key",
        ),
        pytest.param(
            '{"score": 1, "rationale": 7}', "the judge's rationale is not text", id="a number for words"
        ),
        pytest.param('{"score": 3}', "the judge's score 3 is off the scale 0, 1, 2", id="over the scale"),
        pytest.param('{"score": -1}', "the judge's score -1 is off the scale 0, 1, 2", id="under the scale"),
        pytest.param('{"score": 0.5}', "the judge's score 0.5 is off the scale 0, 1, 2", id="between"),
        pytest.param('{"score": true}', "the judge's score true is off the scale 0, 1, 2", id="true is no 1"),
        pytest.param(
            '{"score": "3"}', 'the judge\'s score "3" is off the scale 0, 1, 2', id="text off the scale"
        ),
        pytest.param(
            '{"score": [1]}',
            "the judge's score (a list or an object) is off the scale 0, 1, 2",
            id="a list for it",
        ),
    ],
)
def test_a_reply_without_a_verdict_says_why(text: str, reason: str) -> None:
    assert parse(text) == reason


def test_an_odd_score_is_repeated_up_to_forty_characters() -> None:
    assert parse(f'{{"score": "{"9" * 60}"}}') == f"the judge's score \"{'9' * 39} is off the scale 0, 1, 2"


def test_a_rationale_is_kept_up_to_a_thousand_characters() -> None:
    reply = parse(f'{{"score": 1, "rationale": " {"a" * 1000}b "}}')
    assert isinstance(reply, Reply)
    assert reply.rationale == "a" * 1000


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_reply_is_read_from_its_last_eight_thousand_characters(beyond: int) -> None:
    text = '{"score": 2}'
    whole = text + "." * (8000 - len(text) + beyond)
    assert isinstance(parse(whole), Reply) == (beyond == 0)


def test_the_digit_of_the_last_verdict_is_found_where_it_stands() -> None:
    text = 'First {"score": 2}, then {"score": 2}.'
    reply = parse(text)
    assert isinstance(reply, Reply)
    assert reply.digit == text.rindex("2")


@pytest.mark.parametrize("text", ['{"score": 0.1e1}', '{"score": 2e0, "rationale": ""}'])
def test_a_score_that_another_digit_spells_has_none_but_its_own(text: str) -> None:
    reply = parse(text)
    assert isinstance(reply, Reply)
    assert reply.digit is None or text[reply.digit] == str(reply.score)


SPREAD = {"0": 0.1, "1": 0.2, " 1": 0.1, "2": 0.5, "x": 0.1}


def test_the_probabilities_are_those_of_the_token_that_is_the_score() -> None:
    heard = tokens('{"score":', " ", "2", "}", probabilities=SPREAD, at=2)
    assert score_probabilities(heard, 2) == pytest.approx((0.1, 0.3, 0.5))


@pytest.mark.parametrize("score", [0, 1])
def test_a_token_of_another_score_tells_nothing(score: int) -> None:
    heard = tokens('{"score":', " ", "2", "}", probabilities=SPREAD, at=2)
    assert score_probabilities(heard, score) is None


def test_a_token_that_is_more_than_the_score_tells_nothing() -> None:
    assert score_probabilities(tokens('{"score":', " 2}", probabilities=SPREAD, at=1), 2) is None


def test_a_score_without_probabilities_tells_nothing() -> None:
    assert score_probabilities(tokens('{"score":', "2", "}", probabilities={}, at=1), 2) is None


@pytest.mark.parametrize(("third", "known"), [(0.5, True), (0.501, True), (0.502, False)])
def test_probabilities_may_add_up_to_a_thousandth_more_than_one(third: float, known: bool) -> None:  # noqa: FBT001 - a case
    heard = tokens('{"score":', "2", "}", probabilities={"0": 0.25, "1": 0.25, "2": third}, at=1)
    assert (score_probabilities(heard, 2) is not None) == known


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"score": 2}\n', id="a line break at the end"),
        pytest.param('{"score": } {"score": 2}', id="a broken object before it"),
        pytest.param('{"score": 2} {"', id="a broken object after it"),
    ],
)
def test_what_is_broken_around_a_verdict_does_not_hide_it(text: str) -> None:
    reply = parse(text)
    assert isinstance(reply, Reply)
    assert reply.score == 2


def test_an_object_nested_without_end_is_none() -> None:
    assert parse('{"a":' * 1500) == "the judge's reply holds no JSON object"


@pytest.mark.parametrize("text", ["Two.", '{"score": 0.2e1}'])
def test_a_reply_without_a_verdict_or_its_digit_has_no_probabilities(text: str) -> None:
    assert score_probabilities(tokens(text, probabilities={"2": 1.0}, at=0), 2) is None
