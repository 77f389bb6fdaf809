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
from refiner.render.html_text import Html, count, direction, html, isolate, join
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
) -> Html:
    """The summary in words, the switch, and the three views; ``rewards`` of both sides tell what a change did.

    ``left`` are the cards of the left side where it has other sources.
    """
    supports = [reward.citation.supports for reward in rewards or ()] or [(), ()]
    did = effects(changes, *rewards) if rewards else ((),) * len(changes)
    page = _Page((left or cards, cards), Lookup(supports[0]), Lookup(supports[1]), names)
    switch = join(
        html(
            '<button type="button" class="seg" data-set-view="{name}" '
            'aria-pressed="{pressed}">{words}</button>',
            name=name,
            pressed=str(name == "side").lower(),
            words=words,
        )
        for name, words in _VIEWS
    )
    return html(
        '<div class="diff-top"><p class="diff-words">{summary}{criteria}</p>'
        '<div class="segs" role="group" aria-label="How to show the changes">{switch}</div></div>'
        '<div class="view view-side">{side}</div>'
        '<div class="view view-inline prose">{inline}</div>'
        '<div class="view view-clean prose"{direction}>{prose}</div>',
        summary=summary(changes),
        criteria=_criteria(rewards),
        switch=switch,
        side=_side(changes, did, page),
        inline=_inline(changes, did, page),
        direction=direction(answer.text),
        prose=prose(answer, cards, page.after),
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


def prose(answer: Answer, cards: Cards, known: Lookup | None = None) -> Html:
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
            html('<span class="claim {look}">{text}</span>', look=look, text=isolate(part.text))
            + cards.chips(part.ids, part.text, support)
            + (flag(support.verdict) if support else Html())
        )
    return join(out)


def _plain(text: str, known: Lookup) -> Html:
    """Text between claims; sentences that should cite something are marked."""
    out, at = [], 0
    for one in sentences.split(text):
        if known.uncited(one.text):
            before = isolate(text[at : one.start]) if one.start > at else Html()
            out.append(
                html(
                    '{before}<span class="claim uncited">{text}</span>{uncited}',
                    before=before,
                    text=isolate(one.text),
                    uncited=UNCITED,
                )
            )
            at = one.end
    return join(out) + (isolate(text[at:]) if text[at:] else Html())


def _side(changes: Sequence[Change], did: Sequence[Sequence[Effect]], page: _Page) -> Html:
    head = join(html('<div class="half">{name}</div>', name=isolate(name)) for name in page.names)
    rows = [html('<div class="pair pair-head" aria-hidden="true">{head}</div>', head=head)]
    for change, found in zip(changes, did, strict=True):
        moved = " moved" if change.moved else ""
        state = _WORDS[change.kind] + (", moved" if change.moved else "")
        new = " para" if change.paragraph else ""
        plain = change.kind == "edited" and not change.moved  # its marked words say it already
        tag = (
            html('<span class="{kind}">{state}</span>', kind="sr" if plain else "state", state=state)
            if state != "Kept"
            else ""
        )
        left, right = _half(change, "del", page), _half(change, "ins", page)
        rows.append(
            html(
                '<div class="pair {kind}{moved}{new}"><div class="half"{left_way}>{left}</div>'
                '<div class="half"{right_way}>{right}{tag}{notes}</div></div>',
                kind=change.kind,
                moved=moved,
                new=new,
                left_way=_way(change.draft),
                left=_named(page.names[0], left),
                right_way=_way(change.refined or change.draft),
                right=_named(page.names[1], right),
                tag=tag,
                notes=_notes(found, page),
            )
        )
    return join(rows)


def _half(change: Change, tag: str, page: _Page) -> Html:
    side = ("del", "ins").index(tag)
    tokens, known = (change.draft, change.refined)[side], (page.before, page.after)[side]
    bare = Html() if change.kind == "removed" else _bare(tokens, known)  # of what is gone the note tells it
    return join(_runs(tokens, tag, page.cards[side], known)) + bare


def _bare(tokens: Sequence[Token], known: Lookup) -> Html:
    """The mark of a sentence that should cite something, and does not."""
    if not tokens or any(token.ids for token in tokens):
        return Html()
    return UNCITED if known.uncited(_text(tokens)) else Html()


