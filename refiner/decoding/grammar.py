"""The answer format as an automaton over bytes: which tokens may come next.

Three forms (`domain.Form`). *free* is the format itself. *strict* has text only inside claims, and each claim ends
where a sentence ends. *extractive* has only whole sentences of the sources, none twice. States are immutable, so a
caller can look ahead. Knows nothing of models. Token budgets belong to the writer (`decoding.constrained_writer`).

Two kinds of state matter. In `InText` nearly every token may follow, and the mask is cached. In `OneOf` one of a few
byte strings must follow, and what all strings begin with is forced and costs no forward pass. `NextIds` and `NextQuote`
are such choices before they are spelled out.

A token may reach over the end of a tag, as ``>The`` does in Qwen's vocabulary. The tokenizer's own tokens of a valid
answer are allowed one after the other, and forced text is given in those tokens (`Grammar.forced_tokens`): a model
writes best in the tokens that it was trained on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from refiner.decoding.running_text import (
    ASCII_END,
    after_byte_beyond_ascii,
    after_character,
    after_plain_ascii,
    less_than_signs,
)
from refiner.decoding.states import Closed, InText, NextIds, NextQuote, OneOf, State
from refiner.decoding.vocabulary import AllowedTokens, Vocabulary
from refiner.domain import Form
from refiner.formats import notation

MAX_IDS_PER_CLAIM = 8

OPEN_ANSWER, CLOSE_ANSWER = notation.OPEN_ANSWER.encode(), notation.CLOSE_ANSWER.encode()
OPEN_CLAIM, CLOSE_CLAIM = notation.OPEN_CLAIM.encode(), notation.CLOSE_CLAIM.encode()

Quotes = tuple[tuple[tuple[str, str], ...], ...]
Forced = tuple[list[int], State]
Fits = Callable[[bytes], bool]
"""Whether the budget holds a quoted claim."""


def _everything_fits(claim: bytes) -> bool:
    del claim
    return True


@dataclass(frozen=True)
class Grammar:
    """The format for one request: its form, the ids it may cite, the sentences it may quote.

    ``quotes`` are groups of (id, sentence). At most one of each group is written, in the groups' order. A sentence
    stands in one group only, and holds no tag (`formats.answer.defang`) and no line break. ``mask_cache`` keeps what
    may come next in text. Grammars over the same vocabulary can share it. What hangs on the ids alone is kept too;
    quotations hang on the budget.
    """

    vocabulary: Vocabulary
    form: Form
    ids: tuple[str, ...]
    quotes: Quotes = ()
    mask_cache: dict[tuple[Form, InText, bool], AllowedTokens] = field(default_factory=dict, repr=False)
    _choices: dict[tuple[State, bool], AllowedTokens] = field(default_factory=dict, init=False, repr=False)
    _forced: dict[tuple[State, bool], Forced] = field(default_factory=dict, init=False, repr=False)
    _ids: dict[frozenset[str], OneOf] = field(default_factory=dict, init=False, repr=False)

    def start(self, *, may_open: bool) -> State:
        """Where an answer begins. Without ``may_open`` the budget holds no claim, and the answer is plain text."""
        first: State = InText(claim=False)
        if may_open and self.form == "extractive" and self.quotes:
            first = NextQuote()
        elif may_open and self.form == "strict" and self.ids:
            first = OneOf(((OPEN_CLAIM, NextIds()),))
        return OneOf(((OPEN_ANSWER, first),))

    def advance(
        self, state: State, data: bytes, *, may_open: bool = True, fits: Fits = _everything_fits
    ) -> State | None:
        """The state after ``data``; None where ``data`` is forbidden."""
        if isinstance(state, InText):
            plain = after_plain_ascii(state, data)
            if plain is not None:
                return plain
        here: State | None = state
        for number, byte in enumerate(data):
            match here:
                case None | Closed():
                    return None
                case InText():
                    here = self._after_byte(here, byte, may_open=may_open)
                case _:
                    here = _choose(self.expand(here, fits, data[:number]), byte)
        return here

    def expand(
        self, state: OneOf | NextIds | NextQuote, fits: Fits = _everything_fits, before: bytes = b""
    ) -> OneOf:
        """The choice spelled out. The budget must hold ``before`` and a quoted claim."""
        if isinstance(state, NextIds):
            if state.used not in self._ids:
                self._ids[state.used] = self._id_options(state.used)
            return self._ids[state.used]
        if isinstance(state, NextQuote):
            return self._quote_options(state.group, lambda claim: fits(before + claim))
        return state

    def forced(self, state: State, fits: Fits = _everything_fits) -> tuple[bytes, State]:
        """What must come next whatever the model says, and the state after it."""
        written = b""
        while isinstance(state, OneOf | NextIds | NextQuote):
            choice = self.expand(state, fits, written)
            rests = [option[choice.at :] for option, _ in choice.options]
            if len(rests) > 1:
                common = _common_prefix(rests)
                return written + common, OneOf(choice.options, choice.at + len(common))
            written += rests[0]
            state = choice.options[0][1]
        return written, state

    def forced_tokens(
        self, state: State, *, may_open: bool = True, fits: Fits = _everything_fits
    ) -> tuple[list[int], State]:
        """The tokens that must come next, and the state after them.

        These are the tokenizer's own tokens of what is forced, up to where they hang on what the model will choose. A
        token that begins in the forced text may end behind it. Wherever one may begin, the tokens before it are those
        of the text before it, as byte pair encoding joins nothing across a token's border. So what the texts before
        all such places have in common is certain.
        """
        if isinstance(state, InText | Closed):
            return [], state
        if self.quotes:  # which hang on the budget
            return self._forced_tokens(state, may_open=may_open, fits=fits)
        if (state, may_open) not in self._forced:
            self._forced[state, may_open] = self._forced_tokens(state, may_open=may_open, fits=fits)
        tokens, then = self._forced[state, may_open]
        return list(tokens), then

    def _forced_tokens(self, state: OneOf | NextIds | NextQuote, *, may_open: bool, fits: Fits) -> Forced:
        state = self.expand(state, fits)
        data, then = self.forced(state, fits)
        tokens = self.vocabulary.encode(data) if data else []
        if isinstance(then, Closed):
            return tokens, then
        certain = len(tokens)
        for place in self._reaching_over(data, then, may_open=may_open, fits=fits):
            certain = _common_length(tokens[:certain], self.vocabulary.encode(data[:place]))
        if certain == len(tokens):
            return tokens, then
        tokens = tokens[:certain]
        return tokens, self.advance(state, self.vocabulary.decode(tokens), fits=fits) or state

    def _reaching_over(self, data: bytes, then: State, *, may_open: bool, fits: Fits) -> Iterator[int]:
        """The places in ``data`` where a token may begin that ends behind it."""
        following = {b""}
        if not isinstance(then, InText | Closed):
            then = self._behind(then, fits, data)
            following = {option[then.at : then.at + 1] for option, _ in then.options}
        for place in range(max(0, len(data) - self.vocabulary.longest_token), len(data)):
            begun = data[place:]
            if any(
                self.advance(then, token[len(begun) :], may_open=may_open, fits=fits) is not None
                for byte in following
                for token, _ in self.vocabulary.beginning_with(begun + byte)
                if len(token) > len(begun)
            ):
                yield place

    def _behind(self, state: OneOf | NextIds | NextQuote, fits: Fits, before: bytes) -> OneOf:
        """The choice that a token may reach into which begins before it.

        Whether quotations end is asked behind a whole one: a model that was not trained to refine takes ``></`` for the
        likeliest end of any tag.
        """
        choice = self.expand(state, fits, before)
        goes_on = tuple(option for option in choice.options if option[0] != CLOSE_ANSWER)
        return OneOf(goes_on, choice.at) if self.quotes and goes_on and not choice.at else choice

    def allowed(self, state: State, *, may_open: bool = True, fits: Fits = _everything_fits) -> AllowedTokens:
        """The tokens that may come next."""
        if isinstance(state, InText):
            key = (self.form, state, may_open and bool(self.ids))
            if key not in self.mask_cache:
                self.mask_cache[key] = self._allowed_in_text(state, may_open=may_open)
            return self.mask_cache[key]
        if isinstance(state, Closed):
            return AllowedTokens()
        if self.quotes:
            return self._allowed_in_choice(state, may_open=may_open, fits=fits)
        if (state, may_open) not in self._choices:
            self._choices[state, may_open] = self._allowed_in_choice(state, may_open=may_open, fits=fits)
        return self._choices[state, may_open]

    def _allowed_in_choice(
        self, state: OneOf | NextIds | NextQuote, *, may_open: bool, fits: Fits
    ) -> AllowedTokens:
        choice, longest = self.expand(state, fits), self.vocabulary.longest_token
        rests = {option[choice.at : choice.at + longest]: then for option, then in choice.options}
        prefixes = {rest[:n] for rest in rests for n in range(1, len(rest) + 1)}
        spelled = self.vocabulary.tokens_by_bytes
        found = {token for data in prefixes & spelled.keys() for token in spelled[data]}
        for rest, then in rests.items():
            longer = [one for one in self.vocabulary.beginning_with(rest) if len(one[0]) > len(rest)]
            if longer and not isinstance(then, InText | Closed):
                then = self._behind(then, fits, rest)  # noqa: PLW2901 - the same, spelled out once
            found.update(
                token
                for data, token in longer
                if self.advance(then, data[len(rest) :], may_open=may_open, fits=fits) is not None
            )
        return AllowedTokens(tokens=tuple(sorted(found)))

    def _allowed_in_text(self, state: InText, *, may_open: bool) -> AllowedTokens:
        fitting = [
            token
            for token, data in self.vocabulary.context_dependent
            if self.advance(state, data, may_open=may_open) is not None
        ]
        if state.pending:  # few tokens go on from half a character, and there are many halves
            return AllowedTokens(tokens=tuple(fitting))
        mask = self.vocabulary.context_free.copy()
        if state.claim and not state.filled:
            mask &= self.vocabulary.without_leading_space
        mask[fitting] = True
        return AllowedTokens(mask=mask)

    # --- one byte further ------------------------------------------------------------------------------

    def _after_byte(self, state: InText, byte: int, *, may_open: bool) -> State | None:
        if state.pending or byte >= ASCII_END:
            return after_byte_beyond_ascii(state, byte)
        if byte == ord("<"):
            return self._after_less_than(state, may_open=may_open)
        control = (byte < ord(" ") and byte not in b"\n\t") or byte == ord("\x7f")
        leading = state.claim and not state.filled and byte in b" \n\t"  # it would part `>` from a word
        return None if control or leading else after_character(state, chr(byte))

    def _after_less_than(self, state: InText, *, may_open: bool) -> OneOf | None:
        """After a ``<``: a tag where one may stand, or within a sentence a sign that means less."""
        options: list[tuple[bytes, State]] = []
        if state.filled and not state.sentence_ended:
            options += less_than_signs(state)
        if state.claim and state.filled and self.form != "strict":
            options.append((CLOSE_CLAIM[1:], InText(claim=False, filled=True, sentence_ended=True)))
        elif state.claim and state.filled and state.sentence_ended:
            again: list[tuple[bytes, State]] = [(b" " + OPEN_CLAIM, NextIds())] if may_open else []
            options.append((CLOSE_CLAIM[1:], OneOf(((CLOSE_ANSWER, Closed()), *again))))
        elif not state.claim:
            options += [(CLOSE_ANSWER[1:], Closed())] if state.filled else []
            options += [(OPEN_CLAIM[1:], NextIds())] if may_open and self.ids else []
        return OneOf(tuple(options)) if options else None

    # --- options ---------------------------------------------------------------------------------------

    def _id_options(self, used: frozenset[str]) -> OneOf:
        left = [one for one in self.ids if one not in used]
        options: list[tuple[bytes, State]] = [(f"{one}>".encode(), InText(claim=True)) for one in left]
        if len(left) > 1 and len(used) + 1 < MAX_IDS_PER_CLAIM:
            options += [(f"{one},".encode(), NextIds(used | {one})) for one in left]
        return OneOf(tuple(options))

    def _quote_options(self, group: int, fits: Fits) -> OneOf:
        options: list[tuple[bytes, State]] = [(CLOSE_ANSWER, Closed())] if group else []
        for number in range(group, len(self.quotes)):
            claims = [quoted_claim(one, sentence, first=not group) for one, sentence in self.quotes[number]]
            found: list[tuple[bytes, State]] = [
                (claim, NextQuote(number + 1)) for claim in claims if fits(claim)
            ]
            if found:
                return OneOf((*options, *found))
        return OneOf(((CLOSE_ANSWER, Closed()),))


def quoted_claim(source_id: str, sentence: str, *, first: bool) -> bytes:
    """A whole claim as it is written. A blank parts it from the claim before."""
    return ("" if first else " ").encode() + notation.claim(source_id, sentence).encode()


def _common_prefix(strings: Sequence[bytes]) -> bytes:
    first, last = min(strings), max(strings)
    same = (n for n, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1])
    return first[: next(same, min(len(first), len(last)))]


def _common_length(some: Sequence[int], others: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = enumerate(zip(some, others, strict=False))
    return next((n for n, (one, other) in pairs if one != other), min(len(some), len(others)))


def _choose(choice: OneOf, byte: int) -> State | None:
    live = tuple(option for option in choice.options if option[0][choice.at] == byte)
    if len(live) == 1 and len(live[0][0]) == choice.at + 1:
        return live[0][1]
    return OneOf(live, choice.at + 1) if live else None
