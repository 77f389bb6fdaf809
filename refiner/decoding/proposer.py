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
from refiner.decoding.grammar import CLOSE_ANSWER, CLOSE_CLAIM, OPEN_CLAIM, InText, NextIds, OneOf, State
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
class _Continuation:
    """Text to be copied and then tags, and the evidence that the tags give."""

    text: bytes = b""
    tags: bytes = b""
    evidence: Evidence = ()


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
        position, first_kind = self._locate(ahead)
        run = 0  # bytes copied in one run
        while not ahead.finished:
            continuation = self._continuation(ahead, position)
            done = 0  # bytes of the continuation that are tokens by now
            for token in self._encode(continuation.text + continuation.tags):
                size = len(self._vocabulary.token_bytes(token))
                evidence = self._copy_evidence(continuation, done, run, first_kind)
                if done <= len(continuation.text) < done + size:
                    evidence += continuation.evidence
                tokens = _accepted(ahead, token)
                if not tokens:
                    return
                copied = max(0, min(size, len(continuation.text) - done))
                run = copied + (_match_length(first_kind) if not done else run)
                position, done = position + copied, done + size
                yield DraftToken(tokens, copy(ahead), position, evidence)
                if len(tokens) > 1 or ahead.finished:
                    break
            if not done:
                return
            first_kind = FIRM_MATCH
            if _at_claim_start(ahead):
                position, first_kind = self._next_words(position), CLAIM_START

    @staticmethod
    def _copy_evidence(continuation: _Continuation, done: int, run: int, first_kind: Kind) -> Evidence:
        """What a copied token tests: where the copy begins, or that it goes on."""
        if done >= len(continuation.text):
            return ()
        goes_on = bool(done) or first_kind == FIRM_MATCH
        return ((copy_goes_on(run) if goes_on else first_kind, True),)

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
            if _at_claim_start(writer) or not isinstance(writer.state, InText):
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

    def _continuation(self, writer: Writer, position: int) -> _Continuation:
        """What comes next, if the answer goes on as the lookup text does at ``position``."""
        if not isinstance(writer, ConstrainedWriter):
            return _Continuation(self._lookup.copy(position, position + MAX_COPY) if position >= 0 else b"")
        if isinstance(writer.state, OneOf):
            return self._option(writer, writer.state, position)
        if not isinstance(writer.state, InText) or position < 0:
            return _Continuation()
        if not writer.state.claim and (not writer.state.filled or writer.written.endswith(CLOSE_CLAIM)):
            return self._after_claim(writer.written, position)
        return self._words(writer.state, position)

    def _words(self, state: InText, position: int) -> _Continuation:
        """To the sentence's end, and to the claim's where it probably ends with the sentence."""
        if state.claim and state.sentence_ended and self._lookup.is_boundary(position):
            evidence = self._claim_end_evidence(position)
            if evidence:
                return _Continuation(tags=CLOSE_CLAIM, evidence=evidence)
        boundary = self._lookup.next_boundary(position)
        text = self._lookup.copy(position, boundary or position + MAX_COPY)
        reaches_boundary = boundary is not None and position + len(text) == boundary
        evidence = self._claim_end_evidence(boundary) if boundary and state.claim and reaches_boundary else ()
        return _Continuation(text, CLOSE_CLAIM if evidence else b"", evidence)

    def _claim_end_evidence(self, position: int) -> Evidence:
        """Empty where a claim will rather go on."""
        kind = claim_end(in_draft=self._lookup.is_claim_end(position))
        return ((kind, True),) if self._rates.of(kind) >= _MIN_TAG_RATE else ()

    def _after_claim(self, written: bytes, position: int) -> _Continuation:
        """Another claim, or the end."""
        kind = another_claim(draft_used_up=self._next_words(position) >= self._lookup.draft_end)
        if self._rates.of(kind) < _MIN_TAG_RATE:
            return _Continuation(tags=CLOSE_ANSWER, evidence=((kind, False),))
        gaps = _BETWEEN_CLAIMS.findall(written)
        gap = gaps[-1] if gaps else b" " if written.endswith(CLOSE_CLAIM) else b""
        return _Continuation(tags=gap + OPEN_CLAIM, evidence=((kind, True),))

    def _option(self, writer: ConstrainedWriter, state: OneOf, position: int) -> _Continuation:
        """One of the byte strings that may come: a tag, or ids."""
        rests = [(option[state.at :], then) for option, then in state.options]
        if all(_begins_claim(then) for _, then in rests):
            begun = len(writer.written) - writer.written.rfind(OPEN_CLAIM) - len(OPEN_CLAIM)
            ids = self._claim_ids(writer.written, position)
            return _Continuation(
                tags=f"{ids}>".encode()[begun:] if ids else b"", evidence=((CLAIM_IDS, True),)
            )
        if any(isinstance(then, NextIds) for _, then in rests):
            next_tag = self._after_claim(writer.written, position)
            ends = (rest for rest, _ in rests if next_tag.tags.endswith(rest))
            rest = max(ends, key=len, default=b"")  # `<=` ends as a tag does, too
            return _Continuation(tags=rest, evidence=next_tag.evidence)
        return _Continuation()

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


def _at_claim_start(writer: Writer) -> bool:
    """Whether a claim's first word is due."""
    return isinstance(writer, ConstrainedWriter) and writer.state == InText(claim=True)


def _begins_claim(state: State) -> bool:
    return isinstance(state, NextIds) or (isinstance(state, InText) and state.claim)
