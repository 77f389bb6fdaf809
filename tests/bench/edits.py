"""Answers that a refiner might write, made from a draft by rule: quotations, light edits and heavy edits.

No model writes them, so that a replay has outputs of any likeness to the draft; the same case makes the same answer.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from refiner.domain import Answer, Claim, Source
from refiner.formats.answer import defang
from refiner.prompts import quotes
from refiner.text import sentences

KINDS = ("extractive", "light", "heavy")


@dataclass(frozen=True, slots=True)
class Edits:
    """How often a sentence is left out or swapped with the next, a quotation put in, and a word changed."""

    left_out: float
    swapped: float
    quoted: float
    word: float


HOW = {"light": Edits(0.1, 0.0, 0.05, 0.03), "heavy": Edits(0.3, 0.15, 0.2, 0.15)}


def answer_of(kind: str, draft: Answer, sources: Sequence[Source], seed: str) -> str:
    """The answer, every sentence a claim; '' where the draft has no sentence."""
    if kind == "extractive":
        groups = quotes.groups(draft, sources, lambda texts: [len(text) // 4 for text in texts], 2000)
        claims = [(group[0][0], group[0][1]) for group in groups]
    else:
        claims = list(_edited(draft, sources, HOW[kind], random.Random(f"{kind} {seed}")))  # noqa: S311 - repeatable
    body = " ".join(f"<snippet id={ids}>{text}</snippet>" for ids, text in claims)
    return f"<answer>{body}</answer>" if claims else ""


def _edited(
    draft: Answer, sources: Sequence[Source], how: Edits, dice: random.Random
) -> Iterator[tuple[str, str]]:
    known = {source.id for source in sources}
    rows = list(_sentences(draft, known))
    for at in range(len(rows) - 1):
        if dice.random() < how.swapped:
            rows[at], rows[at + 1] = rows[at + 1], rows[at]
    words = [word for source in sources for word in source.text.split() if word.isalpha()]
    last = sources[0].id
    for ids, sentence in rows:
        if dice.random() < how.left_out:
            continue
        last = ids or last
        text = " ".join(_changed(sentence.split(" "), words, how.word, dice)).strip()
        if text:
            yield last, text[0].upper() + text[1:]
        if dice.random() < how.quoted:
            source = dice.choice(sources)
            fitting = [one for one in _texts(source.text) if 40 < len(one) < 300]
            if fitting:
                yield source.id, dice.choice(fitting)


def _sentences(draft: Answer, known: set[str]) -> Iterator[tuple[str, str]]:
    for part in draft.parts:
        ids = ",".join(one for one in part.ids if one in known) if isinstance(part, Claim) else ""
        for text in _texts(part.text):
            if len(text) > 8:
                yield ids, text


def _texts(text: str) -> list[str]:
    return [re.sub(r"\s+", " ", defang(one.text)).strip() for one in sentences.split(text)]


def _changed(text: Sequence[str], words: Sequence[str], share: float, dice: random.Random) -> Iterator[str]:
    """The words of ``text``, a third of ``share`` each left out, replaced, and put after another."""
    for word in text:
        chance = dice.random() / share
        if chance < 1 / 3:
            continue
        if chance < 1:
            yield dice.choice(words)
        if chance >= 2 / 3:
            yield word
