"""Numbers, months and names of a statement, looked for in its evidence: absent, or there in another context.

A detail's context is the words around it, near ones first. Where another detail of the same kind stands in that
context in the evidence, and this one stands far from it, the two may have been swapped.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz, process

from refiner.judges.context import Rarity, context, fit
from refiner.judges.prepared import COMMON, Prepared, Word, listed

Kind = Literal["number", "year", "percent", "month", "name"]

_NAMES = frozenset({"month", "name"})
_MOVED = {"number": 0.13, "name": 0.22}
"""The share of a detail's context by which another's place must fit better; chosen on the training claims."""
_MOST = 40  # details of a statement, and places of one word, that are looked at
_ALIKE = 80  # of 100, from which two spellings are one name: Russian and Russia, not Iran and Iraq
_SHORT = 5  # letters, under which names are alike by chance
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
_MONTHS = listed("january february march april may june july august september october november december")
_DIGITS = re.compile(r"(\d+(?:[.,]\d+)*)(st|nd|rd|th|s|k|mn|m|bn)?")
_GROUPS = re.compile(r",(?=\d{3}(?:\D|$))")
_YEARS = range(1000, 2101)  # four digits that read as a year


@dataclass(frozen=True, slots=True)
class Detail:
    """One number (its value), month or name (its stem), as written, and where its word stands."""

    kind: Kind
    value: float | str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A detail that the evidence has elsewhere; where it would belong, ``instead`` stands."""

    detail: Detail
    instead: str

    @property
    def numeric(self) -> bool:
        """Whether it is a number, a year or a share, and not a name or a month."""
        return self.detail.kind not in _NAMES


@dataclass(frozen=True, slots=True)
class Details:
    """What of a statement's details the evidence lacks, as written, and what it has in another place."""

    absent_numbers: tuple[str, ...]
    absent_names: tuple[str, ...]
    moved: tuple[Moved, ...]
    names: int
    """How many names the statement has."""


def compare(statement: Prepared, evidence: Prepared, rarity: Rarity, known: frozenset[str]) -> Details:
    """Look for the statement's details in the evidence; names among the stems ``known`` are not missed."""
    asked, there = read(statement)[:_MOST], read(evidence)
    values = {one.value for one in there}
    strange = [
        one for one in there if one.value not in statement.places.keys() | {own.value for own in asked}
    ]
    numbers: dict[str, None] = {}
    names: dict[str, None] = {}
    moved = []
    for one in asked:
        if one.kind not in _NAMES and one.value not in values and one.value != 1:  # "one" counts little
            numbers[one.text] = None
        elif one.kind in _NAMES and not _named(one, evidence, known):
            names[one.text] = None
        elif one.value not in known:
            own = [other.at for other in there if other.value == one.value]
            own = own or list(evidence.places.get(str(one.value), ()))
            moved += _instead(one, context(statement, one.at, rarity), evidence, own, strange)
    return Details(tuple(numbers), tuple(names), tuple(moved), sum(one.kind in _NAMES for one in asked))


def read(text: Prepared) -> tuple[Detail, ...]:
    """The details in their order."""
    found = []
    for at, word in enumerate(text.words):
        following = text.words[at + 1] if at + 1 < len(text.words) else None
        detail = _number(word, following, at) or _name(word, following, at)
        if detail:
            found.append(detail)
    return tuple(found)


def _name(word: Word, following: Word | None, at: int) -> Detail | None:
    """A capital inside a sentence; at its beginning only where the next word has one too, or all are capitals."""
    bare = word.folded.replace("’", "'").partition("'")[0]  # "She's" is no name
    if not word.text[0].isupper() or len(word.text) < 2 or bare in COMMON:  # noqa: PLR2004 - initials tell little
        return None
    beside = following is not None and following.sentence == word.sentence and following.text[0].isupper()
    if word.first and not beside and not word.text[1:].isupper():
        return None
    return Detail("month" if word.folded in _MONTHS else "name", word.stem, word.text, at)


def _named(one: Detail, evidence: Prepared, known: frozenset[str]) -> bool:
    if one.value in known or one.value in evidence.places:
        return True
    if len(str(one.value)) < _SHORT:
        return False
    stems = evidence.places.keys()
    return process.extractOne(str(one.value), stems, scorer=fuzz.ratio, score_cutoff=_ALIKE) is not None


def _instead(
    one: Detail, near: Mapping[str, float], evidence: Prepared, own: Sequence[int], strange: Sequence[Detail]
) -> list[Moved]:
    """Which detail that the statement has not (``strange``) stands where this one, now at ``own``, would belong."""
    here = max((fit(near, evidence, at) for at in own[:_MOST]), default=0.0)
    others = [(fit(near, evidence, other.at), other.text) for other in strange if other.kind == one.kind]
    best, instead = max(others, default=(0.0, ""))
    least = _MOVED["name" if one.kind in _NAMES else "number"] * sum(near.values())
    return [Moved(one, instead)] if best - here > least else []


def _number(word: Word, following: Word | None, at: int) -> Detail | None:
    digits = _DIGITS.fullmatch(word.folded)
    if digits:
        value, scale = _value(digits[1]), _SCALES.get(digits[2] or "", 1.0)
        year = digits[2] in {None, "s"} and digits[1].isdecimal() and int(digits[1][:9]) in _YEARS
    elif word.folded in _IN_WORDS:
        value, scale, year = _IN_WORDS[word.folded], 1.0, False
    else:
        return None
    said = word.text
    if following and following.folded in _SCALES and len(following.folded) > 2:  # noqa: PLR2004 - "5 m" may be metres
        scale, said, year = scale * _SCALES[following.folded], f"{said} {following.text}", False
    percent = word.after == "%" or (following is not None and following.folded.startswith("percent"))
    kind: Kind = "percent" if percent else "year" if year else "number"
    return Detail(kind, round(value * scale, 6), said, at)


def _value(digits: str) -> float:
    """1,000 and 1000 are one number; so are 2.0 and 2. Of 1.2.3 the first two parts count."""
    plain = _GROUPS.sub("", digits).replace(",", ".")
    return float(".".join(plain.split(".")[:2])[:30])
