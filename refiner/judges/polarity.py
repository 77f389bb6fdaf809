"""Small words that turn a statement round, against the evidence: negations, and opposites.

Each check compares a word with the place in the evidence that its context points to. Wording is all it reads: what
is said otherwise ("lacks" for "does not have") is met by word lists, and no further.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from refiner.judges.context import Rarity, context, fit
from refiner.judges.prepared import COMMON, Prepared, listed, stem

_ANTONYMS = Path(__file__).with_name("antonyms.txt")
_SCOPE = 4  # content words after a negation that it is about
_REACH = 8  # words after it in which they stand
_COVERED = 0.4
"""The least share of a statement that a sentence must have for a negation to be missed in it."""
_TOP = 0.8
"""Of the best sentence's share; sentences from here on are looked at."""
_FITS = 0.1
"""The share of a word's context by which its opposite's place must fit better; like the others chosen in training."""
_MOST = 40  # places of one word that are looked at
_CUES = listed("not no never none nobody nothing nowhere neither nor cannot without")
_NEGATIVE = _CUES | listed(
    "hardly barely rarely seldom unable impossible lack lacks lacked lacking fail fails failed failing absence "
    "absent deny denies denied refuse refuses refused prevent prevents prevented avoid avoids avoided false myth "
    "unlikely instead unclear unknown except"
)


@dataclass(frozen=True, slots=True)
class Opposite:
    """A word of the statement, and the opposite that the evidence has in its place."""

    word: str
    instead: str


def negations(statement: Prepared, evidence: Prepared, rarity: Rarity) -> tuple[str, ...]:
    """The statement's negations, as written, that have none beside them where the evidence says the same."""
    cues = [at for at in range(len(statement.words)) if _is(statement, at, _CUES)]
    if not cues:
        return ()
    top = _nearest(statement, evidence, rarity)
    if not top:
        return ()
    scopes = [
        _scope(evidence, at)
        for at, word in enumerate(evidence.words)
        if word.sentence in top and _is(evidence, at, _NEGATIVE)
    ]
    return tuple(
        statement.words[at].text for at in cues if not any(_scope(statement, at) & scope for scope in scopes)
    )


def opposites(statement: Prepared, evidence: Prepared, rarity: Rarity) -> tuple[Opposite, ...]:
    """The statement's words in whose context the evidence has an opposite (WordNet's antonyms) and not them."""
    there: dict[str, list[int]] = {}
    for at, word in enumerate(evidence.words):
        for form in _forms(word.folded):
            there.setdefault(form, []).append(at)
    mine = {form for word in statement.words for form in _forms(word.folded)}
    found = []
    for at, word in enumerate(statement.words):
        forms = [] if word.folded in COMMON else [form for form in _forms(word.folded) if form in antonyms()]
        against = {one for form in forms for one in antonyms()[form]} - mine
        places = [place for one in sorted(against) for place in there.get(one, ())][:_MOST]
        if places:
            near = context(statement, at, rarity)
            own = [place for form in forms for place in there.get(form, ())][:_MOST]
            here = max((fit(near, evidence, place) for place in own), default=0.0)
            best, place = max((fit(near, evidence, place), place) for place in places)
            if best - here > _FITS * sum(near.values()):
                found.append(Opposite(word.text, evidence.words[place].text))
    return tuple(found)


@cache
def antonyms() -> Mapping[str, frozenset[str]]:
    """A stem, and the stems of its antonyms, from WordNet 3.0 (the file says under which licence)."""
    found: dict[str, set[str]] = {}
    for line in _ANTONYMS.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            one, other = map(stem, line.split())
            if one != other:
                found.setdefault(one, set()).add(other)
                found.setdefault(other, set()).add(one)
    return {one: frozenset(others) for one, others in found.items()}


def _forms(folded: str) -> Iterator[str]:
    """The stem, and for a comparative or superlative the adjective's: "larger" is one of "large"."""
    yield stem(folded)
    for ending in ("er", "est"):
        if len(folded) > len(ending) + 2 and folded.endswith(ending):
            base = folded.removesuffix(ending)
            yield stem(base)
            yield stem(base + "e")
            if base[-1:] == base[-2:-1]:
                yield stem(base[:-1])
            if base.endswith("i"):
                yield stem(base[:-1] + "y")


def _is(text: Prepared, at: int, words: frozenset[str]) -> bool:
    folded = text.words[at].folded
    return folded in words or folded.endswith(("n't", "n’t"))


def _scope(text: Prepared, at: int) -> frozenset[str]:
    """The stems that a negation is about: its own, and those of the next content words of its sentence."""
    sentence = text.words[at].sentence
    after = [word for word in text.words[at + 1 : at + 1 + _REACH] if word.sentence == sentence]
    content = [word.stem for word in after if word.folded not in COMMON]
    return frozenset(content[:_SCOPE])


def _nearest(statement: Prepared, evidence: Prepared, rarity: Rarity) -> frozenset[int]:
    """The sentences of the evidence that have most of the statement's words, rare ones weighing more.

    None where even the best has little of it.
    """
    wanted = {word.stem: rarity(word.stem) for word in statement.words if word.folded not in COMMON}
    share: dict[int, float] = {}
    for one, weight in wanted.items():
        for sentence in {evidence.words[at].sentence for at in evidence.places.get(one, ())}:
            share[sentence] = share.get(sentence, 0.0) + weight
    best = max(share.values(), default=0.0)
    if best < _COVERED * sum(wanted.values()):
        return frozenset()
    return frozenset(sentence for sentence, value in share.items() if value >= _TOP * best)
