"""Which sentences have to do with a statement: BM25 over words (bm25s). A heuristic. It reads no meaning."""

from collections.abc import Sequence
from functools import lru_cache

from refiner.domain import Source
from refiner.text import sentences
from refiner.text.sentences import Sentence
from refiner.text.words import words


class Index:
    """Texts that can be ranked against many statements."""

    def __init__(self, texts: Sequence[str]) -> None:
        import bm25s  # noqa: PLC0415 - it brings numpy, and the command line's help does without

        self._size = len(texts)
        corpus = [words(text) for text in texts]
        self._bm25 = bm25s.BM25() if any(corpus) else None
        if self._bm25 is not None:
            self._bm25.index(corpus, show_progress=False)

    def scores(self, statement: str) -> list[float]:
        """One score for each text: 0 where no word is shared, else above 0. Comparable for one statement only."""
        query = sorted(set(words(statement)))
        if self._bm25 is None or not query:
            return [0.0] * self._size
        known = [word for word in query if word in self._bm25.vocab_dict]
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


def clear_cache() -> None:
    """Free the sources that were indexed."""
    _indexed.cache_clear()


@lru_cache(maxsize=64)
def _indexed(text: str) -> tuple[tuple[Sentence, ...], Index]:
    """A source's sentences, indexed once for all the claims that cite it."""
    found = sentences.split(text)
    return found, Index([sentence.text for sentence in found])
