"""The body of a chat completion: its text, and its tokens with their log-probabilities.

Its types are whatever the server sent, so every step into it is tried. Nothing here raises.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ReplyToken:
    """A token of a reply, and the probabilities that the server gives of the likeliest tokens in its place."""

    text: str
    probabilities: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ChatReply:
    """A reply: its text, its tokens where log-probabilities came, and whether it was ``truncated`` at the most tokens."""

    text: str
    tokens: tuple[ReplyToken, ...] = ()
    truncated: bool = False


def parse_completion(body: object) -> ChatReply:
    """What a chat completion says; an empty text if it says nothing."""
    choice = _at(body, "choices", 0)
    text = _at(choice, "message", "content")
    entries = _at(choice, "logprobs", "content")
    return ChatReply(
        text if isinstance(text, str) else "",
        tuple(map(_token, entries)) if isinstance(entries, list) else (),
        truncated=_at(choice, "finish_reason") == "length",
    )


def _token(entry: object) -> ReplyToken:
    text, top = _at(entry, "token"), _at(entry, "top_logprobs")
    named = [(_at(one, "token"), _at(one, "logprob")) for one in top] if isinstance(top, list) else []
    return ReplyToken(
        text if isinstance(text, str) else "",
        {token: _probability(logprob) for token, logprob in named if isinstance(token, str)},
    )


def _probability(logprob: Any) -> float:
    try:
        return math.exp(float(logprob))
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _at(value: Any, *path: str | int) -> object:
    for step in path:
        try:
            value = value[step]
        except (TypeError, LookupError):
            return None
    return value
