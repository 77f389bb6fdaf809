"""The body of a chat completion: what it says, and how likely it says each score was.

Its types are whatever the server sent, so every step into it is tried. Nothing here raises.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from refiner.judges.logits import SCORES
from refiner.judges.reply import parse

_ALL = 1.001
"""What probabilities may add up to when they are rounded; beyond it they are made up."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a reply, and the probabilities in [0, 1] of the likeliest tokens in its place."""

    text: str
    chances: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Said:
    """A reply: its text, its tokens where log-probabilities came, and whether it was ``cut`` at the most tokens."""

    text: str
    tokens: tuple[Token, ...] = ()
    cut: bool = False


def said(body: object) -> Said:
    """What a chat completion says; an empty text if it says nothing."""
    choice = _at(body, "choices", 0)
    text = _at(choice, "message", "content")
    entries = _at(choice, "logprobs", "content")
    return Said(
        text if isinstance(text, str) else "",
        tuple(map(_token, entries)) if isinstance(entries, list) else (),
        cut=_at(choice, "finish_reason") == "length",
    )


def chances(tokens: Sequence[Token], score: int) -> tuple[float, ...] | None:
    """The probabilities of 0, 1 and 2 where the reply says ``score``; None where its tokens do not tell.

    The tokens are read as a reply of their own: they may spell out thinking, or an end, that its text leaves out.
    """
    reply = parse("".join(token.text for token in tokens))
    if isinstance(reply, str) or reply.digit is None or reply.score != score:
        return None
    ends = list(accumulate(len(token.text) for token in tokens))
    token = tokens[bisect_right(ends, reply.digit)]
    if token.text.strip() != str(score) or not token.chances:
        return None
    found = tuple(sum(p for text, p in token.chances.items() if text.strip() == one) for one in SCORES)
    return found if sum(found) <= _ALL else None


def _token(entry: object) -> Token:
    text, top = _at(entry, "token"), _at(entry, "top_logprobs")
    named = [(_at(one, "token"), _at(one, "logprob")) for one in top] if isinstance(top, list) else []
    return Token(
        text if isinstance(text, str) else "",
        {token: _chance(logprob) for token, logprob in named if isinstance(token, str)},
    )


def _chance(logprob: Any) -> float:
    try:
        return math.exp(min(float(logprob), 0.0))
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _at(value: Any, *path: str | int) -> object:
    for step in path:
        try:
            value = value[step]
        except (TypeError, LookupError):
            return None
    return value
