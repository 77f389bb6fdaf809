"""Writing one answer within a budget of tokens: what may come next, what is forced, and how it ends.

Knows tokens and the grammar, not models. A writer is asked `allowed`, told `take`, and ended by `finish`;
the loop that runs a model (`decoding.loop`) is the same for both kinds.
"""

from dataclasses import replace
from typing import Protocol

from refiner.decoding.grammar import CLOSE, OPEN, TAG, TAG_END, Allowed, Done, Grammar, Text, quoted
from refiner.decoding.vocabulary import Vocabulary

MIN_CLAIM = 8
"""Tokens of text that must fit the budget for a claim to be opened."""


class Writer(Protocol):
    """What the loop needs of a text that is being written."""

    @property
    def text(self) -> str:
        """What stands so far, whole characters only."""

    @property
    def written(self) -> bytes:
        """The bytes of what stands so far."""

    @property
    def spent(self) -> int:
        """The tokens written so far, forced ones too."""

    @property
    def done(self) -> bool:
        """Nothing more may come."""

    @property
    def cut(self) -> bool:
        """The budget ran out before the text was at its own end."""

    def begin(self) -> list[int]:
        """Tokens that come before anything the model says."""

    def allowed(self) -> Allowed | None:
        """What may come next; None: anything."""

    def take(self, token: int) -> list[int]:
        """Write a token; returns it with those that it forces, for the model to read next."""

    def finish(self, *, whole: bool) -> None:
        """End the text here; ``whole`` keeps an unfinished sentence."""


class FreeWriter:
    """Holds output to nothing but the budget and the model's own end."""

    def __init__(self, vocabulary: Vocabulary, budget: int, ends: frozenset[int]) -> None:
        self.spent, self.done, self.cut = 0, False, False
        self._vocabulary, self._budget, self._ends = vocabulary, budget, ends
        self.written = b""

    @property
    def text(self) -> str:
        """What stands so far."""
        return self.written.decode(errors="ignore")

    def begin(self) -> list[int]:
        """Nothing is forced."""
        return []

    def allowed(self) -> Allowed | None:
        """Anything."""
        return None

    def take(self, token: int) -> list[int]:
        """Write one token."""
        self.spent += 1
        ended = token in self._ends
        self.written += b"" if ended else self._vocabulary.data(token)
        self.cut = not ended and self.spent >= self._budget
        self.done = ended or self.cut
        return [token]

    def finish(self, *, whole: bool) -> None:
        """Stop here."""
        del whole
        self.done = True


