"""The texts that an answer will probably repeat, as bytes: the draft, the prompt, and the answer so far.

Finds where what was written last stands in them, and copies what comes after. Knows no tokens.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

STRETCH = 240
"""Bytes that are copied at a time."""

SIZES = (64, 32, 16, 8)
"""Bytes that match before a place are counted by these steps, 4 where it is fewer, 1 within a word."""

_REACH = 400  # bytes after an expected place that are near
_BACK = 24  # and before it
_TRIES = 24  # places of one string that are looked at
_FAR = 8  # bytes that must match far from what is expected; near it, the last word
_LAST_WORD = re.compile(rb"(?:^|\s|(?<=[^\w\s]))[^\s]*\s*$")
_BLANK = bytes.maketrans(b"\n\t", b"  ")
_BLANKS = re.compile(rb"\s*")
_STOP = re.compile(r"[.!?。！？…][\"'”’)\]»]*(?=[\s\0])")


class Known:
    """A draft, in pairs (ids, text), and other texts, in one row of bytes with the answer after them.

    ``claims`` are the draft's claims as (start, end, ids); ``stops`` where its claims begin and end, and where
    sentences end anywhere; ``end`` is the draft's own.
    """

    def __init__(self, draft: Sequence[tuple[str, str]], texts: Sequence[str]) -> None:
        self.claims: list[tuple[int, int, str]] = []
        pieces, at = [], 0
        for ids, text in draft:
            pieces.append(text.encode("utf-8", "replace"))
            if ids:
                self.claims.append((at, at + len(pieces[-1]), ids))
            at += len(pieces[-1])
        self.end = at
        self._texts = b"\0".join(
            (b"".join(pieces), *(text.encode("utf-8", "replace") for text in texts), b"")
        )
        borders = (border for start, end, _ in self.claims for border in (start, end))
        self.stops = sorted({*_ends(self._texts), *borders, self.end})
        self._claim_ends = {end for _, end, _ in self.claims}
        self.write(b"")

    def write(self, answer: bytes) -> None:
        """Take the answer as far as it is written; one that begins alike may be shorter or longer than before."""
        self._all = self._texts + answer
        self._flat = self._all.translate(_BLANK)

    def copied(self, at: int, end: int) -> bytes:
        """The text from ``at`` on, to ``end`` or a little less; an answer that repeats itself goes on doing so."""
        end = min(end, at + STRETCH)
        text = self._all[at:end]
        if text and end > len(self._all):
            text = (text * (1 + STRETCH // len(text)))[: end - at]
        text = text.partition(b"\0")[0]
        if len(text) == STRETCH and b" " in text[1:]:
            return text[: text.rfind(b" ")]
        return text.decode(errors="ignore").encode()  # a cut may have parted a character

    def next_stop(self, at: int) -> int | None:
        """Where the sentence or claim ends that goes on at ``at``."""
        place = bisect_right(self.stops, at)
        return self.stops[place] if place < len(self.stops) else None

    def stops_at(self, at: int) -> bool:
        """Whether one ends there."""
        place = bisect_left(self.stops, at)
        return place < len(self.stops) and self.stops[place] == at

    def claim_ends(self, at: int) -> bool:
        """Whether a claim of the draft ends there."""
        return at in self._claim_ends

    def past_blanks(self, at: int) -> int:
        """The next place that is no blank."""
        blanks = _BLANKS.match(self._texts, at)
        return blanks.end() if blanks else at

    def ids_after(self, at: int) -> str:
        """The ids of the draft's claim that ``at`` stands in, or of the next."""
        return next((ids for _, end, ids in self.claims if at < end), "")

    def places(self, near: Sequence[int]) -> Iterator[tuple[int, int, bool]]:
        """Where the text goes on as it ends now: (place, bytes that match, whether one of ``near`` is).

        The same place may come twice, first with what holds of it.
        """
        view = self._flat[-SIZES[0] :]
        if b"\0" in view:
            view = view[view.rfind(b"\0") + 1 :]
        word = _LAST_WORD.search(view)
        short = view[word.start() :][-_FAR:] if word else b""
        inside = view[-1:].isalnum()
        spans = [(max(0, at - _BACK), at + _REACH) for at in near]
        everywhere = (0, len(self._flat))
        whole_words = False
        for (low, high), wanted in (
            *((span, short) for span in spans),
            (everywhere, view[-_FAR:]),
            (everywhere, short),
        ):
            if whole_words and (low, high) == everywhere and wanted == short:
                return
            for place in self._find(wanted, low, high):
                close = any(start <= place <= stop for start, stop in spans)
                if inside and self._flat[place : place + 1].isalnum():
                    yield place, 1, False
                    continue
                whole_words = True
                same = (n for n in SIZES if self._flat[max(0, place - n) : place] == view[-n:])
                yield place, next(same, 4), close

    def _find(self, wanted: bytes, low: int, high: int) -> Iterator[int]:
        """The ends of ``wanted`` in a stretch, the text's own end left out."""
        at, last = low - 1, min(high, len(self._flat) - 1)
        for _ in range(_TRIES if wanted else 0):
            at = self._flat.find(wanted, at + 1, last)
            if at < 0:
                return
            yield at + len(wanted)


def _ends(texts: bytes) -> Iterator[int]:
    """Where sentences end, in bytes."""
    text, size, seen = texts.decode(), 0, 0
    for stop in _STOP.finditer(text):
        size += len(text[seen : stop.end()].encode())
        seen = stop.end()
        yield size