def _named(side: str, words: Html) -> Html:
    return (
        html('<span class="sr side">{side}: </span>{words}', side=isolate(side), words=words)
        if words
        else Html('<span class="sr">nothing</span>')
    )


def _notes(found: Sequence[Effect], page: _Page) -> Html:
    """What a change did: a tag that can be focused, and beside it the whole of it, seen on hover and focus."""
    if not found:
        return Html()
    page.notes += 1
    mark = f"did-{page.notes}"
    tags = join(
        (
            html('<span class="did-{tone}">{short}</span>', tone=one.tone, short=isolate(one.short))
            for one in found
        ),
        " ",
    )
    lines = join(html("<span>{words}</span>", words=isolate(one.words)) for one in found)
    return html(
        '<span class="did">'
        '<button type="button" class="did-tags" aria-describedby="{mark}">{tags}</button>'
        '<span class="tip" role="tooltip" id="{mark}" dir="ltr">{lines}</span></span>',
        mark=mark,
        tags=tags,
        lines=lines,
    )


def _inline(changes: Sequence[Change], did: Sequence[Sequence[Effect]], page: _Page) -> Html:
    paragraphs: list[list[Html]] = [[]]
    ways: list[Html] = []
    for change, found in zip(changes, did, strict=True):
        if change.paragraph and paragraphs[-1]:
            paragraphs.append([])
        ways += [_way(change.refined or change.draft)] * (len(paragraphs) - len(ways))
        moved = Html('<span class="state">moved</span> ') if change.moved else ""
        paragraphs[-1].append(
            html(
                '<span class="sentence">{merged}{moved}{bare}{notes}</span>',
                merged=_merged(change, page),
                moved=moved,
                bare=_bare(change.refined, page.after),
                notes=_notes(found, page),
            )
        )
    return join(
        html("<p{way}>{sentences}</p>", way=way, sentences=join(spans, " "))
        for way, spans in zip(ways, paragraphs, strict=False)
    )


def _way(sentence: Sequence[Token]) -> Html:
    return direction(_text(sentence))


def _text(tokens: Iterable[Token]) -> str:
    return "".join(token.text for token in tokens)


def _merged(change: Change, page: _Page) -> Html:
    """One sentence with what went and what came at its place; words that both have are written once.

    Of what both have, the same number of tokens stands on either side, in the same order.
    """
    out: list[Html] = []
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
    return join(out)


def _head(tokens: list[Token], *, changed: bool) -> list[Token]:
    """The tokens at the beginning that are alike in this, taken out of the list."""
    n = next((at for at, token in enumerate(tokens) if token.changed != changed), len(tokens))
    head = tokens[:n]
    del tokens[:n]
    return head


def _length(tokens: list[Token]) -> int:
    """How many tokens at the beginning did not change."""
    return next((at for at, token in enumerate(tokens) if token.changed), len(tokens))


def _runs(tokens: Sequence[Token], tag: str, cards: Cards, known: Lookup) -> list[Html]:
    """Neighbouring tokens that changed, or did not, as one piece each."""
    sentence = _text(tokens)
    said = "removed" if tag == "del" else "added"
    out = []
    for changed, run in groupby(tokens, key=lambda token: token.changed):
        inner = _stretch(run, sentence, cards, known)
        if changed:
            words, blank = _blank_after(inner)
            inner = html(
                '<{tag}><span class="sr">{said}: </span>{words}</{tag}>{blank}',
                tag=tag,
                said=said,
                words=words,
                blank=blank,
            )
        out.append(inner)
    return out


def _blank_after(inner: Html) -> tuple[Html, str]:
    """The blank after the last word or citation by itself: it is not what changed."""
    for end, kept in ((" </bdi>", Html("</bdi>")), (" ", Html())):
        if inner.endswith(end):
            return inner.removesuffix(end) + kept, " "
    return inner, ""


def _stretch(tokens: Iterable[Token], sentence: str, cards: Cards, known: Lookup) -> Html:
    out = []
    for cites, run in groupby(tokens, key=lambda token: bool(token.ids)):
        if not cites:
            out.append(isolate(_text(run)))
            continue
        for token in run:
            support = known.claim(token.claim)
            chips = cards.chips(token.ids, support.text if support else sentence, support)
            out.append(html("{chips}{mark} ", chips=chips, mark=flag(support.verdict) if support else ""))
    return join(out)
