"""The texts that an answer will probably repeat: the draft, the prompt, and the answer so far. All as bytes.

Finds where the end of the answer stands in these texts, and copies what comes after it. Knows no tokens.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MAX_COPY = 240
"""Bytes that are copied at a time."""

MATCH_LENGTHS = (64, 32, 16, 8)
"""The lengths in bytes that a match is counted by. A shorter one counts 4, one within a word counts 1."""
SHORT_MATCH, MATCH_WITHIN_WORD = 4, 1

_NEAR_AFTER = 400  # bytes after an expected position that count as near it
_NEAR_BEFORE = 24  # and before it
_MAX_HITS = 24  # positions of one string that are looked at
_FAR_MATCH = 8  # bytes that must match far from an expected position; near it, the last word must
_LAST_WORD = re.compile(rb"(?:^|\s)\S*\s*$")
_LINE_BREAKS_AS_BLANKS = bytes.maketrans(b"\n\t", b"  ")
_BEFORE_WORDS = re.compile(  # white space, and what ends a sentence that was left without its end
    rb"(?:[\s.!?,;:)\]]|%s)*" % b"|".join(character.encode() for character in "。！？…”’»")
)
_SENTENCE_END = re.compile(r"[.!?。！？…][\"'”’)\]»]*(?=[\s\0])")


class Match(NamedTuple):
    """How well the end of the answer matches a position: ``length`` bytes, and whether that is ``near``.

    ``length`` is one of `MATCH_LENGTHS`, `SHORT_MATCH` or `MATCH_WITHIN_WORD`. An answer that is the draft's
    beginning so far has the greatest, however short it is. Longer matches sort higher, then near ones.
    """

    length: int
    near: bool


class LookupText:
    """A draft, in pairs (ids, text), other texts, and the answer so far, in one row of bytes.

    ``claims`` are the draft's claims as (start, end, ids). ``boundaries`` are the positions where the draft's claims
    begin and end, and where sentences end anywhere. ``draft_end`` is where the draft ends.
    """

    def __init__(self, draft: Sequence[tuple[str, str]], texts: Sequence[str]) -> None:
        self.claims: list[tuple[int, int, str]] = []
        pieces, at = [], 0
        for ids, text in draft:
            pieces.append(text.encode("utf-8", "replace"))
            if ids:
                self.claims.append((at, at + len(pieces[-1]), ids))
            at += len(pieces[-1])
        self.draft_end = at
        self._texts = b"\0".join(
            (b"".join(pieces), *(text.encode("utf-8", "replace") for text in texts), b"")
        )
        borders = (border for start, end, _ in self.claims for border in (start, end))
        self.boundaries = sorted({*_sentence_ends(self._texts), *borders, self.draft_end})
        self._claim_ends = {end for _, end, _ in self.claims}
        self.set_answer(b"")

    def set_answer(self, answer: bytes) -> None:
        """Take the answer as far as it is written. It may be shorter than the one before."""
        self._all = self._texts + answer
        self._searchable = self._all.translate(_LINE_BREAKS_AS_BLANKS)

    def copy(self, start: int, end: int) -> bytes:
        """The text from ``start`` to ``end`` or a little less.

        Where the answer's own end is reached the copy starts over: an answer that repeats itself goes on doing so.
        """
        end = min(end, start + MAX_COPY)
        text = self._all[start:end]
        if text and end > len(self._all):
            text = (text * (1 + MAX_COPY // len(text)))[: end - start]
        text = text.partition(b"\0")[0]
        if len(text) == MAX_COPY and b" " in text[1:]:
            return text[: text.rfind(b" ")]
        return text.decode(errors="ignore").encode()  # a cut may have parted a character

    def next_boundary(self, position: int) -> int | None:
        """Where the sentence or claim ends that goes on at ``position``."""
        index = bisect_right(self.boundaries, position)
        return self.boundaries[index] if index < len(self.boundaries) else None

    def is_boundary(self, position: int) -> bool:
        """Whether a sentence or claim ends there."""
        index = bisect_left(self.boundaries, position)
        return index < len(self.boundaries) and self.boundaries[index] == position

    def is_claim_end(self, position: int) -> bool:
        """Whether a claim of the draft ends there."""
        return position in self._claim_ends

    def next_words(self, position: int) -> int:
        """The position of the next words, past white space and the end of a sentence."""
        match = _BEFORE_WORDS.match(self._texts, position)
        return match.end() if match else position

    def ids_at(self, position: int) -> str:
        """The ids of the draft's claim that ``position`` stands in, or of the next claim."""
        return next((ids for _, end, ids in self.claims if position < end), "")

    def matches(self, expected: Sequence[int]) -> Iterator[tuple[int, Match]]:
        """Positions where the text goes on as the answer ends now, and how well each matches.

        ``expected`` are the positions where the answer is expected to go on. The same position may come twice; the
        first match is the one that holds.
        """
        ending = self._searchable[-MATCH_LENGTHS[0] :]
        if b"\0" in ending:
            ending = ending[ending.rfind(b"\0") + 1 :]
        word = _LAST_WORD.search(ending)
        last_word = ending[word.start() :][-_FAR_MATCH:] if word else b""
        within_word = ending[-1:].isalnum()
        near = [(max(0, at - _NEAR_BEFORE), at + _NEAR_AFTER) for at in expected]
        everywhere = (0, len(self._searchable))
        searches = (
            *((span, last_word) for span in near),
            (everywhere, ending[-_FAR_MATCH:]),
            (everywhere, last_word),
        )
        found_whole_word = False
        for (low, high), wanted in searches:
            if found_whole_word and (low, high) == everywhere and wanted == last_word:
                return
            for position in self._find(wanted, low, high):
                if within_word and self._searchable[position : position + 1].isalnum():
                    yield position, Match(MATCH_WITHIN_WORD, near=False)
                    continue
                found_whole_word = True
                yield (
                    position,
                    Match(
                        self._match_length(position, ending),
                        near=any(start <= position <= stop for start, stop in near),
                    ),
                )

    def _match_length(self, position: int, ending: bytes) -> int:
        alike = (n for n in MATCH_LENGTHS if self._searchable[max(0, position - n) : position] == ending[-n:])
        return next(alike, SHORT_MATCH)

    def _find(self, wanted: bytes, low: int, high: int) -> Iterator[int]:
        """Where ``wanted`` ends in a stretch of the text. The answer's own end is left out."""
        at, last = low - 1, min(high, len(self._searchable) - 1)
        for _ in range(_MAX_HITS if wanted else 0):
            at = self._searchable.find(wanted, at + 1, last)
            if at < 0:
                return
            yield at + len(wanted)


def _sentence_ends(texts: bytes) -> Iterator[int]:
    """Where sentences end, in bytes."""
    text, size, seen = texts.decode(), 0, 0
    for stop in _SENTENCE_END.finditer(text):
        size += len(text[seen : stop.end()].encode())
        seen = stop.end()
        yield size
