"""The diff in three views: side by side, inline, and the refined text alone.

The page switches between them with a style, so all three are written at once.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from refiner.diff import count as counts
from refiner.domain import Answer, Change, Claim, ClaimSupport, Token
from refiner.render.cards import Cards, Lookup
from refiner.render.support import tone
from refiner.render.text import count, isolate

_WORDS = {"edited": "Changed", "added": "Added", "removed": "Removed", "same": "Kept"}
_VIEWS = (("side", "Side by side"), ("inline", "Inline"), ("clean", "Clean text"))


def views(
    changes: Sequence[Change],
    answer: Answer,
    cards: Cards,
    draft_supports: Iterable[ClaimSupport] = (),
    supports: Iterable[ClaimSupport] = (),
) -> str:
    """The summary in words, the switch, and the three views."""
    before, after = Lookup(draft_supports), Lookup(supports)
    switch = "".join(
        f'<button type="button" class="seg" data-set-view="{name}" aria-pressed="{str(name == "side").lower()}">'
        f"{words}</button>"
        for name, words in _VIEWS
    )
    return (
        '<div class="diff-top">'
        f'<p class="diff-words">{summary(changes)}</p>'
        f'<div class="segs" role="group" aria-label="How to show the changes">{switch}</div></div>'
        f'<div class="view view-side">{_side(changes, cards, before, after)}</div>'
        f'<div class="view view-inline prose">{_inline(changes, cards, before, after)}</div>'
        f'<div class="view view-clean prose" dir="auto">{prose(answer, cards, after)}</div>'
    )


def summary(changes: Sequence[Change]) -> str:
    """What changed, in words: sentences first, then citations."""
    found = counts(changes)
    sentences = (
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
    said = (_counted(sentences, "sentence"), _counted(citations, "citation"))
    return "; ".join(words for words in said if words) or "Nothing changed."


def _counted(what: Iterable[tuple[str, int]], noun: str) -> str:
    """``2 sentences removed, 1 added``: the noun once, the rest in short."""
    some = [(word, number) for word, number in what if number]
    return ", ".join(
        f"{count(number, noun) if place == 0 else number} {word}" for place, (word, number) in enumerate(some)
    )


def prose(answer: Answer, cards: Cards, known: Lookup | None = None) -> str:
    """An answer as text to read: claims lightly underlined, their citations as chips."""
    out = []
    for part in answer.parts:
        if not isinstance(part, Claim):
            out.append(isolate(part.text))
            continue
        support = known.find(part.ids, part.text) if known else None
        look = tone(support.verdict) if support else "none"
        out.append(
            f'<span class="claim {look}">{isolate(part.text)}</span>'
            + cards.chips(part.ids, part.text, support)
        )
    return "".join(out)


def _side(changes: Sequence[Change], cards: Cards, before: Lookup, after: Lookup) -> str:
    rows = [
        '<div class="pair pair-head" aria-hidden="true"><div class="half">Draft</div><div class="half">Refined</div></div>'
    ]
    for change in changes:
        moved = " moved" if change.moved else ""
        state = _WORDS[change.kind] + (", moved" if change.moved else "")
        new = " para" if change.paragraph else ""
        left = "".join(_runs(change.draft, "del", cards, before))
        right = "".join(_runs(change.refined, "ins", cards, after))
        plain = change.kind == "edited" and not change.moved  # its marked words say it already
        tag = f'<span class="{"sr" if plain else "state"}">{state}</span>' if state != "Kept" else ""
        rows.append(
            f'<div class="pair {change.kind}{moved}{new}">'
            f'<div class="half" dir="auto">{_named("Draft", left)}</div>'
            f'<div class="half" dir="auto">{_named("Refined", right)}{tag}</div></div>'
        )
    return "".join(rows)


def _named(side: str, words: str) -> str:
    return f'<span class="sr">{side}: </span>{words}' if words else '<span class="sr">nothing</span>'


def _inline(changes: Sequence[Change], cards: Cards, before: Lookup, after: Lookup) -> str:
    paragraphs: list[list[str]] = [[]]
    for change in changes:
        if change.paragraph and paragraphs[-1]:
            paragraphs.append([])
        moved = '<span class="state">moved</span> ' if change.moved else ""
        paragraphs[-1].append(f'<span class="sentence">{_merged(change, cards, before, after)}{moved}</span>')
    return "".join(f'<p dir="auto">{" ".join(sentences)}</p>' for sentences in paragraphs)


def _merged(change: Change, cards: Cards, before: Lookup, after: Lookup) -> str:
    """One sentence with what went and what came at its place; words that both have are written once."""
    out: list[str] = []
    left = _runs(change.draft, "del", cards, before)
    right = _runs(change.refined, "ins", cards, after)
    at = {"left": 0, "right": 0}
    while at["left"] < len(left) or at["right"] < len(right):
        for side, runs, tag in (("left", left, "<del"), ("right", right, "<ins")):
            if at[side] < len(runs) and runs[at[side]].startswith(tag):
                out.append(runs[at[side]])
                at[side] += 1
        kept = right[at["right"] : at["right"] + 1] or left[at["left"] : at["left"] + 1]
        if kept and not kept[0].startswith(("<del", "<ins")):
            out += kept
        at = {side: place + 1 for side, place in at.items()}
    return "".join(out)


def _runs(tokens: Sequence[Token], tag: str, cards: Cards, known: Lookup) -> list[str]:
    """Neighbouring tokens that changed, or did not, as one piece each."""
    sentence = "".join(token.text for token in tokens)
    said = "removed" if tag == "del" else "added"
    out = []
    for changed, run in groupby(tokens, key=lambda token: token.changed):
        inner = _stretch(run, sentence, cards, known)
        if changed:
            words = inner.removesuffix(" </bdi>")  # the blank after the last word is not what changed
            end = f"</bdi></{tag}> " if words != inner else f"</{tag}>"
            inner = f'<{tag}><span class="sr">{said}: </span>{words}{end}'
        out.append(inner)
    return out


def _stretch(tokens: Iterable[Token], sentence: str, cards: Cards, known: Lookup) -> str:
    out = []
    for cites, run in groupby(tokens, key=lambda token: bool(token.ids)):
        if not cites:
            out.append(isolate("".join(token.text for token in run)))
            continue
        for token in run:
            support = known.find(token.ids, sentence)
            out.append(cards.chips(token.ids, support.text if support else sentence, support) + " ")
    return "".join(out)
