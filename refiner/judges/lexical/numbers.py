"""Reads numbers as people write them: in digits or words, with thousands' commas, scales and percent signs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from refiner.judges.lexical.prepared_text import Word

_SCALES: Mapping[str, float] = {
    "hundred": 1e2,
    "thousand": 1e3,
    "k": 1e3,
    "million": 1e6,
    "m": 1e6,
    "mn": 1e6,
    "billion": 1e9,
    "bn": 1e9,
    "trillion": 1e12,
}
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_TENS = "thirty forty fifty sixty seventy eighty ninety"
_IN_WORDS = {word: float(value) for value, word in enumerate(_SMALL.split())} | {
    word: 30.0 + 10 * at for at, word in enumerate(_TENS.split())
}
_DIGITS = re.compile(r"(\d+(?:[.,]\d+)*)(st|nd|rd|th|s|k|mn|m|bn)?")
_GROUPS = re.compile(r",(?=\d{3}(?:\D|$))")
_YEAR_RANGE = range(1000, 2101)  # four digits in this range read as a year


@dataclass(frozen=True, slots=True)
class Number:
    """What is counted in, the value, and the words that say it."""

    kind: Literal["number", "year", "percent"]
    value: float
    text: str


def number(word: Word, following: Word | None) -> Number | None:
    """The number that begins with ``word``: 1,000 is 1000, "2 million" and "2m" are 2000000, 1990s is 1990.

    "sixty-four" is one number of two words.
    """
    digits = _DIGITS.fullmatch(word.folded)
    if digits:
        value, scale = _value(digits[1]), _SCALES.get(digits[2] or "", 1.0)
        year = digits[2] in {None, "s"} and digits[1].isdecimal() and int(digits[1][:9]) in _YEAR_RANGE
    elif word.folded in _IN_WORDS:
        value, scale, year = _IN_WORDS[word.folded], 1.0, False
    else:
        return None
    said = word.text
    if word.after == "-" and value % 10 == 0 and following and _IN_WORDS.get(following.folded, 10) < 10:  # noqa: PLR2004 - sixty-four
        value, said = value + _IN_WORDS[following.folded], f"{said}-{following.text}"
    if following and following.folded in _SCALES and len(following.folded) > 2:  # noqa: PLR2004 - "5 m" may be metres
        scale, said, year = scale * _SCALES[following.folded], f"{said} {following.text}", False
    percent = word.after == "%" or (following is not None and following.folded.startswith("percent"))
    return Number("percent" if percent else "year" if year else "number", round(value * scale, 6), said)


def _value(digits: str) -> float:
    """1,000 and 1000 are one number; so are 2.0 and 2. Of 1.2.3 the first two parts count."""
    plain = _GROUPS.sub("", digits).replace(",", ".")
    return float(".".join(plain.split(".")[:2])[:30])
