"""Reads a judge's written reply, strictly: one score on the scale, or the reason why there is none.

`judge_prompts.JSON` asks for the form that is read. The text is hostile: nothing here raises, and what is kept of it is
bounded. Knows nothing of servers.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from refiner.chat.completion import ReplyToken
from refiner.judges import judge_prompts
from refiner.judges.logits import SCORES

_MAX_READ = 8_000
"""Characters that are read of a reply, from its end, because nested brackets take quadratic time."""
_MAX_RATIONALE = 1_000
"""Characters that are kept of a rationale."""

_MAX_MASS = 1.001
"""Rounded probabilities may add up to this. If they add up to more, the server made them up."""

_KEYS = ("score", "rationale")
_DECODER = json.JSONDecoder(object_pairs_hook=tuple)  # pairs, so that a key that stands twice is seen twice
_OPENING = re.compile(
    r'\{(?=\s*["}])|\[(?=\s*\{)'
)  # an object, or a list of them; `[1]` is part of the prose
_THINKING = re.compile(r"\s*<think>(?:.*?</think>|.*)", re.DOTALL)
_DIGIT = re.compile(r'"score"\s*:\s*"?([0-9])')  # cannot match in a JSON text, whose quotes are escaped


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as read. ``score`` is 0, 1 or 2. ``digit`` is its position in the reply, if it is written as one digit."""

    score: int
    rationale: str
    digit: int | None


def parse(text: str) -> Reply | str:
    """The verdict of a reply, or the reason why it has none, in words. The last JSON object counts.

    Thinking before the object does not count. The text ``"2"`` is read as the score 2: it is one of the scores offered,
    and at temperature 0 another try would bring the same reply.
    """
    thinking = _THINKING.match(text)
    start = thinking.end() if thinking else 0
    if not text[start:].strip():
        return "the judge's reply is empty"
    found = _last_object(text, max(start, len(text) - _MAX_READ))
    if found is None:
        return "the judge's reply holds no JSON object"
    value, begin, end = found
    reason = _fault(value)
    if reason:
        return reason
    named = dict(value)
    score = int(named["score"])
    digit = _DIGIT.search(text, begin, end)
    at = digit.start(1) if digit and digit[1] == str(score) else None
    return Reply(score, named.get("rationale", "").strip()[:_MAX_RATIONALE], at)


def score_probabilities(tokens: Sequence[ReplyToken], score: int) -> tuple[float, ...] | None:
    """The probabilities of 0, 1 and 2 where the reply says ``score``; None where its tokens do not tell.

    The tokens are read as a reply of their own: they may spell out thinking, or an end, that its text leaves out.
    """
    reply = parse("".join(token.text for token in tokens))
    if isinstance(reply, str) or reply.digit is None:
        return None
    ends = list(accumulate(len(token.text) for token in tokens))
    token = tokens[bisect_right(ends, reply.digit)]
    if token.text.strip() != str(score) or not token.probabilities:
        return None
    found = tuple(sum(p for text, p in token.probabilities.items() if text.strip() == one) for one in SCORES)
    return found if sum(found) <= _MAX_MASS else None


def _last_object(text: str, at: int) -> tuple[Any, int, int] | None:
    """The last object, or list of objects, with its span."""
    last = None
    while opening := _OPENING.search(text, at):
        at = opening.end()
        try:
            value, at = _DECODER.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            continue
        last = value, opening.start(), at
    return last


def _fault(value: Any) -> str:
    """Why a JSON value is no verdict; empty if it is one."""
    if isinstance(value, list):
        return "the judge's reply is a list of verdicts; one was asked for"
    keys = [key for key, _ in value]
    if "score" not in keys:
        return 'the judge\'s reply has no "score"'
    if len(set(keys)) < len(keys):
        return "the judge's reply gives two verdicts in one: a key stands twice"
    if set(keys) - set(_KEYS):
        return 'the judge\'s reply says more than "score" and "rationale"'
    named = dict(value)
    if not isinstance(named.get("rationale", ""), str):
        return "the judge's rationale is not text"
    return (
        ""
        if _on_scale(named["score"])
        else f"the judge's score {_short_repr(named['score'])} is off the scale 0, 1, 2"
    )


def _on_scale(score: Any) -> bool:
    if isinstance(score, str):
        return score in SCORES
    return (
        isinstance(score, int | float)
        and not isinstance(score, bool)
        and score in range(judge_prompts.TOP_SCORE + 1)
    )


def _short_repr(score: Any) -> str:
    return "(a list or an object)" if isinstance(score, list | tuple) else json.dumps(score)[:40]
