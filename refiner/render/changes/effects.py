"""What each change did, in words. It says what citations, verdicts and reasons tell. It guesses nothing.

A change of a criterion's value is put down to a sentence in two cases: the sentence is the only change, or
the judge's reason quotes it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from refiner.diff import words as words_of
from refiner.domain import Change, ClaimSupport, Criterion, Reward, Token, Verdict
from refiner.render.changes.support_lookup import SupportLookup
from refiner.render.html_text import count, number
from refiner.render.scores.comparison import criterion_pairs, value_after_polarity
from refiner.render.verdicts import support_label, verdict_tone

Tone = Literal["good", "bad", "open"]
_MIN_MARKED_WORDS, _MIN_UNMARKED_WORDS = 3, 8
"""How many words in a row make a quotation: in quotation marks, and without."""
_QUOTATION = re.compile(r"[“\"«„‘']([^“”\"«»„‘’]+)[”\"»“’']")
_RANK = {"bad": 0, "fair": 1, "open": 2, "good": 3}


@dataclass(frozen=True, slots=True)
class ChangeEffect:
    """One thing that a change did: ``short`` for its tag, ``words`` in full. Neither is escaped."""

    tone: Tone
    short: str
    words: str


@dataclass(frozen=True, slots=True)
class CriterionShift:
    """A criterion whose value rose or fell, with both values after polarity and both reasons."""

    criterion: Criterion
    before: float
    after: float
    reasons: tuple[str, str]

    @property
    def words(self) -> str:
        """The two values, and whether it rose or fell."""
        way = "rose" if self.after > self.before else "fell"
        return f"“{self.criterion.title}” {way} from {number(self.before)} to {number(self.after)}"


def change_effects(
    changes: Sequence[Change], before: Reward, after: Reward
) -> tuple[tuple[ChangeEffect, ...], ...]:
    """What each change did, in the order of the changes. Empty for a change of which nothing is known."""
    left, right = SupportLookup(before.citation.supports), SupportLookup(after.citation.supports)
    moved = criterion_shifts(before, after)
    touched = [change for change in changes if change.kind != "same" or change.moved]
    return tuple(
        (
            *_citations(change),
            *_support(change, left.of_sentence(change.draft), right.of_sentence(change.refined)),
            *_criteria(change, moved, alone=len(touched) == 1),
        )
        if change.kind != "same"
        else ()
        for change in changes
    )


def criterion_shifts(before: Reward, after: Reward) -> tuple[CriterionShift, ...]:
    """The criteria that were scored for both answers with different values."""
    found = []
    for pair in criterion_pairs(before, after):
        was, now = (
            value_after_polarity(pair.criterion, pair.before),
            value_after_polarity(pair.criterion, pair.after),
        )
        if pair.before is not None and was is not None and now is not None and was != now:
            found.append(CriterionShift(pair.criterion, was, now, (pair.before.reason, pair.after.reason)))
    return tuple(found)


def _citations(change: Change) -> Iterator[ChangeEffect]:
    came, went = (
        sum(bool(token.ids) and token.changed for token in side) for side in (change.refined, change.draft)
    )
    for n, sign, done in ((came - went, "+", "added"), (went - came, "−", "removed")):
        if n > 0:
            yield ChangeEffect("open", f"{sign}{count(n, 'citation')}", f"{count(n, 'citation')} {done}.")
    if came and came == went:
        yield ChangeEffect("open", "recited", f"{count(came, 'citation')} changed.")


def _support(
    change: Change, left: Sequence[ClaimSupport], right: Sequence[ClaimSupport]
) -> Iterator[ChangeEffect]:
    if change.kind == "edited":
        yield from _support_change(left, right)
        return
    sign, done = ("+", "came in") if change.kind == "added" else ("−", "is gone")
    for one in (*left, *right):
        name = _named(one)
        if name:
            gain = (name == "supported") == (change.kind == "added")
            said = f"A claim that {_is_marked(one)} {done}."
            yield ChangeEffect("good" if gain else "bad", f"{sign}1 {name}", said)


def _named(one: ClaimSupport) -> str:
    """What a claim counts as. Empty if that is open."""
    if not one.ids:
        return "uncited"
    return {"good": "supported", "bad": "unsupported"}.get(verdict_tone(one.verdict), "")


def _is_marked(one: ClaimSupport) -> str:
    return f"is marked {_quoted(one.verdict)}" if one.ids else "cites nothing"


def _support_change(left: Sequence[ClaimSupport], right: Sequence[ClaimSupport]) -> Iterator[ChangeEffect]:
    """How the least supported claims of both sides compare."""
    was, now = _least_supported(left), _least_supported(right)
    if was is None or now is None:
        return
    if not was.ids and now.ids:
        yield ChangeEffect("good", "now cited", f"It cited nothing; now it is marked {_quoted(now.verdict)}.")
    elif was.ids and not now.ids:
        yield ChangeEffect("bad", "uncited", f"It was marked {_quoted(was.verdict)}; now it cites nothing.")
    elif (step := _RANK[verdict_tone(now.verdict)] - _RANK[verdict_tone(was.verdict)]) != 0:
        name = "support raised" if step > 0 else "support lowered"
        said = f"Support: {_quoted(was.verdict)} before, {_quoted(now.verdict)} now."
        yield ChangeEffect("good" if step > 0 else "bad", name, said)


def _least_supported(supports: Sequence[ClaimSupport]) -> ClaimSupport | None:
    if not supports or any(one.verdict.value is None for one in supports):
        return None
    return min(supports, key=lambda one: one.verdict.value or 0.0)


def _quoted(verdict: Verdict) -> str:
    estimated = " (an estimate)" if verdict.basis == "estimated" else ""
    return f"“{support_label(verdict)}”{estimated}"


def _criteria(change: Change, moved: Sequence[CriterionShift], *, alone: bool) -> Iterator[ChangeEffect]:
    for shift in moved:
        sides = (change.draft, change.refined)
        quoted = any(_quotes(reason, side) for reason, side in zip(shift.reasons, sides, strict=True))
        if alone or quoted:
            up = shift.after > shift.before
            why = "nothing else changed" if alone else "the judge’s reason quotes this"
            yield ChangeEffect(
                "good" if up else "bad", f"criterion {'↑' if up else '↓'}", f"{shift.words}: {why}."
            )


def _quotes(reason: str, sentence: Sequence[Token]) -> bool:
    """Whether a reason quotes a sentence: a few of its words in quotation marks, or many in a row."""
    there = words_of("".join(token.text for token in sentence))
    marked = [words_of(match[1]) for match in _QUOTATION.finditer(reason)]
    quoted = any(len(one) >= _MIN_MARKED_WORDS and _within(one, there) for one in marked)
    said = words_of(reason)
    runs = (said[at : at + _MIN_UNMARKED_WORDS] for at in range(len(said) - _MIN_UNMARKED_WORDS + 1))
    return quoted or any(_within(run, there) for run in runs)


def _within(words: list[str], there: list[str]) -> bool:
    n = len(words)
    return any(there[at : at + n] == words for at in range(len(there) - n + 1))
