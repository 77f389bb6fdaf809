"""Proposes draft tokens for speculative decoding: the draft and the sources, copied into the form of the answer.

A proposal costs no forward pass. The proposer follows a position in the draft through the answer's own tags. After an
edit it finds the position again by the last bytes written, and it moves to another text where that matches better.
Tags and ids are proposed by how this answer has been using them. Whether a draft token is right is the model's to say
(`decoding.loop`): a bad proposal costs time and changes no token.

An example. The draft is ``Air scatters blue light most.``, which cites source 1, then a blank and ``At dusk the path is
longer.``, which cites source 2. The answer so far is ``<answer><snippet id=1>Air scatters``. The proposal is then
`` blue| light| most|.</snippet|>| <|snippet id=|2|>|At| dusk``, and so on, token by token with what each forces: the rest
of the sentence is copied, the claim is closed where the draft's claim ends, the next one is opened with the draft's id.
"""

import re
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass

from refiner.decoding.acceptance import (
    CLAIM_START,
    FIRM_MATCH,
    AcceptanceRates,
    Evidence,
    Kind,
    copy_goes_on,
    copy_starts,
)
from refiner.decoding.constrained_writer import ConstrainedWriter, Writer
from refiner.decoding.continuation import Plan, Planner
from refiner.decoding.lookup_text import LookupText, Match
from refiner.decoding.states import InText
from refiner.decoding.vocabulary import Vocabulary

MAX_DRAFT_TOKENS = 48
"""The most tokens that one proposal holds."""

_TAGS = re.compile(rb"</?(?:answer|snippet)\b[^<>]*>?|</?$")


@dataclass(frozen=True, slots=True)
class DraftToken:
    """One proposed token, and what holds once it is accepted.

    ``tokens`` are the token and those that it forces. ``writer`` is the writer after them, ``position`` the place
    in the lookup text. ``evidence`` is what acceptance or rejection says about acceptance rates.
    ``probability`` is that of this token and all before it being right.
    """

    tokens: list[int]
    writer: Writer
    position: int
    evidence: Evidence
    probability: float = 1.0


class Proposer:
    """Proposes tokens of one answer from ``lookup``. ``ids`` are those that may be cited.

    A proposal goes on while the probability that all of it is right is at least ``min_probability``. That should be
    low where a wide pass costs little more than a narrow one.
    """

    def __init__(
        self, lookup: LookupText, ids: Sequence[str], vocabulary: Vocabulary, *, min_probability: float
    ) -> None:
        self._lookup, self._vocabulary = lookup, vocabulary
        self._min_probability = min_probability
        self._rates = AcceptanceRates()
        self._planner = Planner(lookup, ids, self._rates)
        self._position = 0

    # --- proposing -------------------------------------------------------------------------------------

    def propose(self, writer: Writer, max_tokens: int = MAX_DRAFT_TOKENS) -> list[DraftToken]:
        """The next tokens, at most ``max_tokens``, as far as they are worth a place in the pass.

        The writer allows all of them, and is left as it is.
        """
        proposal: list[DraftToken] = []
        for draft_token in self._draft_tokens(writer):
            max_tokens -= len(draft_token.tokens)
            if draft_token.probability < self._min_probability or max_tokens < 0:
                break
            proposal.append(draft_token)
        return proposal

    def _draft_tokens(self, writer: Writer) -> Iterator[DraftToken]:
        """What comes next, token by token, for as long as there is anything to propose."""
        ahead = copy(writer)  # walks ahead of the answer
        position, begins = self._locate(ahead)
        run = 0  # bytes copied in one run
        probability = 1.0
        while not ahead.finished:
            plan = self._planner.plan(ahead, position, begins)
            tokens, done = self._encode(plan.data), 0
            while tokens and not ahead.finished and (done < plan.certain or not done):
                end = done + len(self._vocabulary.token_bytes(tokens[0]))
                evidence, run, place = _tested(plan, done, end, run)
                position = position if place is None else place
                accepted = _accepted(ahead, tokens[0])
                if not accepted:
                    return
                for kind, speaks_for in evidence:
                    rate = self._rates.of(kind)
                    probability *= rate if speaks_for else 1 - rate
                yield DraftToken(accepted, copy(ahead), position, evidence, probability)
                done = end
                if accepted != tokens[: len(accepted)]:
                    break
                tokens = tokens[len(accepted) :]
                done += sum(len(self._vocabulary.token_bytes(token)) for token in accepted[1:])
            if not done:
                return
            begins = FIRM_MATCH

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
                return self._planner.next_words(self._position), CLAIM_START
        else:
            self._lookup.set_answer(writer.written)
        found: dict[int, Match] = {}
        for position, match in self._lookup.matches((self._position, self._planner.draft_position)):
            found.setdefault(position, match)
        if not found:
            return -1, FIRM_MATCH
        best, match = max(
            found.items(),
            key=lambda one: (self._rates.of(copy_starts(one[1])), one[1], -abs(one[0] - self._position)),
        )
        return best, copy_starts(match)

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
                self._planner.draft_position = self._position
        self._planner.learn(writer.written)


def _tested(plan: Plan, start: int, end: int, run: int) -> tuple[Evidence, int, int | None]:
    """What the token at [start, end) of a plan tests, and what holds after it.

    That is how many bytes are copied in one run, ``run`` before it, and the place in the lookup text, if it copies.
    """
    evidence: Evidence = ()
    place = None
    for piece, begins in plan.within(start, end):
        first = start <= begins  # the token begins the piece
        if piece.position is None:
            evidence += piece.evidence if first else ()
            continue
        kind = piece.begins if first and piece.begins != FIRM_MATCH else copy_goes_on(run)
        evidence += ((kind, True),)
        copied = min(end - begins, len(piece.data))
        run = copied - max(0, start - begins) + (_match_length(piece.begins) if first else run)
        place = piece.position + copied
    return evidence, run, place


def _match_length(kind: Kind) -> int:
    """The bytes that matched where a copy begins; 0 for other kinds."""
    return kind[1].length if isinstance(kind[1], Match) else 0


def _accepted(writer: Writer, token: int) -> list[int]:
    """The token and those it forces; none where it is forbidden."""
    try:
        return writer.accept(token)
    except ValueError:
        return []
