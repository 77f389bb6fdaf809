"""Proposes draft tokens for speculative decoding: the draft and the sources, copied into the form of the answer.

A proposal costs no forward pass. The proposer follows a position in the draft through the answer's own tags. After an
edit it finds the position again by the last bytes written, and it moves to another text where that matches better.
Tags and ids are proposed by how this answer has been using them. Whether a draft token is right is the model's to say
(`decoding.loop`): a bad proposal costs time and changes no token.

An example. The draft is ``Air scatters blue light most.``, which cites source 1, then a blank and ``At dusk the path is
longer.``, which cites source 2. The answer so far is ``<answer><snippet id=1>Air scatters``. The proposal is then
`` blue| light| most|.</snippet>| <|snippet id=|2|>|At| dusk``, and so on, token by token with what each forces: the rest
of the sentence is copied, the claim is closed where the draft's claim ends, the next one is opened with the draft's id.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import accumulate

from refiner.decoding.acceptance import (
    CLAIM_IDS,
    CLAIM_START,
    FIRM_MATCH,
    AcceptanceRates,
    Evidence,
    Kind,
    another_claim,
    claim_end,
    copy_goes_on,
    copy_starts,
)
from refiner.decoding.constrained_writer import ConstrainedWriter, Writer
from refiner.decoding.grammar import (
    CLOSE_ANSWER,
    CLOSE_CLAIM,
    OPEN_CLAIM,
    Closed,
    InText,
    NextIds,
    OneOf,
    State,
)
from refiner.decoding.lookup_text import MAX_COPY, LookupText, Match
from refiner.decoding.vocabulary import Vocabulary

MAX_DRAFT_TOKENS = 48
"""The most tokens that one proposal holds."""

_TAGS = re.compile(rb"</?(?:answer|snippet)\b[^<>]*>?|</?$")
_IDS = re.compile(OPEN_CLAIM + rb"([^<>]*)>")
_BETWEEN_CLAIMS = re.compile(CLOSE_CLAIM + rb"(\s*)" + OPEN_CLAIM)
_MIN_TAG_RATE = 0.5


@dataclass(frozen=True, slots=True)
class DraftToken:
    """One proposed token, and what holds once it is accepted.

    ``tokens`` are the token and those that it forces. ``writer`` is the writer after them, ``position`` the place
    in the lookup text. ``evidence`` is what acceptance or rejection says about acceptance rates.
    """

    tokens: list[int]
    writer: Writer
    position: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class _Piece:
    """Bytes that a proposal writes: copied from ``position`` of the lookup text, or a tag (None).

    ``begins`` is what the first token of a copy tests. ``evidence`` is what the first token of a tag tests.
    """

    data: bytes
    position: int | None = None
    begins: Kind = FIRM_MATCH
    evidence: Evidence = ()


class _Plan:
    """Pieces one after the other. Up to ``certain`` bytes, tokens do not hang on what follows the last piece."""

    def __init__(self, pieces: Sequence[_Piece]) -> None:
        self.data = b"".join(piece.data for piece in pieces)
        ends = list(accumulate(len(piece.data) for piece in pieces))
        self._pieces = list(zip(pieces, [0, *ends], strict=False))
        goes_on = len(pieces) > 1 and pieces[-1].position is not None
        self.certain = ends[-2] if goes_on else len(self.data)

    def within(self, start: int, end: int) -> Iterator[tuple[_Piece, int]]:
        """The pieces that have bytes in [start, end), each with where it begins."""
        for piece, begins in self._pieces:
            if begins < end and start < begins + len(piece.data):
                yield piece, begins


_Continuation = tuple[bytes, bytes, Evidence]
"""Text to be copied and then tags, and the evidence that the tags give."""
_NOTHING: _Continuation = (b"", b"", ())


class Proposer:
    """Proposes tokens of one answer from ``lookup``. ``ids`` are those that may be cited.

    A proposal goes on while the probability that all of it is right is at least ``min_probability``. That should be
    low where a wide pass costs little more than a narrow one.
    """

    def __init__(
        self, lookup: LookupText, ids: Sequence[str], vocabulary: Vocabulary, *, min_probability: float
    ) -> None:
        self._lookup, self._ids, self._vocabulary = lookup, ids, vocabulary
        self._min_probability = min_probability
        self._rates = AcceptanceRates()
        self._position = self._draft_position = 0
        self._rules = Counter({"draft": 2, "last": 1, "next": 1})  # times that each rule gave a claim's ids
        self._rule_ids: dict[str, str] = {}
        self._claims = 0

    # --- proposing -------------------------------------------------------------------------------------

    def propose(self, writer: Writer, max_tokens: int = MAX_DRAFT_TOKENS) -> list[DraftToken]:
        """The next tokens, at most ``max_tokens``, as far as they are worth a place in the pass.

        The writer allows all of them, and is left as it is.
        """
        proposal: list[DraftToken] = []
        probability = 1.0
        for draft_token in self._draft_tokens(writer):
            rates = ((self._rates.of(kind), speaks_for) for kind, speaks_for in draft_token.evidence)
            probability *= math.prod(rate if speaks_for else 1 - rate for rate, speaks_for in rates)
            max_tokens -= len(draft_token.tokens)
            if probability < self._min_probability or max_tokens < 0:
                break
            proposal.append(draft_token)
        return proposal

    def _draft_tokens(self, writer: Writer) -> Iterator[DraftToken]:
        """What comes next, token by token, for as long as there is anything to propose."""
        ahead = copy(writer)  # walks ahead of the answer
        position, begins = self._locate(ahead)
        run = 0  # bytes copied in one run
        while not ahead.finished:
            plan = _Plan(self._pieces(ahead, position, begins))
            tokens, done = self._encode(plan.data), 0
            while tokens and not ahead.finished and (done < plan.certain or not done):
                end = done + len(self._vocabulary.token_bytes(tokens[0]))
                evidence: Evidence = ()
                for piece, start in plan.within(done, end):
                    if piece.position is None:
                        evidence += piece.evidence if done <= start else ()
                        continue
                    begun = done <= start
                    starts_copy = begun and piece.begins != FIRM_MATCH
                    evidence += ((piece.begins if starts_copy else copy_goes_on(run), True),)
                    copied = min(end - start, len(piece.data))
                    run = copied - max(0, done - start) + (_match_length(piece.begins) if begun else run)
                    position = piece.position + copied
                accepted = _accepted(ahead, tokens[0])
                if not accepted:
                    return
                yield DraftToken(accepted, copy(ahead), position, evidence)
                done = end
                if accepted != tokens[: len(accepted)]:
                    break
                tokens = tokens[len(accepted) :]
                done += sum(len(self._vocabulary.token_bytes(token)) for token in accepted[1:])
            if not done:
                return
            begins = FIRM_MATCH

    def _pieces(self, writer: Writer, position: int, begins: Kind) -> list[_Piece]:
        """What the answer goes on with: text, and tags as far as the next text, as a token may reach over a tag."""
        if not isinstance(writer, ConstrainedWriter):
            text = self._lookup.copy(position, position + MAX_COPY) if position >= 0 else b""
            return [_Piece(text, position, begins)] if text else []
        pieces: list[_Piece] = []
        state: State | None = writer.state
        written = writer.written
        while state is not None and not isinstance(state, Closed):
            forced, state = writer.forced(state)
            written += forced
            if state == InText(claim=True):
                position, begins = self._next_words(position), CLAIM_START
            text, tags, evidence = self._continuation(state, written, position)
            pieces += [_Piece(forced)] if forced else []
            pieces += [_Piece(text, position, begins)] if text else []
            if not tags or (text and len(pieces) > 2):
                break
            pieces.append(_Piece(tags, evidence=evidence))
            state, written = writer.after(state, text, tags), written + text + tags
            position, begins = position + len(text), FIRM_MATCH
        return pieces

    def _encode(self, text: bytes) -> list[int]:
        """The tokens of ``text``; none where the tokenizer cannot spell it."""
        try:
            return self._vocabulary.encode(text)
        except ValueError:
            return []

    def _locate(self, writer: Writer) -> tuple[int, Kind]:
        """The position in the lookup text that the answer's end points to, and by what kind of match."""
        if isinstance(writer, ConstrainedWriter):
            self._lookup.set_answer(_TAGS.sub(b"", writer.written))
            if writer.state == InText(claim=True) or not isinstance(writer.state, InText):
                return self._next_words(self._position), CLAIM_START
        else:
            self._lookup.set_answer(writer.written)
        found: dict[int, Match] = {}
        for position, match in self._lookup.matches((self._position, self._draft_position)):
            found.setdefault(position, match)
        if not found:
            return -1, FIRM_MATCH
        best, match = max(
            found.items(),
            key=lambda one: (self._rates.of(copy_starts(one[1])), one[1], -abs(one[0] - self._position)),
        )
        return best, copy_starts(match)

    def _next_words(self, position: int) -> int:
        """Past white space, and back in the draft where another text was copied."""
        in_draft = position <= self._lookup.draft_end
        return self._lookup.skip_whitespace(position if in_draft else self._draft_position)

    def _continuation(self, state: State | None, written: bytes, position: int) -> _Continuation:
        """What comes next, if the answer goes on as the lookup text does at ``position``."""
        if isinstance(state, OneOf):
            return self._option(state, written, position)
        if not isinstance(state, InText) or position < 0:
            return _NOTHING
        if not state.claim and (not state.filled or written.rstrip().endswith(CLOSE_CLAIM)):
            return self._after_claim(written, position)
        return self._words(state, position)

    def _words(self, state: InText, position: int) -> _Continuation:
        """To the sentence's end, and to the claim's where it probably ends with the sentence."""
        if state.claim and state.sentence_ended and self._lookup.is_boundary(position):
            evidence = self._claim_end_evidence(position)
            if evidence:
                return b"", CLOSE_CLAIM, evidence
        boundary = self._lookup.next_boundary(position)
        text = self._lookup.copy(position, boundary or position + MAX_COPY)
        reaches_boundary = boundary is not None and position + len(text) == boundary
        evidence = self._claim_end_evidence(boundary) if boundary and state.claim and reaches_boundary else ()
        return text, CLOSE_CLAIM if evidence else b"", evidence

    def _claim_end_evidence(self, position: int) -> Evidence:
        """Empty where a claim will rather go on."""
        kind = claim_end(in_draft=self._lookup.is_claim_end(position))
        return ((kind, True),) if self._rates.of(kind) >= _MIN_TAG_RATE else ()

    def _after_claim(self, written: bytes, position: int) -> _Continuation:
        """Another claim, or the end."""
        kind = another_claim(draft_used_up=self._next_words(position) >= self._lookup.draft_end)
        if self._rates.of(kind) < _MIN_TAG_RATE:
            return b"", CLOSE_ANSWER, ((kind, False),)
        gaps = _BETWEEN_CLAIMS.findall(written)
        gap = gaps[-1] if gaps else b" " if written.rstrip().endswith(CLOSE_CLAIM) else b""
        begun = written[len(written.rstrip()) :]
        gap = gap.removeprefix(begun) if gap.startswith(begun) else b""
        return b"", gap + OPEN_CLAIM, ((kind, True),)

    def _option(self, state: OneOf, written: bytes, position: int) -> _Continuation:
        """One of the byte strings that may come: a tag, or ids."""
        rests = [(option[state.at :], then) for option, then in state.options]
        if all(_begins_claim(then) for _, then in rests):
            begun = len(written) - written.rfind(OPEN_CLAIM) - len(OPEN_CLAIM)
            ids = self._claim_ids(written, position)
            return b"", f"{ids}>".encode()[begun:] if ids else b"", ((CLAIM_IDS, True),)
        if any(isinstance(then, NextIds) for _, then in rests):
            _, tags, evidence = self._after_claim(written, position)
            ends = (rest for rest, _ in rests if tags.endswith(rest))
            return b"", max(ends, key=len, default=b""), evidence  # `<=` ends as a tag does, too
        return _NOTHING

    def _claim_ids(self, written: bytes, position: int) -> str:
        """A claim's ids, by the rule that has been right most often: the draft's, the last ones, the next one."""
        used = [ids.decode() for ids in _IDS.findall(written)]
        last = used[-1] if used else ""
        following = dict(zip(self._ids, self._ids[1:], strict=False)).get(last, "")
        rules = {
            "draft": self._lookup.ids_at(self._next_words(position)),
            "last": last,
            "next": following,
        }
        if len(used) == self._claims:
            self._rule_ids = rules
        return rules[max(rules, key=lambda rule: (bool(rules[rule]), self._rules[rule]))]

    # --- learning --------------------------------------------------------------------------------------

    def update(self, writer: Writer, proposal: Sequence[DraftToken], accepted: int) -> None:
        """Learn that the model accepted the first ``accepted`` tokens of a proposal, and not the next."""
        for number, draft_token in enumerate(proposal[: accepted + 1]):
            tested = draft_token.evidence if number < accepted else draft_token.evidence[-1:]
            for kind, speaks_for in tested:
                self._rates.update(kind, accepted=speaks_for == (number < accepted))
        if accepted:
            self._position = proposal[accepted - 1].position
            if self._position <= self._lookup.draft_end:
                self._draft_position = self._position
        used = _IDS.findall(writer.written)
        if len(used) > self._claims:
            self._rules.update(
                rule for rule, ids in self._rule_ids.items() if ids.encode() == used[self._claims]
            )
            self._claims = len(used)


def _match_length(kind: Kind) -> int:
    """The bytes that matched where a copy begins; 0 for other kinds."""
    return kind[1].length if isinstance(kind[1], Match) else 0


def _accepted(writer: Writer, token: int) -> list[int]:
    """The token and those it forces; none where it is forbidden."""
    try:
        return writer.accept(token)
    except ValueError:
        return []


def _begins_claim(state: State) -> bool:
    return isinstance(state, NextIds) or (isinstance(state, InText) and state.claim)
