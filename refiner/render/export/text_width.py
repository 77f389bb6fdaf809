"""How wide a text may come out in a font that is not known, and what of it fits: an upper estimate, in ems."""

import unicodedata

_NARROW = frozenset("iljtfr.,:;'|!()[]- ")
_BROAD = frozenset("mwMWQGOCD@%&—…")
_LIGATURES = range(0xFDF0, 0xFE00)  # single characters that are whole Arabic phrases


def width(text: str) -> float:
    """Ems that the text takes at most in the usual sans serifs, DejaVu Sans, the widest of them, included."""
    return sum(map(_em, text))


def _em(letter: str) -> float:
    if ord(letter) in _LIGATURES:
        return 10.0
    if unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0.25  # nothing each, but then a text could have any number of them
    if unicodedata.east_asian_width(letter) in {"W", "F"} or ord(letter) > 0xFFFF:  # noqa: PLR2004 - emoji and the rare
        return 1.3 if unicodedata.category(letter) == "So" else 1.05
    if letter in _NARROW:
        return 0.42
    return 1.02 if letter in _BROAD else 0.8 if letter.isupper() or not letter.isascii() else 0.66


def fit(text: str, ems: float) -> str:
    """As much of the text as fits, ``…`` at its end where some does not."""
    return lines(text, ems, 1)[0]


def lines(text: str, ems: float, most: int) -> list[str]:
    """The text in at most that many lines, broken at blanks where there are any; the last ends in ``…`` if cut."""
    rest = " ".join(text.split())
    broken: list[str] = []
    while len(broken) < most - 1 and width(rest) > ems:
        end = _reach(rest, ems)
        blank = rest.rfind(" ", end // 2, end + 1)
        end = blank if blank > 0 else end
        broken.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    if width(rest) > ems:
        rest = rest[: _reach(rest, ems - _em("…"))].rstrip() + "…"
    return [*broken, rest]


def _reach(text: str, ems: float) -> int:
    """How many characters fit, one at least."""
    taken = 0.0
    for place, letter in enumerate(text):
        taken += _em(letter)
        if taken > ems:
            return max(place, 1)
    return len(text)
