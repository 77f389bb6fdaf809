"""How wide a text may be in a font that is not known, and how much of it fits.

Widths are upper estimates, in ems.
"""

import unicodedata

_NARROW = frozenset("iljtfr.,:;'|!()[]- ")
_BROAD = frozenset("mwMWQGOCD@%&—…")
_LIGATURES = range(0xFDF0, 0xFE00)  # single characters that are whole Arabic phrases
_LAST_BMP = 0xFFFF
"""The last character of Unicode's Basic Multilingual Plane."""


def width(text: str) -> float:
    """How many ems the text takes at most in the usual sans serifs. DejaVu Sans is the widest of them."""
    return sum(map(_em, text))


def _em(letter: str) -> float:
    if ord(letter) in _LIGATURES:
        return 10.0
    if unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0.25  # no width, but at 0 a text could have any number of them
    if (
        unicodedata.east_asian_width(letter) in {"W", "F"} or ord(letter) > _LAST_BMP
    ):  # emoji and rare scripts
        return 1.3 if unicodedata.category(letter) == "So" else 1.05
    if letter in _NARROW:
        return 0.42
    return 1.02 if letter in _BROAD else 0.8 if letter.isupper() or not letter.isascii() else 0.66


def fit(text: str, ems: float) -> str:
    """As much of the text as fits. It ends in ``…`` if some does not."""
    return lines(text, ems, 1)[0]


def lines(text: str, ems: float, max_lines: int) -> list[str]:
    """The text in at most ``max_lines`` lines of ``ems``, broken at blanks if there are any.

    The last line ends in ``…`` if the text is cut.
    """
    rest = " ".join(text.split())
    broken: list[str] = []
    while len(broken) < max_lines - 1 and width(rest) > ems:
        end = _fitting_length(rest, ems)
        blank = rest.rfind(" ", end // 2, end + 1)
        end = blank if blank > 0 else end
        broken.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    if width(rest) > ems:
        rest = rest[: _fitting_length(rest, ems - _em("…"))].rstrip() + "…"
    return [*broken, rest]


def _fitting_length(text: str, ems: float) -> int:
    """How many characters fit, at least one."""
    taken = 0.0
    for place, letter in enumerate(text):
        taken += _em(letter)
        if taken > ems:
            return max(place, 1)
    return len(text)
