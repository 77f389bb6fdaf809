"""The diff in three views: side by side, inline, and the refined text alone.

The page switches between them with a style, so all three are written at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from refiner.diff import count as counts
from refiner.domain import Answer, Change, Claim, Reward, Token
from refiner.render.changes.effects import Effect, effects, shifts
from refiner.render.changes.lookup import Lookup
from refiner.render.citations.cards import Cards
from refiner.render.citations.support import UNCITED, flag, tone
from refiner.render.html_text import count, direction, isolate
from refiner.render.scores.figures import NAMES
from refiner.text import sentences

_WORDS = {"edited": "Changed", "added": "Added", "removed": "Removed", "same": "Kept"}
_VIEWS = (("side", "Side by side"), ("inline", "Inline"), ("clean", "Clean text"))


@dataclass(slots=True)
class _Page:
    """What the views share: both sides' cards and what is known of their claims, and how many notes there are."""

    cards: tuple[Cards, Cards]
    before: Lookup
    after: Lookup
    names: tuple[str, str]
    notes: int = field(default=0)


def views(
    changes: Sequence[Change],
    answer: Answer,
    cards: Cards,
    rewards: tuple[Reward, Reward] | None = None,
    names: tuple[str, str] = NAMES,
    *,
    left: Cards | None = None,
) -> str:
    """The summary in words, the switch, and the three views; ``rewards`` of both sides tell what a change did.

    ``left`` are the cards of the left side where it has other sources.
    """
    supports = [reward.citation.supports for reward in rewards or ()] or [(), ()]
    did = effects(changes, *rewards) if rewards else ((),) * len(changes)
    page = _Page((left or cards, cards), Lookup(supports[0]), Lookup(supports[1]), names)
    switch = "".join(
        f'<button type="button" class="seg" data-set-view="{name}" aria-pressed="{str(name == "side").lower()}">'
        f"{words}</button>"
        for name, words in _VIEWS
    )
    return (
        '<div class="diff-top">'
        f'<p class="diff-words">{summary(changes)}{_criteria(rewards)}</p>'
        f'<div class="segs" role="group" aria-label="How to show the changes">{switch}</div></div>'
        f'<div class="view view-side">{_side(changes, did, page)}</div>'
        f'<div class="view view-inline prose">{_inline(changes, did, page)}</div>'
        f'<div class="view view-clean prose"{direction(answer.text)}>{prose(answer, cards, page.after)}</div>'
    )


