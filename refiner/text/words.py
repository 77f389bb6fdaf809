"""Words of a text. The one place that knows which scripts are written without blanks between words."""

import re

UNSPACED_SCRIPTS = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9d"
"""Chinese, Japanese and Korean characters, as the inside of a regular expression's brackets.

There a single character stands for a word. Korean has blanks, but its words carry endings, so characters compare better.
"""

MAX_CHARACTERS = 100_000
"""Characters of one text that are looked at where words are compared."""

_UNSPACED = re.compile(f"[{UNSPACED_SCRIPTS}]")
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """The case-folded words of the first `MAX_CHARACTERS` characters; in unspaced scripts each character."""
    spaced = _UNSPACED.sub(lambda match: f" {match[0]} ", text[:MAX_CHARACTERS].casefold())
    return _WORD.findall(spaced)
