"""A text as the lexical judge reads it: words with their stems and sentences, without citation marks and addresses."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from refiner.text import sentences
from refiner.text.words import MAX_CHARACTERS, UNSPACED_SCRIPTS

_MARKS = re.compile(
    r"\[\s*\d+(?:\s*[,;–-]\s*\d+)*\s*\]|</?s>|(?:https?://|www\.)\S+|^\s*(?:Title|Section|Text|URL|Snippet):"
    r"|^\s*\d{1,2}[.)](?=\s)",  # an item's number in a list
    re.MULTILINE,
)
_WORD = re.compile(
    rf"[{UNSPACED_SCRIPTS}]"
    r"|\d+(?:[.,]\d+)+"
    rf"|[^\W_{UNSPACED_SCRIPTS}]+(?:['’][^\W\d_]+)?"
)
_ENDINGS = ("ies", "ing", "ed", "es", "s", "ly")


def word_list(words: str) -> frozenset[str]:
    """A set of words, written as one text."""
    return frozenset(words.split())


COMMON = word_list(
    "a about after all also an and any are as at be because been before being between both but by can could "
    "did do does during each for from had has have he her his how i if in into is it its just may might more "
    "most no not of on only or other our over own same she should so some such than that the their them then "
    "there these they this those through to too under very was we were what when where which while who will "
    "with would you your"
)
"""Words that say little about what a sentence is about."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word as written, case-folded and stemmed, the number of its sentence, and whether it begins that."""

    text: str
    folded: str
    stem: str
    sentence: int
    first: bool
    after: str
    """The character after it, or ''."""


@dataclass(frozen=True, slots=True)
class PreparedText:
    """A text's words in order, and where each stem stands among them."""

    words: tuple[Word, ...]
    places: Mapping[str, tuple[int, ...]]
    text: str


@lru_cache(maxsize=256)
def prepare(text: str) -> PreparedText:
    """Read the first `MAX_CHARACTERS` characters of ``text``. Raises on no text."""
    cleaned = _MARKS.sub(" ", text[:MAX_CHARACTERS])
    words = tuple(_words(cleaned))
    places: dict[str, list[int]] = {}
    for at, word in enumerate(words):
        places.setdefault(word.stem, []).append(at)
    return PreparedText(words, {stem: tuple(found) for stem, found in places.items()}, cleaned)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The word without the commonest English endings. What counts is that both sides are treated alike."""
    word = word.replace("’", "'").removesuffix("'s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) > 2:  # noqa: PLR2004 - a stem that still tells words apart
            word = word[: -len(ending)]
            break
    return word.rstrip("ey") if len(word) > 4 else word  # noqa: PLR2004 - the same


def _words(text: str) -> Iterator[Word]:
    for number, sentence in enumerate(sentences.split(text)):
        for at, match in enumerate(_WORD.finditer(sentence.text)):
            folded = match[0].casefold()
            after = sentence.text[match.end() : match.end() + 1]
            yield Word(match[0], folded, stem(folded), number, at == 0, after)
