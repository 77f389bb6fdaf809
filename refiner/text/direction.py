"""The direction in which a text is read. It knows no HTML and no SVG."""

import unicodedata

_STRONG = {"L", "R", "AL"}
"""The bidirectional classes of letters that have a direction of their own (Unicode Standard Annex 9)."""


def runs_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction of its own runs from right to left."""
    classes = (unicodedata.bidirectional(letter) for letter in text)
    return next((name for name in classes if name in _STRONG), "L") != "L"
