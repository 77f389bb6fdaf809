"""Writes one answer within a token budget: what may come next, what is forced, and how the answer ends.

Knows tokens and the grammar, not models. A writer is asked for `allowed` tokens, told to `accept` one, and ended by
`finish`. The decoding loop (`decoding.loop`) is the same for both kinds of writer.
"""

import re
from dataclasses import replace
from typing import Protocol, TypeVar

from refiner.decoding.grammar import CLOSE_ANSWER, CLOSE_CLAIM, OPEN_ANSWER, OPEN_CLAIM, Grammar, quoted_claim
from refiner.decoding.states import Closed, State
from refiner.decoding.vocabulary import AllowedTokens, Vocabulary
from refiner.formats import notation

W = TypeVar("W")

MIN_CLAIM_TOKENS = 8
"""Tokens of text that the budget must hold before a claim is opened."""

_UNFINISHED_TAG = re.compile(r"<(?:/?[a-z]*|snippet [^<>]*>?)\Z")  # half a tag, or a claim's without a word
_CLOSERS = r"(?:[\"'”’)\]]| ?»)*"
_COMPLETE = re.compile(  # a claim or a sentence; "3." may go on as "3.5", unless a blank or a tag follows
    rf"<answer>|<snippet [^<>]*>|(?P<end>(?:</snippet>|[。！？]|[.!?…](?={_CLOSERS}(?:[\s<]|\Z))){_CLOSERS})"
)


class Writer(Protocol):
    """What the decoding loop needs of a text that is being written."""

    @property
    def text(self) -> str:
        """The text so far, whole characters only."""

    @property
    def written(self) -> bytes:
        """The bytes of the text so far."""

    @property
    def token_count(self) -> int:
        """The tokens written so far, forced ones too."""

    @property
    def finished(self) -> bool:
        """Whether nothing more may come."""

    @property
    def truncated(self) -> bool:
        """Whether the budget ran out before the text was at its own end."""

    def start(self) -> list[int]:
        """The tokens that come before anything the model says."""

    def allowed(self) -> AllowedTokens | None:
        """What may come next; None: anything."""

    def accept(self, token: int) -> list[int]:
        """Write a token. Returns it with the tokens that it forces, for the model to read next."""

    def finish(self, *, keep_unfinished: bool) -> None:
        """End the text here. ``keep_unfinished`` keeps an unfinished sentence."""


def _copy(writer: W) -> W:
    """A writer that goes on alone: what it holds is never changed in place. `copy.copy`'s own way goes by pickling's protocol."""
    other = object.__new__(type(writer))
    other.__dict__.update(writer.__dict__)
    return other


class UnconstrainedWriter:
    """Holds output to nothing but the budget and the model's own end."""

    def __init__(self, vocabulary: Vocabulary, budget: int, eos_tokens: frozenset[int]) -> None:
        self.token_count, self.finished, self.truncated = 0, False, False
        self._vocabulary, self._budget, self._eos_tokens = vocabulary, budget, eos_tokens
        self.written = b""

    __copy__ = _copy

    @property
    def text(self) -> str:
        """The text so far, whole characters only."""
        return self.written.decode(errors="ignore")

    def start(self) -> list[int]:
        """Nothing is forced."""
        return []

    def allowed(self) -> AllowedTokens | None:
        """Anything may come."""
        return None

    def accept(self, token: int) -> list[int]:
        """Write one token."""
        self.token_count += 1
        ended = token in self._eos_tokens
        self.written += b"" if ended else self._vocabulary.token_bytes(token)
        self.truncated = not ended and self.token_count >= self._budget
        self.finished = ended or self.truncated
        return [token]

    def finish(self, *, keep_unfinished: bool) -> None:
        """Stop here."""
        del keep_unfinished
        self.finished = True