class HeldWriter:
    """Holds output to the answer format, at any budget from 16 tokens up.

    Room for the closing tags is kept back from the start. When the rest is used up, an unfinished sentence
    is dropped if something complete stands before it; otherwise it is cut at a word's end.
    """

    def __init__(self, grammar: Grammar, budget: int) -> None:
        self.spent, self.done, self.cut = 0, False, False
        self.written = b""
        self._complete = 0  # bytes up to the end of the last claim, or sentence inside or outside of one
        self._sentence_ended = False
        encode = grammar.vocabulary.encode
        self._closing = len(encode(TAG_END + CLOSE)) + 1
        self._room = budget - self._closing
        longest_id = max((len(encode(f"{one}>".encode())) for one in grammar.ids), default=0)
        self._opening = len(encode(TAG)) + longest_id + MIN_CLAIM + 2
        left = self._room - len(encode(OPEN))
        self._grammar = _fitted(grammar, left) if grammar.form == "extractive" else grammar
        holds_claim = bool(self._grammar.quotes) if grammar.form == "extractive" else self._opening <= left
        self.state = self._grammar.start(may_open=holds_claim)

    @property
    def text(self) -> str:
        """What stands so far, whole characters only."""
        return self.written.decode(errors="ignore")

    def begin(self) -> list[int]:
        """The opening tag, and a first claim's where the form has nothing else."""
        return self._force()

    def allowed(self) -> Allowed:
        """What may come next."""
        return self._grammar.allowed(self.state, may_open=self._may_open())

    def take(self, token: int) -> list[int]:
        """Write a token and what it forces."""
        data = self._grammar.vocabulary.data(token)
        state = self._grammar.advance(self.state, data, may_open=self._may_open())
        if state is None:
            raise ValueError(f"token {token} ({data!r}) is forbidden here")
        self.state = state
        self._write([token], data)
        return [token, *self._force()]

    def finish(self, *, whole: bool) -> None:
        """Close the answer properly where it stands."""
        if self.done:
            return
        kept = self._kept(whole=whole)
        closing = (TAG_END if _in_claim(kept) else b"") + CLOSE
        self.written = kept + closing
        self.spent += len(self._grammar.vocabulary.encode(closing))
        self.state, self.done = Done(), True

    def _may_open(self) -> bool:
        return self._opening <= self._room - self.spent

    def _cost(self, claim: bytes) -> int:
        """Tokens of a quoted claim, with two for what the model may spell otherwise."""
        return len(self._grammar.vocabulary.encode(claim)) + 2

    def _force(self) -> list[int]:
        left = self._room - self.spent
        data, state = self._grammar.forced(self.state, lambda claim: self._cost(claim) <= left)
        if not data:
            self.state = state  # a choice may have been spelled out
            return []
        tokens = self._grammar.vocabulary.encode(data)
        if len(tokens) > left and not isinstance(state, Done):
            tokens = tokens[: max(0, left)]
            data = self._grammar.vocabulary.spell(tokens)
            state = self._grammar.advance(self.state, data) or state
        self.state = state
        self._write(tokens, data)
        return tokens

    def _write(self, tokens: list[int], data: bytes) -> None:
        if self._sentence_ended and data[:1].isspace():  # "3." may go on as "3.5"; with a blank it is an end
            self._complete = len(self.written)
        self.written += data
        self.spent += len(tokens)
        self.done = isinstance(self.state, Done)
        self._sentence_ended = isinstance(self.state, Text) and self.state.ended
        if self.written.endswith(TAG_END):
            self._complete = len(self.written)
        if not self.done and self.spent >= self._room:
            self.cut = True
            self.finish(whole=False)

    def _kept(self, *, whole: bool) -> bytes:
        """What of the text remains when it must end here."""
        text = self.text.encode()
        begun = text.rfind(b"<")
        if not isinstance(self.state, Text) and text.find(b">", begun) < 0:
            text = text[:begun]  # half a tag
        if _in_claim(text) and text.find(b">", text.rfind(TAG)) == len(text) - 1:
            text = text[: text.rfind(TAG)]  # a claim without a word
        if not whole and not self._sentence_ended:
            text = text[: self._complete] if self._complete else _at_word_end(text)
        return text.rstrip() or OPEN


def _fitted(grammar: Grammar, left: int) -> Grammar:
    """The grammar, if one of its quotes can be written in ``left`` tokens; else with one cut at a word's end."""

    def fits(one: str, sentence: str) -> bool:
        return len(grammar.vocabulary.encode(quoted(one, sentence, first=True))) + 2 <= left

    if not grammar.quotes or any(fits(*quote) for group in grammar.quotes for quote in group):
        return grammar
    one, sentence = grammar.quotes[0][0]
    words = sentence.split(" ")
    while words and not fits(one, " ".join(words)):
        words.pop()
    return replace(grammar, quotes=(((one, " ".join(words)),),) if words else ())


def _in_claim(text: bytes) -> bool:
    return text.rfind(TAG) > text.rfind(TAG_END)


def _at_word_end(text: bytes) -> bytes:
    """Without the last word, which may be cut; a single word stays."""
    start = text.rfind(b">") + 1
    end = max(text.rfind(b" "), text.rfind(b"\n"))
    return text[:end] if end > start else text
