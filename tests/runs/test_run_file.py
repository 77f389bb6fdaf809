"""A run file is read back equal. Any other file is refused with a reason, or is safe to render."""

import copy
import json
import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import runs
from hypothesis import given, settings
from hypothesis import strategies as st

from refiner.domain import Aggregate
from refiner.errors import InputError
from refiner.render import result
from refiner.runs import run_file

TEXT = st.text(st.characters(codec=None), max_size=40).map(
    lambda text: text.encode("utf-16", "surrogatepass")
)
WORDS = TEXT.map(lambda data: data.decode("utf-16", "surrogatepass"))
"""Any text, including lone surrogates. Two adjacent surrogates form one character, as in JSON."""


@pytest.mark.parametrize("number", range(3))
def test_a_real_run_comes_back_equal(number: int) -> None:
    run = runs.samples()[number]
    assert run_file.load_run(run_file.dump_run(run, runs.MADE)) == run_file.SavedRun(run, runs.MADE)


@given(WORDS, st.sampled_from([None, 0.0, 0.5, 1.0]))
@settings(max_examples=50)
def test_any_words_come_back_equal_and_survive_utf8(words: str, value: float | None) -> None:
    run = runs.run_of(words, runs.Always(value, words) if value != 0.5 else None)
    text = run_file.dump_run(run, runs.MADE).encode().decode()
    assert run_file.load_run(text).run == run


def test_a_byte_order_mark_and_a_time_elsewhere_are_read() -> None:
    made = datetime(2026, 3, 4, 1, tzinfo=timezone(timedelta(hours=3)))
    saved = run_file.load_run("\ufeff" + run_file.dump_run(runs.samples()[0], made))
    assert saved.made == made
    assert saved.made.tzinfo is UTC


def data(number: int = 0) -> Any:
    return json.loads(run_file.dump_run(runs.samples()[number], runs.MADE))


def changed(path: str, value: object) -> str:
    whole = data(1)
    *way, last = path.split(".")
    at = whole
    for step in way:
        at = at[int(step) if step.isdigit() else step]
    if value is ...:
        del at[last]
    else:
        at[int(last) if last.isdigit() else last] = value
    return json.dumps(whole)


