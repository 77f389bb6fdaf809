"""Which sentences have to do with a statement: BM25 over words (bm25s). A heuristic; it reads no meaning."""

import re
from collections.abc import Sequence
from functools import lru_cache

from refiner.domain import Source
from refiner.text import sentences
from refiner.text.sentences import Sentence

_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9d]")  # scripts without blanks
_LONGEST = 100_000  # characters of one text that are looked at


def words(text: str) -> list[str]:
    """The words, case-folded; in scripts that are written without blanks, the single characters."""
    spaced = _UNSPACED.sub(lambda match: f" {match[0]} ", text[:_LONGEST].casefold())
    return _WORD.findall(spaced)


class Index:
    """Texts to be ranked against many statements."""

    def __init__(self, texts: Sequence[str]) -> None:
        import bm25s  # noqa: PLC0415 - it brings numpy, and the command line's help does without

        self._size = len(texts)
        corpus = [words(text) for text in texts]
        self._bm25 = bm25s.BM25() if any(corpus) else None
        if self._bm25 is not None:
            self._bm25.index(corpus, show_progress=False)

    def scores(self, statement: str) -> list[float]:
        """One score a text, 0 or more; 0 where no word is shared. Comparable for one statement only."""
        asked = sorted(set(words(statement)))
        if self._bm25 is None or not asked:
            return [0.0] * self._size
        known = [word for word in asked if word in self._bm25.vocab_dict]
        return [float(score) for score in self._bm25.get_scores(known)] if known else [0.0] * self._size


def rank(statement: str, texts: Sequence[str]) -> list[float]:
    """`Index.scores` of texts that are ranked once."""
    return Index(texts).scores(statement)


def best_sentence(statement: str, source: Source) -> Sentence | None:
    """The sentence of ``source`` that shares most with ``statement``, with its span; None where none shares a word."""
    found, index = _indexed(source.text)
    scores = index.scores(statement)
    best = max(range(len(found)), key=scores.__getitem__, default=None)
    return found[best] if best is not None and scores[best] > 0 else None


def forget() -> None:
    """Let go of the sources that were prepared."""
    _indexed.cache_clear()


@lru_cache(maxsize=64)
def _indexed(text: str) -> tuple[tuple[Sentence, ...], Index]:
    """A source's sentences, prepared once for all the claims that cite it."""
    found = sentences.split(text)
    return found, Index([sentence.text for sentence in found])