def summary(changes: Sequence[Change]) -> str:
    """What changed, in words: sentences first, then citations."""
    found = counts(changes)
    changed = (
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
    said = (_counted(changed, "sentence"), _counted(citations, "citation"))
    return "; ".join(words for words in said if words) or "Nothing changed."


def _counted(what: Iterable[tuple[str, int]], noun: str) -> str:
    """``2 sentences removed, 1 added``: the noun once, the rest in short."""
    some = [(word, number) for word, number in what if number]
    return ", ".join(
        f"{count(number, noun) if place == 0 else number} {word}" for place, (word, number) in enumerate(some)
    )


def _criteria(rewards: tuple[Reward, Reward] | None) -> str:
    """How many criteria rose and fell; nothing where none did."""
    moved = shifts(*rewards) if rewards else ()
    if not moved:
        return ""
    up = sum(shift.after > shift.before for shift in moved)
    parts = ((up, "raised"), (len(moved) - up, "lowered"))
    said = ", ".join(f"{count(n, 'criterion', 'criteria')} {word}" for n, word in parts if n)
    return f"; {said}"


def prose(answer: Answer, cards: Cards, known: Lookup | None = None) -> str:
    """An answer as text to read: claims underlined by their support, their citations as chips."""
    known = known or Lookup()
    out = []
    place = 0
    for part in answer.parts:
        if not isinstance(part, Claim):
            out.append(_plain(part.text, known))
            continue
        support = known.claim(place)
        place += 1
        look = tone(support.verdict) if support else "none"
        out.append(
            f'<span class="claim {look}">{isolate(part.text)}</span>'
            + cards.chips(part.ids, part.text, support)
            + (flag(support.verdict) if support else "")
        )
    return "".join(out)


def _plain(text: str, known: Lookup) -> str:
    """Text between claims; sentences that should cite something are marked."""
    out, at = [], 0
    for one in sentences.split(text):
        if known.uncited(one.text):
            before = isolate(text[at : one.start]) if one.start > at else ""
            out.append(f'{before}<span class="claim uncited">{isolate(one.text)}</span>{UNCITED}')
            at = one.end
    return "".join(out) + (isolate(text[at:]) if text[at:] else "")


def _side(changes: Sequence[Change], did: Sequence[Sequence[Effect]], page: _Page) -> str:
    head = "".join(f'<div class="half">{isolate(name)}</div>' for name in page.names)
    rows = [f'<div class="pair pair-head" aria-hidden="true">{head}</div>']
    for change, found in zip(changes, did, strict=True):
        moved = " moved" if change.moved else ""
        state = _WORDS[change.kind] + (", moved" if change.moved else "")
        new = " para" if change.paragraph else ""
        plain = change.kind == "edited" and not change.moved  # its marked words say it already
        tag = f'<span class="{"sr" if plain else "state"}">{state}</span>' if state != "Kept" else ""
        left, right = _half(change, "del", page), _half(change, "ins", page)
        rows.append(
            f'<div class="pair {change.kind}{moved}{new}">'
            f'<div class="half"{_way(change.draft)}>{_named(page.names[0], left)}</div>'
            f'<div class="half"{_way(change.refined or change.draft)}>{_named(page.names[1], right)}{tag}{_notes(found, page)}</div></div>'
        )
    return "".join(rows)


def _half(change: Change, tag: str, page: _Page) -> str:
    side = ("del", "ins").index(tag)
    tokens, known = (change.draft, change.refined)[side], (page.before, page.after)[side]
    bare = "" if change.kind == "removed" else _bare(tokens, known)  # of what is gone the note tells it
    return "".join(_runs(tokens, tag, page.cards[side], known)) + bare


def _bare(tokens: Sequence[Token], known: Lookup) -> str:
    """The mark of a sentence that should cite something, and does not."""
    if not tokens or any(token.ids for token in tokens):
        return ""
    return UNCITED if known.uncited("".join(token.text for token in tokens)) else ""


def _named(side: str, words: str) -> str:
    return (
        f'<span class="sr side">{isolate(side)}: </span>{words}'
        if words
        else '<span class="sr">nothing</span>'
    )


def _notes(found: Sequence[Effect], page: _Page) -> str:
    """What a change did: a tag that can be focused, and beside it the whole of it, seen on hover and focus."""
    if not found:
        return ""
    page.notes += 1
    mark = f"did-{page.notes}"
    tags = " ".join(f'<span class="did-{one.tone}">{isolate(one.short)}</span>' for one in found)
    lines = "".join(f"<span>{isolate(one.words)}</span>" for one in found)
    return (
        f'<span class="did"><button type="button" class="did-tags" aria-describedby="{mark}">{tags}</button>'
        f'<span class="tip" role="tooltip" id="{mark}" dir="ltr">{lines}</span></span>'
    )


def _inline(changes: Sequence[Change], did: Sequence[Sequence[Effect]], page: _Page) -> str:
    paragraphs: list[list[str]] = [[]]
    ways: list[str] = []
    for change, found in zip(changes, did, strict=True):
        if change.paragraph and paragraphs[-1]:
            paragraphs.append([])
        ways += [_way(change.refined or change.draft)] * (len(paragraphs) - len(ways))
        moved = '<span class="state">moved</span> ' if change.moved else ""
        paragraphs[-1].append(
            f'<span class="sentence">{_merged(change, page)}{moved}{_bare(change.refined, page.after)}'
            f"{_notes(found, page)}</span>"
        )
    return "".join(f"<p{way}>{' '.join(spans)}</p>" for way, spans in zip(ways, paragraphs, strict=False))


def _way(sentence: Sequence[Token]) -> str:
    return direction("".join(token.text for token in sentence))


def _merged(change: Change, page: _Page) -> str:
    """One sentence with what went and what came at its place; words that both have are written once.

    Of what both have, the same number of tokens stands on either side, in the same order.
    """
    out: list[str] = []
    left, right = list(change.draft), list(change.refined)
    while left or right:
        went, came = _head(left, changed=True), _head(right, changed=True)
        out += [
            *_runs(went, "del", page.cards[0], page.before),
            *_runs(came, "ins", page.cards[1], page.after),
        ]
        n = min(_length(left), _length(right)) if left and right else max(len(left), len(right))
        kept = right[:n] or left[:n]
        out += _runs(kept, "ins", page.cards[1], page.after)
        del left[:n], right[:n]
    return "".join(out)


def _head(tokens: list[Token], *, changed: bool) -> list[Token]:
    """The tokens at the beginning that are alike in this, taken out of the list."""
    n = next((at for at, token in enumerate(tokens) if token.changed != changed), len(tokens))
    head = tokens[:n]
    del tokens[:n]
    return head


def _length(tokens: list[Token]) -> int:
    """How many tokens at the beginning did not change."""
    return next((at for at, token in enumerate(tokens) if token.changed), len(tokens))


def _runs(tokens: Sequence[Token], tag: str, cards: Cards, known: Lookup) -> list[str]:
    """Neighbouring tokens that changed, or did not, as one piece each."""
    sentence = "".join(token.text for token in tokens)
    said = "removed" if tag == "del" else "added"
    out = []
    for changed, run in groupby(tokens, key=lambda token: token.changed):
        inner = _stretch(run, sentence, cards, known)
        if changed:
            words, blank = _blank_after(inner)
            inner = f'<{tag}><span class="sr">{said}: </span>{words}</{tag}>{blank}'
        out.append(inner)
    return out


def _blank_after(inner: str) -> tuple[str, str]:
    """The blank after the last word or citation by itself: it is not what changed."""
    for end, kept in ((" </bdi>", "</bdi>"), (" ", "")):
        if inner.endswith(end):
            return inner.removesuffix(end) + kept, " "
    return inner, ""


def _stretch(tokens: Iterable[Token], sentence: str, cards: Cards, known: Lookup) -> str:
    out = []
    for cites, run in groupby(tokens, key=lambda token: bool(token.ids)):
        if not cites:
            out.append(isolate("".join(token.text for token in run)))
            continue
        for token in run:
            support = known.claim(token.claim)
            mark = flag(support.verdict) if support else ""
            out.append(f"{cards.chips(token.ids, support.text if support else sentence, support)}{mark} ")
    return "".join(out)