class ConstrainedWriter:
    """Holds output to the answer format, at any budget from 16 tokens up.

    Room for the closing tags is reserved from the start. When the rest is used up, an unfinished sentence is dropped
    if something complete stands before it. Otherwise it is cut at a word's end.
    """

    def __init__(self, grammar: Grammar, budget: int) -> None:
        self.token_count, self.finished, self.truncated = 0, False, False
        self.written = b""
        self._costs: dict[bytes, int] = {}  # tokens of each quoted claim, for all copies
        encode = grammar.vocabulary.encode
        self._reserved = len(encode(CLOSE_CLAIM + CLOSE_ANSWER)) + 1
        self._budget = budget - self._reserved
        longest_id = max((len(encode(f"{one}>".encode())) for one in grammar.ids), default=0)
        self._claim_cost = len(encode(OPEN_CLAIM)) + longest_id + MIN_CLAIM_TOKENS + 2
        left = self._budget - len(encode(OPEN_ANSWER))
        self._grammar = _with_a_quote_that_fits(grammar, left) if grammar.form == "extractive" else grammar
        holds_claim = bool(self._grammar.quotes) if grammar.form == "extractive" else self._claim_cost <= left
        self.state = self._grammar.start(may_open=holds_claim)

    __copy__ = _copy

    @property
    def text(self) -> str:
        """The text so far, whole characters only."""
        return self.written.decode(errors="ignore")

    def start(self) -> list[int]:
        """The opening tag, and a first claim's where the form has nothing else."""
        return self._force()

    def allowed(self) -> AllowedTokens:
        """What may come next."""
        return self._grammar.allowed(self.state, may_open=self._may_open_claim(), fits=self._fits)

    def accept(self, token: int) -> list[int]:
        """Write a token and what it forces. Raises `ValueError` for a token that is forbidden."""
        data = self._grammar.vocabulary.token_bytes(token)
        state = self._grammar.advance(self.state, data, may_open=self._may_open_claim(), fits=self._fits)
        if state is None:
            raise ValueError(f"token {token} ({data!r}) is forbidden here")
        self.state = state
        self._write([token], data)
        return [token, *self._force()]

    def finish(self, *, keep_unfinished: bool) -> None:
        """Close the answer properly where it stands."""
        if self.finished:
            return
        kept = self._kept(keep_unfinished=keep_unfinished)
        closing = (CLOSE_CLAIM if _in_claim(kept) else b"") + CLOSE_ANSWER
        self.written = kept + closing
        self.token_count += len(self._grammar.vocabulary.encode(closing))
        self.state, self.finished = Closed(), True

    def forced(self, state: State) -> tuple[bytes, State]:
        """What must come after a state whatever the model says, and the state after it."""
        return self._grammar.forced(state, self._fits)

    def after(self, state: State, *texts: bytes) -> State | None:
        """The state after the texts; None where one is forbidden."""
        here: State | None = state
        for text in texts:
            if here is not None:
                here = self._grammar.advance(here, text, may_open=self._may_open_claim(), fits=self._fits)
        return here

    def _may_open_claim(self) -> bool:
        return self._claim_cost <= self._budget - self.token_count

    def _fits(self, claim: bytes) -> bool:
        """Whether the budget holds a quoted claim, with two tokens for what the model may spell otherwise."""
        if claim not in self._costs:
            self._costs[claim] = len(self._grammar.vocabulary.encode(claim)) + 2
        return self._costs[claim] <= self._budget - self.token_count

    def _force(self) -> list[int]:
        """Write what must come next, and return its tokens."""
        tokens, state = self._grammar.forced_tokens(
            self.state, may_open=self._may_open_claim(), fits=self._fits
        )
        left = self._budget - self.token_count
        if len(tokens) > left + (self._reserved if isinstance(state, Closed) else 0):
            tokens, state = tokens[:left], self.state  # the budget ends here, and `finish` closes the answer
        elif not tokens:
            self.state = state  # a choice may have been spelled out
            return []
        self.state = state
        self._write(tokens, self._grammar.vocabulary.decode(tokens))
        return tokens

    def _write(self, tokens: list[int], data: bytes) -> None:
        self.written += data
        self.token_count += len(tokens)
        self.finished = isinstance(self.state, Closed)
        if not self.finished and self.token_count >= self._budget:
            self.truncated = True
            self.finish(keep_unfinished=False)

    def _kept(self, *, keep_unfinished: bool) -> bytes:
        """What of the text remains when it must end here."""
        text = _UNFINISHED_TAG.sub("", self.text)
        if not keep_unfinished:
            text = self._complete_part(text) or _at_word_end(text)
        return text.rstrip().encode() or OPEN_ANSWER

    def _complete_part(self, text: str) -> str:
        """Up to the end of the last claim or sentence. Of quoted sentences a whole claim is complete, and no less."""
        if self._grammar.form == "extractive" and self._grammar.quotes:
            closed, tag, _ = text.rpartition(notation.CLOSE_CLAIM)
            return closed + tag
        return text[: max((part.end() for part in _COMPLETE.finditer(text) if part["end"]), default=0)]


def _with_a_quote_that_fits(grammar: Grammar, left: int) -> Grammar:
    """The grammar, if one of its quotes can be written in ``left`` tokens; else with one cut at a word's end."""

    def fits(source_id: str, sentence: str) -> bool:
        claim = quoted_claim(source_id, sentence, first=True)
        return len(grammar.vocabulary.encode(claim)) + 2 <= left

    if not grammar.quotes or any(fits(*quote) for group in grammar.quotes for quote in group):
        return grammar
    source_id, sentence = grammar.quotes[0][0]
    words = sentence.split(" ")
    while words and not fits(source_id, " ".join(words)):
        words.pop()
    return replace(grammar, quotes=(((source_id, " ".join(words)),),) if words else ())


def _in_claim(text: bytes) -> bool:
    return text.rfind(OPEN_CLAIM) > text.rfind(CLOSE_CLAIM)


def _at_word_end(text: str) -> str:
    """Without the last word, which may be cut. A single word stays."""
    start = text.rfind(">") + 1
    end = max(text.rfind(" "), text.rfind("\n"))
    return text[:end] if end > start else text
