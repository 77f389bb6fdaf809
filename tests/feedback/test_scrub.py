"""What must not leave is found, and a scientific text keeps its numbers: both measured on a labelled set."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths import DATA

from refiner.feedback.export.scrub import PLACEHOLDERS, Scrubber, SensitiveSpan

KINDS = ("email", "phone", "key")


@dataclass(frozen=True)
class Labelled:
    """A text and what in it must not leave."""

    text: str
    spans: tuple[SensitiveSpan, ...]


def labelled(line: str) -> Labelled:
    """``⟦kind:…⟧`` is a label; a ``·`` in one keeps those who look for leaked keys from taking ours for real."""
    parts = re.split(r"⟦(\w+):(.*?)⟧", json.loads(line)["text"], flags=re.DOTALL)
    text, spans = parts[0], []
    for kind, inside, after in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        secret = inside.replace("·", "")
        spans.append(SensitiveSpan(kind, len(text), len(text) + len(secret)))
        text += secret + after
    return Labelled(text, tuple(spans))


SET = [labelled(line) for line in (DATA / "scrub.jsonl").read_text(encoding="utf-8").splitlines()]


def covered(wanted: SensitiveSpan, found: tuple[SensitiveSpan, ...]) -> bool:
    at = {place for one in found for place in range(one.start, one.end)}
    return at.issuperset(range(wanted.start, wanted.end))


def touches(one: SensitiveSpan, spans: tuple[SensitiveSpan, ...]) -> bool:
    return any(one.start < span.end and span.start < one.end for span in spans)


def test_the_labelled_set_is_found_but_for_three_and_nothing_else_is(scrubber: Scrubber) -> None:
    """Recall: e-mail 11 of 11, phone 14 of 16, key 25 of 26. Precision: 1 on 46 texts full of other numbers."""
    there, found, wrong = Counter[str](), Counter[str](), []
    for row in SET:
        got = scrubber.find(row.text)
        there.update(span.kind for span in row.spans)
        found.update(span.kind for span in row.spans if covered(span, got))
        wrong += [row.text[one.start : one.end] for one in got if not touches(one, row.spans)]
    assert wrong == []
    assert [(there[kind], found[kind]) for kind in KINDS] == [(11, 11), (16, 14), (26, 25)]


def texts() -> Iterator[str]:
    for line in (DATA / "refine_cases_sample.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        yield from (case["question"], case["draft"])
        yield from (f"{one['title']} {one['text']} {one['url']}" for one in case["sources"])
    for line in (DATA / "scifact_labels.jsonl").read_text(encoding="utf-8").splitlines():
        yield from (json.loads(line)["claim"], *json.loads(line)["evidence"])


def test_real_answers_and_their_sources_lose_nothing(scrubber: Scrubber) -> None:
    assert [text[one.start : one.end] for text in texts() for one in scrubber.find(text)] == []


def test_what_is_taken_out_is_named_in_its_place_and_handed_back(scrubber: Scrubber) -> None:
    text, taken = scrubber.scrub("Write to a.b@lund.se, or ring +46 8 517 700 00 [1].")
    assert text == "Write to [e-mail address], or ring [phone number] [1]."
    assert taken == {("email", "a.b@lund.se"), ("phone", "+46 8 517 700 00")}


@pytest.mark.parametrize("text", ["\ufeffa@b.org", "a@b.org\ud83d", "é\0 a@b.org ▁"])
def test_odd_characters_shift_nothing(scrubber: Scrubber, text: str) -> None:
    assert scrubber.scrub(text)[0] == text.replace("a@b.org", PLACEHOLDERS["email"]).replace("\ud83d", "?")


def test_every_text_of_plain_data_is_scrubbed_and_no_name_of_a_field(scrubber: Scrubber) -> None:
    data = {"a@b.org": ["a@b.org", {"n": 3, "t": "call 415-555-2671"}], "none": None}
    scrubbed, taken = scrubber.scrub_all(data)
    assert scrubbed == {
        "a@b.org": [PLACEHOLDERS["email"], {"n": 3, "t": f"call {PLACEHOLDERS['phone']}"}],
        "none": None,
    }
    assert Counter(kind for kind, _ in taken) == {"email": 1, "phone": 1}


KEY = "hf_" + "mzWkpAePcEJIukBgeqNfngAFTCloiADNRp"


@pytest.mark.parametrize(
    "after", [".", ", or", ")", "!", ": so", " [1].", ".[1]", "</snippet>", "|", ".</answer>"]
)
def test_a_key_is_seen_whatever_follows_it_in_a_sentence(scrubber: Scrubber, after: str) -> None:
    assert scrubber.scrub(f"The key is {KEY}{after}")[0] == f"The key is {PLACEHOLDERS['key']}{after}"


def test_what_is_found_in_one_text_is_taken_out_of_all(scrubber: Scrubber) -> None:
    scrubbed, _ = scrubber.scrub_all([f"key {KEY}", f"x{KEY}x"])
    assert scrubbed == [f"key {PLACEHOLDERS['key']}", f"x{PLACEHOLDERS['key']}x"]


@given(st.lists(st.sampled_from([row.text for row in SET]) | st.text(max_size=40), max_size=4).map(" ".join))
def test_scrubbing_twice_is_scrubbing_once(scrubber: Scrubber, text: str) -> None:
    once, _ = scrubber.scrub(text)
    assert scrubber.scrub(once) == (once, frozenset())


@pytest.mark.parametrize("piece", ["a.", "a@", "1 ", "+1 ", "key=", "token: ", "sk-"])
def test_a_hostile_text_takes_linear_time(scrubber: Scrubber, piece: str) -> None:
    assert scrubber.scrub(piece * 20_000)[1] == frozenset()
