"""What will probably come next: the draft and the sources, copied into the form of the answer.

A guess of the next tokens costs no model. A place in the draft is followed through the answer's own tags, found
again after an edit by the last bytes written, and left for another text where these match one. Tags and ids are
guessed by how this answer has been using them. Whether a guess is right is the model's to say (`decoding.loop`):
a bad one costs time, never a token.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass

from refiner.decoding.constrained_writer import HeldWriter, Writer
from refiner.decoding.grammar import CLOSE, TAG, TAG_END, Choice, Ids, State, Text
from refiner.decoding.lookup import SIZES, STRETCH, Known
from refiner.decoding.vocabulary import Vocabulary

MOST = 48
"""The most tokens that are guessed at once."""

_TAGS = re.compile(rb"</?(?:answer|snippet)\b[^<>]*>?|</?$")
_IDS = re.compile(rb"<snippet id=([^<>]*)>")
_GAP = re.compile(rb"</snippet>(\s*)<snippet ")
_LIKELY = 0.5

Key = tuple[str, int]
Said = tuple[tuple[Key, bool], ...]
"""Beliefs that a guess puts to the test, each with whether being right speaks for it or against."""

_PLACES = {129: (9, 2), 128: (6, 3), 65: (7, 2), 64: (6, 3), 33: (6, 4), 32: (6, 4), 17: (6, 3), 16: (3, 5)}
_PLACES |= {
    9: (4, 6),
    8: (2, 8),
    2: (5, 5),
}  # by twice the bytes that match, and one more near what was expected
_ON = {
    0: (9, 1),
    8: (8, 2),
    16: (9, 1),
    32: (19, 1),
    64: (40, 1),
    128: (99, 1),
}  # a copy goes on, by its length
_LENGTHS = (128, 64, 32, 16, 8)
_SURE: Key = ("copy", 2 * SIZES[0] + 1)
_WEAK = frozenset(("copy", place) for place in _PLACES if place < 2 * 16 + 2)
_DOUBT = 6  # times that a wrong guess from so short a match counts: where nothing is copied, guessing must cost little
_BELIEFS: dict[Key, tuple[int, int]] = {
    **{("copy", place): counts for place, counts in _PLACES.items()},
    **{("on", place): counts for place, counts in _ON.items()},
    ("start", 0): (3, 6),  # a claim begins with the draft's next words
    ("close", 0): (2, 1),  # a claim ends with a sentence
    ("close", 1): (4, 1),  # and where the draft's claim does
    ("open", 0): (2, 1),  # after a claim comes another
    ("open", 1): (1, 2),  # even after the draft's end
    ("ids", 0): (6, 4),
}
"""Right and wrong guesses of each kind, as if they had been seen: rounded from the replays in BENCHMARKS.md."""


@dataclass(frozen=True, slots=True)
class Step:
    """One guessed token with those it forces, the writer after them, and the place in the known texts then."""

    tokens: list[int]
    writer: Writer
    at: int
    said: Said


@dataclass(frozen=True, slots=True)
class _Wish:
    """Text to be copied and then tags; what speaks for the tags, or against."""

    text: bytes = b""
    tags: bytes = b""
    said: Said = ()


class Drafter:
    """Guesses for one answer from what is ``known``; ``ids`` are those that may be cited.

    Guessing goes on while all so far is right by a chance of at least ``least``: low where a wide pass costs little
    more than a narrow one.
    """

    def __init__(self, known: Known, ids: Sequence[str], vocabulary: Vocabulary, *, least: float) -> None:
        self._known, self._ids, self._vocabulary, self._least = known, ids, vocabulary, least
        self._right, self._wrong = ({key: counts[n] for key, counts in _BELIEFS.items()} for n in (0, 1))
        self._at = self._in_draft = 0
        self._rules = Counter({"draft": 2, "last": 1, "next": 1})  # times that each told a claim's ids
        self._rule_ids: dict[str, str] = {}
        self._claims = 0

    # --- guessing --------------------------------------------------------------------------------------

    def guess(self, writer: Writer, most: int = MOST) -> list[Step]:
        """The next tokens, at most ``most``, as far as they are worth a place in the pass; all are allowed there."""
        steps: list[Step] = []
        chance = 1.0
        for step in self._steps(writer):
            chance *= math.prod(self._belief(key) if pro else 1 - self._belief(key) for key, pro in step.said)
            most -= len(step.tokens)
            if chance < self._least or most < 0:
                break
            steps.append(step)
        return steps

    def _steps(self, writer: Writer) -> Iterator[Step]:
        """What comes next, token by token, for as long as there is anything to say."""
        ghost = copy(writer)
        at, begins = self._place(ghost)
        length = 0
        while not ghost.done:
            wish = self._wish(ghost, at)
            done = 0
            for token in self._encoded(wish.text + wish.tags):
                size = len(self._vocabulary.data(token))
                on: Key = ("on", next((n for n in _LENGTHS if length >= n), 0))
                said: Said = (
                    ((on if done or begins == _SURE else begins, True),) if done < len(wish.text) else ()
                )
                said += wish.said if done <= len(wish.text) < done + size else ()
                tokens = _taken(ghost, token)
                if not tokens:
                    return
                copied = max(0, min(size, len(wish.text) - done))
                length = copied + (begins[1] // 2 if begins[0] == "copy" and not done else length)
                at, done = at + copied, done + size
                yield Step(tokens, copy(ghost), at, said)
                if len(tokens) > 1 or ghost.done:
                    break
            if not done:
                return
            begins = _SURE
            if _at_start(ghost):
                at, begins, length = self._next_words(at), ("start", 0), 0

    def _encoded(self, text: bytes) -> list[int]:
        """The tokens of ``text``; none where the tokenizer cannot spell it."""
        try:
            return self._vocabulary.encode(text)
        except ValueError:
            return []

    def _belief(self, key: Key) -> float:
        return self._right[key] / (self._right[key] + self._wrong[key])

    def _place(self, writer: Writer) -> tuple[int, Key]:
        """The place in the known texts that what was written last points to, and how well."""
        if isinstance(writer, HeldWriter):
            self._known.write(_TAGS.sub(b"", writer.written))
            if _at_start(writer) or not isinstance(writer.state, Text):
                return self._next_words(self._at), ("start", 0)
        else:
            self._known.write(writer.written)
        found: dict[int, Key] = {}
        for place, size, near in self._known.places((self._at, self._in_draft)):
            found.setdefault(place, ("copy", 2 * size + near))
        return max(
            found.items(),
            key=lambda one: (self._belief(one[1]), one[1], -abs(one[0] - self._at)),
            default=(-1, _SURE),
        )

    def _next_words(self, at: int) -> int:
        """Past the blanks, and back in the draft where another text was copied."""
        return self._known.past_blanks(at if at <= self._known.end else self._in_draft)

    def _wish(self, writer: Writer, at: int) -> _Wish:
        """What comes next, if the text goes on as at ``at``."""
        if not isinstance(writer, HeldWriter):
            return _Wish(self._known.copied(at, at + STRETCH) if at >= 0 else b"")
        if isinstance(writer.state, Choice):
            return self._choice(writer, writer.state, at)
        if not isinstance(writer.state, Text) or at < 0:
            return _Wish()
        if not writer.state.claim and (not writer.state.filled or writer.written.endswith(TAG_END)):
            return self._after_claim(writer.written, at)
        return self._words(writer.state, at)

    def _words(self, state: Text, at: int) -> _Wish:
        """To the sentence's end, and where a claim probably ends with it, to the claim's."""
        if state.claim and state.ended and self._known.stops_at(at) and (said := self._closes(at)):
            return _Wish(tags=TAG_END, said=said)
        stop = self._known.next_stop(at)
        text = self._known.copied(at, stop or at + STRETCH)
        said = self._closes(stop) if stop is not None and state.claim and at + len(text) == stop else ()
        return _Wish(text, TAG_END if said else b"", said)

    def _closes(self, at: int) -> Said:
        """Empty where a claim will rather go on."""
        key = ("close", int(self._known.claim_ends(at)))
        return ((key, True),) if self._belief(key) >= _LIKELY else ()

    def _after_claim(self, written: bytes, at: int) -> _Wish:
        """Another claim, or the end."""
        key = ("open", int(self._next_words(at) >= self._known.end))
        if self._belief(key) < _LIKELY:
            return _Wish(tags=CLOSE, said=((key, False),))
        gaps = _GAP.findall(written)
        gap = gaps[-1] if gaps else b" " if written.endswith(TAG_END) else b""
        return _Wish(tags=gap + TAG, said=((key, True),))

    def _choice(self, writer: HeldWriter, state: Choice, at: int) -> _Wish:
        """One of the options: a tag, or ids."""
        rests = [(option[state.at :], then) for option, then in state.options]
        if all(_begins_claim(then) for _, then in rests) and not rests[0][0].endswith(TAG[1:]):
            begun = len(writer.written) - writer.written.rfind(TAG) - len(TAG)
            ids = self._claim_ids(writer.written, at)
            rest = f"{ids}>".encode()[begun:] if ids else b""
            return _Wish(tags=rest, said=((("ids", 0), True),))
        if any(isinstance(then, Ids) for _, then in rests):
            tag = self._after_claim(writer.written, at)
            rest = next((rest for rest, _ in rests if tag.tags.endswith(rest)), b"")
            return _Wish(tags=rest, said=tag.said)
        return _Wish()

    def _claim_ids(self, written: bytes, at: int) -> str:
        """A claim's ids, by the rule that has been right most often: the draft's, the last ones, the next one."""
        used = [ids.decode() for ids in _IDS.findall(written)]
        last = used[-1] if used else ""
        after = dict(zip(self._ids, self._ids[1:], strict=False)).get(last, "")
        rules = {"draft": self._known.ids_after(self._next_words(at)), "last": last, "next": after}
        if len(used) == self._claims:
            self._rule_ids = rules
        return rules[max(rules, key=lambda rule: (bool(rules[rule]), self._rules[rule]))]

    # --- learning --------------------------------------------------------------------------------------

    def saw(self, writer: Writer, steps: Sequence[Step], right: int) -> None:
        """Learn that the first ``right`` of the guessed ``steps`` were what the model said, and the next was not."""
        for number, step in enumerate(steps[: right + 1]):
            said = step.said if number < right else step.said[-1:]
            for key, speaks_for in said:
                if speaks_for == (number < right):
                    self._right[key] += 1
                else:
                    self._wrong[key] += _DOUBT if key in _WEAK else 1
        if right:
            self._at = steps[right - 1].at
            if self._at <= self._known.end:
                self._in_draft = self._at
        used = _IDS.findall(writer.written)
        if len(used) > self._claims:
            self._rules.update(
                rule for rule, ids in self._rule_ids.items() if ids.encode() == used[self._claims]
            )
            self._claims = len(used)


def _taken(writer: Writer, token: int) -> list[int]:
    """The token and those it forces; none where it is forbidden."""
    try:
        return writer.take(token)
    except ValueError:
        return []


def _at_start(writer: Writer) -> bool:
    """Whether a claim's first word is due."""
    return isinstance(writer, HeldWriter) and writer.state == Text(claim=True)


def _begins_claim(state: State) -> bool:
    return isinstance(state, Ids) or (isinstance(state, Text) and state.claim)
