"""What changed, in words. It knows no HTML."""

from collections.abc import Iterable, Sequence

from refiner.diff import count as counts
from refiner.domain import Change, Reward
from refiner.render.changes.effects import criterion_shifts
from refiner.render.html_text import count


def change_summary(changes: Sequence[Change]) -> str:
    """What changed, in words: sentences first, then citations."""
    found = counts(changes)
    changed = (
        ("removed", found.removed),
        ("added", found.added),
        ("changed", found.edited),
        ("moved", found.moved),
    )
    citations = (
        ("added", found.citations_added),
        ("removed", found.citations_removed),
        ("changed", found.recited),
    )
    said = (_counted(changed, "sentence"), _counted(citations, "citation"))
    return "; ".join(words for words in said if words) or "Nothing changed."


def _counted(what: Iterable[tuple[str, int]], noun: str) -> str:
    """``2 sentences removed, 1 added``: only the first count names the noun."""
    some = [(word, number) for word, number in what if number]
    return ", ".join(
        f"{count(number, noun) if place == 0 else number} {word}" for place, (word, number) in enumerate(some)
    )


def criteria_summary(rewards: tuple[Reward, Reward] | None) -> str:
    """How many criteria rose and fell, after a semicolon. Nothing if none did."""
    moved = criterion_shifts(*rewards) if rewards else ()
    if not moved:
        return ""
    up = sum(shift.after > shift.before for shift in moved)
    parts = ((up, "raised"), (len(moved) - up, "lowered"))
    said = ", ".join(f"{count(n, 'criterion', 'criteria')} {word}" for n, word in parts if n)
    return f"; {said}"
