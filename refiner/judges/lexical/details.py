"""Looks for a statement's numbers, months and names in its evidence: absent, or there in another context.

A detail's context is the words around it, and near ones weigh more. If the evidence has another detail of the same kind
in that context, and this one far from it, the two may have been swapped.
"""

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from rapidfuzz import fuzz, process

from refiner.judges.lexical.context import Context, Rarity, context, fit
from refiner.judges.lexical.numbers import Number, number
from refiner.judges.lexical.prepared_text import COMMON, PreparedText, Word

_MAX_DETAILS = 40  # details of a statement, and positions of one word, that are looked at
_MAX_OTHERS = 500  # details of a source that are tried in one position
_SAME_NAME = (
    80  # similarity of 100 from which two spellings are one name: Russian and Russia, not Iran and Iraq
)
_MIN_NAME_LETTERS = 5  # shorter names are similar by chance
_MIN_ABSENT_SHARE = 0.15  # share of a statement's name words from which on absent ones are flagged
_MIN_FIT = {
    "number": 0.4,
    "name": 0.5,
}  # how well the other detail must fit; chosen in training, as is the next
_MIN_FIT_GAIN = {"number": 0.2, "name": 0.3}  # and by how much better than the statement's own detail
_MAX_NAME_FIT = 0.25  # a name that fits its position this well is not taken for moved
_MAX_DAY = 31
_MONTHS = tuple(month.casefold() for month in calendar.month_name[1:])


@dataclass(frozen=True, slots=True)
class Detail:
    """A number (its value), month or name (its stem), as written, and where its word stands."""

    kind: Literal["number", "year", "percent", "day", "month", "name"]
    value: float | str
    text: str
    at: int

    @property
    def telling(self) -> bool:
        """Whether it can be told from its like by where it stands: "two" and "one" are everywhere."""
        return self.named or self.text[0].isdigit()

    @property
    def named(self) -> bool:
        """Whether it is a name or a month, not a number."""
        return isinstance(self.value, str)


@dataclass(frozen=True, slots=True)
class MovedDetail:
    """A detail that the evidence has elsewhere; where it would belong, ``instead`` stands."""

    detail: Detail
    instead: str


@dataclass(frozen=True, slots=True)
class DetailFindings:
    """What of a statement's details the evidence lacks, as written, and what it has in another place.

    ``names_matter`` says that the absent names are a fair share of all, not one word of a long title.
    """

    absent_numbers: tuple[str, ...] = ()
    absent_names: tuple[str, ...] = ()
    names_matter: bool = False
    moved: tuple[MovedDetail, ...] = ()


def compare(
    statement: PreparedText, evidence: PreparedText, rarity: Rarity, known: frozenset[str]
) -> DetailFindings:
    """Look for the statement's details in the evidence; names among the stems ``known`` are not missed."""
    asked, there = details_of(statement)[:_MAX_DETAILS], details_of(evidence)
    runs = list(_runs(asked))
    missing = {one.at for run in runs for one in run if not _found(one, evidence, known)}
    absent = [run for run in runs if 2 * sum(one.at in missing for one in run) > len(run)]
    share = sum(map(len, absent)) / max(1, sum(map(len, runs)))
    values = {one.value for one in there} | {1.0}  # "one" is said of anything
    lost = [one for one in asked if not one.named and one.value not in values]
    gone = missing | {one.at for one in lost}
    mine = {one.value for one in asked}
    others_there = [one for one in there if one.telling and one.value not in mine]
    moved = []
    for one in asked:
        if one.telling and one.at not in gone and one.value not in known:
            near = context(statement, one.at, rarity)
            own = [other.at for other in there if other.value == one.value]
            own = own or list(evidence.places.get(str(one.value), ()))
            moved += _moved_detail(one, near, evidence, own, others_there)
    return DetailFindings(
        tuple(dict.fromkeys(one.text for one in lost)),
        tuple(dict.fromkeys(" ".join(one.text for one in run) for run in absent)),
        share >= _MIN_ABSENT_SHARE,
        tuple(moved),
    )


def details_of(text: PreparedText) -> tuple[Detail, ...]:
    """The details in their order."""
    found: list[Detail] = []
    for at, (word, following) in enumerate(zip_longest(text.words, text.words[1:])):
        if found and found[-1].at == at - 1 and "-" in found[-1].text:
            continue  # the four of sixty-four
        count = number(word, following)
        detail = _count(count, text, at) if count else _name(word, following, at)
        found += [detail] if detail else []
    return tuple(found)


def _count(count: Number, text: PreparedText, at: int) -> Detail:
    """A number; one of at most 31 beside a month is a day of it."""
    beside = {word.folded for word in text.words[max(0, at - 1) : at + 2]}
    day = count.kind == "number" and count.value <= _MAX_DAY and not beside.isdisjoint(_MONTHS)
    return Detail("day" if day else count.kind, count.value, count.text, at)


def _name(word: Word, following: Word | None, at: int) -> Detail | None:
    """A capital inside a sentence; at its beginning only where the next word has one too, or all are capitals."""
    bare = word.folded.replace("’", "'").partition("'")[0]  # "She's" is no name
    if not word.text[0].isupper() or len(word.text) < 2 or bare in COMMON:  # noqa: PLR2004 - initials tell little
        return None
    beside = following is not None and following.sentence == word.sentence and following.text[0].isupper()
    if word.first and (word.after != " " or not beside) and not word.text[1:].isupper():
        return None
    return Detail("month" if word.folded in _MONTHS else "name", word.stem, word.text, at)


def _runs(details: Sequence[Detail]) -> Iterator[list[Detail]]:
    """Names word by word: those that stand side by side are one."""
    run: list[Detail] = []
    for one in details:
        if one.named and run and (one.kind, one.at) == (run[-1].kind, run[-1].at + 1):
            run.append(one)
        elif one.named:
            if run:
                yield run
            run = [one]
    if run:
        yield run


def _found(one: Detail, evidence: PreparedText, known: frozenset[str]) -> bool:
    """Whether a name is there in this spelling or a near one, a month also as three letters or in 2018-06-30."""
    stem, folded = str(one.value), one.text.casefold()
    if stem in known or stem in evidence.places:
        return True
    if one.kind == "month":
        written = f"-{_MONTHS.index(folded) + 1:02}-"
        return folded[:3] in evidence.places or written in evidence.text
    if one.text.isupper() and folded in evidence.text.casefold().replace(".", ""):
        return True
    if len(stem) < _MIN_NAME_LETTERS:
        return False
    return (
        process.extractOne(stem, evidence.places.keys(), scorer=fuzz.ratio, score_cutoff=_SAME_NAME)
        is not None
    )


def _moved_detail(
    one: Detail, near: Context, evidence: PreparedText, own: Sequence[int], others_there: Sequence[Detail]
) -> list[MovedDetail]:
    """Which detail that the statement has not (``others_there``) stands where this one, now at ``own``, would belong."""
    here = max((fit(near, evidence, at) for at in own[:_MAX_DETAILS]), default=1.0)
    others = [other for other in others_there if other.kind == one.kind][:_MAX_OTHERS]
    if not others or (one.named and here >= _MAX_NAME_FIT):
        return []
    best, instead = max((fit(near, evidence, other.at), other.text) for other in others)
    kind = "name" if one.named else "number"
    return [MovedDetail(one, instead)] if best >= _MIN_FIT[kind] and best - here > _MIN_FIT_GAIN[kind] else []
