"""The answer format as an automaton over bytes: which tokens may come next.

Three forms (`domain.Form`): *free* is the format itself; *strict* has text only inside claims, each ended by
a sentence's end; *extractive* has only whole sentences of the sources, none twice. States are immutable, so
that a caller can look ahead. Knows nothing of models; budgets are the writer's (`decoding.constrained_writer`).

Two kinds of state matter: `Text`, where nearly every token may follow and the mask is cached, and `Choice`,
where one of a few byte strings must follow: tokens are their prefixes, and what all of them share is forced
and costs no forward pass. `Ids` and `Pick` are choices not yet spelled out.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from refiner.decoding.vocabulary import Vocabulary
from refiner.domain import Form

MAX_IDS = 8
"""The most ids that one claim may cite."""

OPEN, CLOSE, TAG, TAG_END = b"<answer>", b"</answer>", b"<snippet id=", b"</snippet>"

_TERMINAL = frozenset(".!?。！？…")  # end a sentence
_CLOSERS = frozenset("\"'”’)]» ")  # may follow that end
_EASY = re.compile(rb"[\n\t -;=-~]+")  # ASCII without control characters and `<`
_EASY_TERMINAL = tuple(one.encode() for one in sorted(_TERMINAL) if one.isascii())
_EASY_CLOSERS = "".join(one for one in sorted(_CLOSERS) if one.isascii()).encode()
_DIGITS = b"0123456789"
_LESS = (  # what may follow a `<` that begins no tag; `< ` all but what begins a tag's name, as in `< answer>`
    *(bytes([byte]) for byte in b"=" + _DIGITS),
    *(bytes([ord("-"), byte]) for byte in _DIGITS),
    *(bytes([ord(" "), byte]) for byte in range(0x21, 0x7F) if chr(byte).lower() not in "/<asct"),
)
_ASCII_END = 0x80


@dataclass(frozen=True, slots=True)
class Text:
    """In running text, plain or a claim's.

    ``pending`` are the bytes of an unfinished character, ``filled`` says that more than blanks stands here,
    ``ended`` that the text so far ends a sentence.
    """

    claim: bool
    pending: bytes = b""
    filled: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """``at`` bytes of one of ``options`` have been written; an option written out leads to its state."""

    options: "tuple[tuple[bytes, State], ...]"
    at: int = 0


@dataclass(frozen=True, slots=True)
class Ids:
    """A claim's next id is due; it has those in ``used``."""

    used: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Pick:
    """The next quoted sentence is due (extractive), from the groups at ``group`` and after it."""

    group: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """The answer is closed."""


Quotes = tuple[tuple[tuple[str, str], ...], ...]
State = Text | Choice | Ids | Pick | Done


