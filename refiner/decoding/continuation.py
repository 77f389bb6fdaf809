"""How an answer may go on: text copied from the draft and the sources, and the tags around it, as bytes.

The proposer (`decoding.proposer`) makes draft tokens of it. Nothing here knows tokens: a token may reach over a tag, so
text and tags are planned as one string before they are split.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
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
)
from refiner.decoding.constrained_writer import ConstrainedWriter, Writer
from refiner.decoding.grammar import CLOSE_ANSWER, CLOSE_CLAIM, OPEN_CLAIM
from refiner.decoding.lookup_text import MAX_COPY, LookupText
from refiner.decoding.states import Closed, InText, NextIds, OneOf, State

_IDS = re.compile(OPEN_CLAIM + rb"([^<>]*)>")
_BETWEEN_CLAIMS = re.compile(CLOSE_CLAIM + rb"(\s*)" + OPEN_CLAIM)
_MIN_TAG_RATE = 0.5
_PEEK = 32
"""Bytes of the next text that are planned with the tags before it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that a proposal writes: copied from ``position`` of the lookup text, or a tag (None).

    ``begins`` is what the first token of a copy tests. ``evidence`` is what the first token of a tag tests.
    """

    data: bytes
    position: int | None = None
    begins: Kind = FIRM_MATCH
    evidence: Evidence = ()


class Plan:
    """Pieces one after the other. Up to ``certain`` bytes, tokens do not hang on what follows the last piece."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.data = b"".join(piece.data for piece in pieces)
        ends = list(accumulate(len(piece.data) for piece in pieces))
        self._pieces = list(zip(pieces, [0, *ends], strict=False))
        goes_on = len(pieces) > 1 and pieces[-1].position is not None
        self.certain = ends[-2] if goes_on else len(self.data)

    def within(self, start: int, end: int) -> Iterator[tuple[Piece, int]]:
        """The pieces that have bytes in [start, end), each with where it begins."""
        for piece, begins in self._pieces:
            if begins < end and start < begins + len(piece.data):
                yield piece, begins


Continuation = tuple[bytes, bytes, Evidence]
"""Text to be copied and then tags, and the evidence that the tags give."""
_NOTHING: Continuation = (b"", b"", ())


class Planner:
    """Plans how one answer goes on. ``rates`` say how often each kind of guess was right so far.

    ``draft_position`` is the last place in the draft that the answer was at.
    """

    def __init__(self, lookup: LookupText, ids: Sequence[str], rates: AcceptanceRates) -> None:
        self._lookup, self._ids, self._rates = lookup, ids, rates
        self.draft_position = 0
        self._rules = Counter({"draft": 2, "last": 1, "next": 1})  # times that each rule gave a claim's ids
        self._rule_ids: dict[str, str] = {}
        self._claims = 0

    def plan(self, writer: Writer, position: int, begins: Kind) -> Plan:
        """What the answer goes on with: text, and tags as far as the next text, as a token may reach over a tag."""
        if not isinstance(writer, ConstrainedWriter):
            text = self._lookup.copy(position, position + MAX_COPY) if position >= 0 else b""
            return Plan([Piece(text, position, begins)] if text else [])
        pieces: list[Piece] = []
        state: State | None = writer.state
        written = writer.written
        while state is not None and not isinstance(state, Closed):
            forced, state = writer.forced(state)
            written += forced
            if state == InText(claim=True):
                position, begins = self.next_words(position), CLAIM_START
            text, tags, evidence = self._continuation(state, written, position)
            pieces += [Piece(forced)] if forced else []
            if text and pieces:  # the text behind the tags: as much as tells where a token ends
                pieces.append(Piece(text[:_PEEK].decode(errors="ignore").encode(), position, begins))
                break
            pieces += [Piece(text, position, begins)] if text else []
            if not tags:
                break
            pieces.append(Piece(tags, evidence=evidence))
            state, written = writer.after(state, text, tags), written + text + tags
            position, begins = position + len(text), FIRM_MATCH
        return Plan(pieces)

    def learn(self, written: bytes) -> None:
        """Learn from the ids of the claims that are written which rule gives them."""
        used = _IDS.findall(written)
        if len(used) > self._claims:
            self._rules.update(
                rule for rule, ids in self._rule_ids.items() if ids.encode() == used[self._claims]
            )
            self._claims = len(used)

    def next_words(self, position: int) -> int:
        """Where the next claim begins: back in the draft where another text was copied."""
        in_draft = position <= self._lookup.draft_end
        return self._lookup.next_words(position if in_draft else self.draft_position)

    def _continuation(self, state: State | None, written: bytes, position: int) -> Continuation:
        """What comes next, if the answer goes on as the lookup text does at ``position``."""
        if isinstance(state, OneOf):
            return self._option(state, written, position)
        if not isinstance(state, InText) or position < 0:
            return _NOTHING
        if not state.claim and (not state.filled or written.rstrip().endswith(CLOSE_CLAIM)):
            return self._after_claim(written, position)
        return self._words(state, position)

    def _words(self, state: InText, position: int) -> Continuation:
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

    def _after_claim(self, written: bytes, position: int) -> Continuation:
        """Another claim, or the end."""
        kind = another_claim(draft_used_up=self.next_words(position) >= self._lookup.draft_end)
        if self._rates.of(kind) < _MIN_TAG_RATE:
            return b"", CLOSE_ANSWER, ((kind, False),)
        gaps = _BETWEEN_CLAIMS.findall(written)
        gap = gaps[-1] if gaps else b" " if written.rstrip().endswith(CLOSE_CLAIM) else b""
        begun = written[len(written.rstrip()) :]
        gap = gap.removeprefix(begun) if gap.startswith(begun) else b""
        return b"", gap + OPEN_CLAIM, ((kind, True),)

    def _option(self, state: OneOf, written: bytes, position: int) -> Continuation:
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
            "draft": self._lookup.ids_at(self.next_words(position)),
            "last": last,
            "next": following,
        }
        if len(used) == self._claims:
            self._rule_ids = rules
        return rules[max(rules, key=lambda rule: (bool(rules[rule]), self._rules[rule]))]


def _begins_claim(state: State) -> bool:
    return isinstance(state, NextIds) or (isinstance(state, InText) and state.claim)