SUPPORT = "run.reward.citation.supports.0"
REFUSED = [
    pytest.param("", "not JSON", id="empty"),
    pytest.param("{", "not JSON", id="torn"),
    pytest.param("[" * 100_000, "too deep", id="deep"),
    pytest.param('{"a":' * 100_000, "too deep", id="deep-objects"),
    pytest.param("9" * 5_000, "too large", id="number-of-5000-digits"),
    pytest.param(" " * (run_file.MAX_JSON_LENGTH + 1), "too large", id="long"),
    pytest.param("[]", "no run of Refiner", id="list"),
    pytest.param('{"refiner": "rubric"}', "no run of Refiner", id="something-else"),
    pytest.param(changed("version", 2), "form 2", id="version"),
    pytest.param(changed("made", "yesterday"), "made is no time", id="no-time"),
    pytest.param(changed("made", "2026-01-01T00:00:00"), "time zone", id="no-zone"),
    pytest.param(changed("made", "0001-01-01T00:00:00+14:00"), "made is no time", id="before-time"),
    pytest.param(changed("run", None), "run is not an object", id="no-run"),
    pytest.param(changed("run.judge", ...), "run lacks judge", id="missing"),
    pytest.param(changed("run.more", 1), "not known, 'more'", id="unknown-field"),
    pytest.param(changed("run.judge", 1), "run.judge is not a text", id="number-for-text"),
    pytest.param(changed("run.model.is_refiner", 1), "is not true or false", id="number-for-truth"),
    pytest.param(changed("run.usage.prompt_tokens", "1"), "not a whole number", id="text-for-number"),
    pytest.param(changed("run.usage.prompt_tokens", 1.5), "not a whole number", id="fraction"),
    pytest.param(changed("run.usage.prompt_tokens", -1), "negative", id="negative-count"),
    pytest.param(changed("run.usage.prompt_tokens", 10**30), "out of range", id="huge-count"),
    pytest.param(changed("run.usage.seconds", math.nan), "out of range", id="nan"),
    pytest.param(changed("run.usage.seconds", math.inf), "out of range", id="infinite"),
    pytest.param(changed("run.usage.ended", "never"), "is none of", id="not-a-literal"),
    pytest.param(changed("run.usage.ended", ["end"]), "is none of", id="list-for-literal"),
    pytest.param(changed("run.request.sources", "s"), "is not a list", id="text-for-list"),
    pytest.param(changed("run.request.sources", [{}] * 60_000), "more than 50,000", id="long-list"),
    pytest.param(changed("run.request.sources.0.id", "a b"), "cannot be cited", id="blank-in-an-id"),
    pytest.param(changed("run.request.sources.0.id", "1"), "two sources with one id", id="an-id-twice"),
    pytest.param(changed("run.request.criteria.0.weight", 0), "weight", id="no-weight"),
    pytest.param(changed("run.reward.total.value", 1.5), "interval", id="above-1"),
    pytest.param(changed("run.reward.total.lo", 1.0), "interval", id="outside-its-interval"),
    pytest.param(changed("run.reward.rubric.verdicts.0.1.value", -0.1), "range 0 to 1", id="below-0"),
    pytest.param(changed("run.reward.rubric.verdicts.0", []), "has not 2 elements", id="half-a-pair"),
    pytest.param(changed("run.answer.parts.0.end", 3), "does not span", id="span"),
    pytest.param(changed("run.answer", {"raw": "x" * 500_001, "parts": []}), "too long", id="endless"),
    pytest.param(
        changed(
            "run.answer", {"raw": "x", "parts": [{"text": "x", "ids": ["1"] * 2_001, "start": 0, "end": 1}]}
        ),
        "too long",
        id="too-many-citations",
    ),
    pytest.param(
        changed("run.request.sources", [{"id": str(n), "text": ""} for n in range(2_001)]),
        "more than 2,000 sources",
        id="too-many-sources",
    ),
    pytest.param(changed("run.answer.raw", "x"), "stretches of its text", id="other-text"),
    pytest.param(changed(f"{SUPPORT}.ids", ["s9"]), "other claims", id="other-claims"),
    pytest.param(changed(f"{SUPPORT}.by_source", [None]), "is not an object", id="no-verdict"),
    pytest.param(
        changed(f"{SUPPORT}.by_source", [data(1)["run"]["draft_reward"]["rubric"]["verdicts"][0][1]] * 3),
        "one verdict",
        id="verdicts-too-many",
    ),
    pytest.param(changed(f"{SUPPORT}.passages.0.end", 10**6), "in none of its sources", id="passage"),
    pytest.param(changed(f"{SUPPORT}.passages.0.source_id", "zz"), "in none", id="passage-of-nothing"),
    pytest.param(changed("run.trims", [{"source_id": "0", "kept": 2, "of": 1}]), "more sentences", id="trim"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_what_is_no_run_is_refused_with_the_place_and_what_to_do(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as refused:
        run_file.load_run(text)
    assert "pen another" in str(refused.value) or "Open it with" in str(refused.value)


def test_a_field_with_a_default_may_be_missing() -> None:
    assert run_file.load_run(changed("run.usage.guessed_tokens", ...)).run == runs.samples()[1]


def test_a_file_cannot_show_changes_that_are_not_there() -> None:
    lie = {"kind": "added", "draft": [], "refined": [{"text": "A lie."}]}
    assert run_file.load_run(changed("run.changes", [lie])).run == runs.samples()[1]


ODD: list[Any] = [
    None,
    True,
    0,
    1,
    -1,
    0.5,
    7.5,
    2**63,
    math.inf,
    math.nan,
    "",
    "x",
    "\ud800",
    "1",
    [],
    [[]],
    {},
    {"id": 1},
]


def spoil(whole: Any, dice: random.Random) -> None:
    """Change, delete, duplicate or retype one place in a JSON tree."""
    at, key = whole, "run"
    while True:
        child = at[key]
        if not isinstance(child, dict | list) or not child or (key != "run" and dice.random() < 0.1):
            break
        at, key = child, dice.choice(list(child) if isinstance(child, dict) else range(len(child)))
    match dice.randrange(4):
        case 0:
            del at[key]
        case 1 if isinstance(at, list):
            at.append(copy.deepcopy(at[key]))
        case 2 if isinstance(at[key], int | float):
            at[key] = dice.choice([at[key] + 1, -at[key], at[key] / 2, at[key] * 1e6])
        case _:
            at[key] = copy.deepcopy(dice.choice(ODD))


@given(st.integers(0, 2), st.integers(0, 2**32), st.integers(1, 4))
@settings(max_examples=400)
def test_what_is_read_can_be_rendered_whatever_was_done_to_the_file(
    number: int, seed: int, times: int
) -> None:
    whole, dice = data(number), random.Random(seed)  # noqa: S311 - a replayable choice
    for _ in range(times):
        spoil(whole, dice)
    try:
        run = run_file.load_run(json.dumps(whole)).run
    except InputError:
        return
    assert result.finished(run)


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        run_file.load_run(text)


def test_a_figure_that_is_no_number_is_not_written() -> None:
    run = runs.samples()[0]
    reward = replace(run.reward, total=Aggregate(math.nan, 0, 1, 0, 1))
    with pytest.raises(ValueError, match="JSON"):
        run_file.dump_run(replace(run, reward=reward), runs.MADE)