Fits = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may come next: a ``mask`` over the whole vocabulary, or a short list of ``tokens``."""

    mask: NDArray[np.bool_] | None = None
    tokens: tuple[int, ...] = ()


@dataclass(frozen=True)
class Grammar:
    """The format for one request: its form, the ids it may cite, the sentences it may quote.

    ``quotes`` are groups of (id, sentence): at most one of each is written, in the groups' order. A sentence
    stands in one group only, and holds no tag (`answer.defang`) and no line break.
    ``seen`` keeps what may come next in text; grammars over the same vocabulary can share it.
    """

    vocabulary: Vocabulary
    form: Form
    ids: tuple[str, ...]
    quotes: Quotes = ()
    seen: dict[tuple[Form, Text, bool], Allowed] = field(default_factory=dict, repr=False)

    def start(self, *, may_open: bool) -> State:
        """Where an answer begins. Without ``may_open`` the budget holds no claim, and it is plain text."""
        first: State = Text(claim=False)
        if may_open and self.form == "extractive" and self.quotes:
            first = Pick()
        elif may_open and self.form == "strict" and self.ids:
            first = Choice(((TAG, Ids()),))
        return Choice(((OPEN, first),))

    def advance(self, state: State, data: bytes, *, may_open: bool = True) -> State | None:
        """The state after ``data``, or None where it is forbidden."""
        if isinstance(state, Text) and not state.pending and _EASY.fullmatch(data):
            return _after_easy(state, data)
        here: State | None = state
        for byte in data:
            match here:
                case None | Done():
                    return None
                case Text():
                    here = self._text(here, byte, may_open=may_open)
                case _:
                    here = _choose(self.opened(here), byte)
        return here

    def opened(self, state: Choice | Ids | Pick, fits: Fits = lambda _: True, before: bytes = b"") -> Choice:
        """The choice spelled out; ``fits`` says whether the budget holds ``before`` and a quoted claim."""
        if isinstance(state, Ids):
            return self._ids(state.used)
        if isinstance(state, Pick):
            return self._picks(state.group, lambda claim: fits(before + claim))
        return state

    def forced(self, state: State, fits: Fits = lambda _: True) -> tuple[bytes, State]:
        """What must come next whatever the model says, and the state after it.

        Inside quotes that differ later on, only whole words are forced: half a word would leave the model
        to finish it in tokens that it never saw.
        """
        written = b""
        while isinstance(state, Choice | Ids | Pick):
            choice = self.opened(state, fits, written)
            rests = [option[choice.at :] for option, _ in choice.options]
            if len(rests) == 1:
                written += rests[0]
                state = choice.options[0][1]
                continue
            common = _common_prefix(rests)
            if b">" in choice.options[0][0][: choice.at + len(common)]:
                common = common[: max(common.rfind(b" "), common.find(b">") + 1)]
            return written + common, Choice(choice.options, choice.at + len(common))
        return written, state

    def allowed(self, state: State, *, may_open: bool = True) -> Allowed:
        """The tokens that may come next."""
        if isinstance(state, Text):
            key = (self.form, state, may_open and bool(self.ids))
            if key not in self.seen:
                self.seen[key] = self._text_allowed(state, may_open=may_open)
            return self.seen[key]
        if isinstance(state, Done):
            return Allowed()
        choice, known = self.opened(state), self.vocabulary.by_bytes
        rests = {option[choice.at : choice.at + self.vocabulary.longest] for option, _ in choice.options}
        tokens = {known[rest[:n]] for rest in rests for n in range(1, len(rest) + 1) if rest[:n] in known}
        return Allowed(tokens=tuple(sorted(tokens)))

    def _text_allowed(self, state: Text, *, may_open: bool) -> Allowed:
        hard = self.vocabulary.hard
        fitting = [token for token, data in hard if self.advance(state, data, may_open=may_open) is not None]
        if state.pending:  # few tokens go on from half a character, and there are many halves
            return Allowed(tokens=tuple(fitting))
        plain = self.vocabulary.plain
        mask = plain & self.vocabulary.opens_word if state.claim and not state.filled else plain.copy()
        mask[fitting] = True
        return Allowed(mask=mask)

    # --- one byte further ------------------------------------------------------------------------------

    def _text(self, state: Text, byte: int, *, may_open: bool) -> State | None:
        if state.pending or byte >= _ASCII_END:
            return _character(state, byte)
        if byte == ord("<"):
            return self._less(state, may_open=may_open)
        control = (byte < ord(" ") and byte not in b"\n\t") or byte == ord("\x7f")
        leading = state.claim and not state.filled and byte in b" \n\t"  # it would part `>` from a word
        return None if control or leading else _after(state, chr(byte))

    def _less(self, state: Text, *, may_open: bool) -> Choice | None:
        """After a ``<``: a tag where one may stand, or within a sentence a sign that means less."""
        options: list[tuple[bytes, State]] = []
        if state.filled and not state.ended:
            options += [(sign, _after(state, chr(sign[-1]))) for sign in _LESS]
        if state.claim and state.filled and self.form != "strict":
            options.append((TAG_END[1:], Text(claim=False, filled=True, ended=True)))
        elif state.claim and state.filled and state.ended:
            again: list[tuple[bytes, State]] = [(b" " + TAG, Ids())] if may_open else []
            options.append((TAG_END[1:], Choice(((CLOSE, Done()), *again))))
        elif not state.claim:
            options += [(CLOSE[1:], Done())] if state.filled else []
            options += [(TAG[1:], Ids())] if may_open and self.ids else []
        return Choice(tuple(options)) if options else None

    # --- choices ---------------------------------------------------------------------------------------

    def _ids(self, used: frozenset[str]) -> Choice:
        left = [one for one in self.ids if one not in used]
        options: list[tuple[bytes, State]] = [(f"{one}>".encode(), Text(claim=True)) for one in left]
        if len(left) > 1 and len(used) + 1 < MAX_IDS:
            options += [(f"{one},".encode(), Ids(used | {one})) for one in left]
        return Choice(tuple(options))

    def _picks(self, group: int, fits: Fits) -> Choice:
        options: list[tuple[bytes, State]] = [(CLOSE, Done())] if group else []
        for number in range(group, len(self.quotes)):
            claims = [quoted(one, sentence, first=not group) for one, sentence in self.quotes[number]]
            found: list[tuple[bytes, State]] = [(claim, Pick(number + 1)) for claim in claims if fits(claim)]
            if found:
                return Choice((*options, *found))
        return Choice(((CLOSE, Done()),))


def quoted(one: str, sentence: str, *, first: bool) -> bytes:
    """A whole claim as it is written; a blank parts it from one before."""
    return (b"" if first else b" ") + TAG + f"{one}>{sentence}".encode() + TAG_END


def _common_prefix(strings: Sequence[bytes]) -> bytes:
    first, last = min(strings), max(strings)
    same = (n for n, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1])
    return first[: next(same, min(len(first), len(last)))]


def _choose(choice: Choice, byte: int) -> State | None:
    live = tuple(option for option in choice.options if option[0][choice.at] == byte)
    if len(live) == 1 and len(live[0][0]) == choice.at + 1:
        return live[0][1]
    return Choice(live, choice.at + 1) if live else None


def _character(state: Text, byte: int) -> Text | None:
    """One byte of a character beyond ASCII."""
    if not _continues(state.pending, byte):
        return None
    character = state.pending + bytes([byte])
    if len(character) < _width(character[0]):
        return Text(state.claim, character, state.filled, state.ended)
    return _after(state, character.decode())


def _after(state: Text, character: str) -> Text:
    ended = character in _TERMINAL or (state.ended and character in _CLOSERS)
    return Text(state.claim, b"", state.filled or not character.isspace(), ended)


def _after_easy(state: Text, data: bytes) -> Text | None:
    """Many plain characters at once: what `Grammar.advance` makes of them one by one."""
    if state.claim and not state.filled and data[:1].isspace():
        return None
    rest = data.rstrip(_EASY_CLOSERS)
    ended = rest.endswith(_EASY_TERMINAL) if rest else state.ended
    return Text(state.claim, b"", state.filled or not data.isspace(), ended)


def _continues(pending: bytes, byte: int) -> bool:
    """Whether ``byte`` may follow ``pending`` in well-formed UTF-8 (The Unicode Standard, table 3-7)."""
    if not pending:
        return 0xC2 <= byte <= 0xF4  # noqa: PLR2004 - the table's leading bytes
    low, high = 0x80, 0xBF
    if len(pending) == 1:
        low = {0xE0: 0xA0, 0xF0: 0x90}.get(pending[0], low)
        high = {0xED: 0x9F, 0xF4: 0x8F}.get(pending[0], high)
    return low <= byte <= high


def _width(lead: int) -> int:
    """How many bytes the character has that ``lead`` begins."""
    return 2 + (lead >= 0xE0) + (lead >= 0xF0)  # noqa: PLR2004 - UTF-8's borders
