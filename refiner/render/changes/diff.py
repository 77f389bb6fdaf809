"""The diff in three views: side by side, inline, and the refined text alone.

All three are written at once. The page's style shows one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from refiner.domain import Answer, Change, Reward, Token
from refiner.render.changes.effects import ChangeEffect, change_effects
from refiner.render.changes.prose import answer_prose, marked_tokens, token_text, uncited_mark
from refiner.render.changes.summary import change_summary, criteria_summary
from refiner.render.changes.support_lookup import SupportLookup
from refiner.render.citations.cards import CitationCards
from refiner.render.html_text import Html, direction, html, isolate, join
from refiner.render.scores.comparison import SIDE_NAMES

_STATES = {"edited": "Changed", "added": "Added", "removed": "Removed", "same": "Kept"}
_VIEWS = (("side", "Side by side"), ("inline", "Inline"), ("clean", "Clean text"))


@dataclass(slots=True)
class _DiffContext:
    """What the views share: both sides' cards, names and supports, and how many notes were written."""

    cards: tuple[CitationCards, CitationCards]
    before: SupportLookup
    after: SupportLookup
    names: tuple[str, str]
    notes: int = field(default=0)


def diff_views(
    changes: Sequence[Change],
    answer: Answer,
    cards: CitationCards,
    rewards: tuple[Reward, Reward] | None = None,
    names: tuple[str, str] = SIDE_NAMES,
    *,
    left: CitationCards | None = None,
) -> Html:
    """The summary in words, the switch between the views, and the three views.

    ``rewards`` are those of both sides. Without them nothing is said of what a change did. ``left`` holds the
    cards of the left side if that has other sources than the right side.
    """
    supports = [reward.citation.supports for reward in rewards or ()] or [(), ()]
    effects = change_effects(changes, *rewards) if rewards else ((),) * len(changes)
    context = _DiffContext(
        (left or cards, cards), SupportLookup(supports[0]), SupportLookup(supports[1]), names
    )
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
        summary=change_summary(changes),
        criteria=criteria_summary(rewards),
        switch=switch,
        side=_side(changes, effects, context),
        inline=_inline(changes, effects, context),
        direction=direction(answer.text),
        prose=answer_prose(answer, cards, context.after),
    )


def _side(
    changes: Sequence[Change], effects: Sequence[Sequence[ChangeEffect]], context: _DiffContext
) -> Html:
    head = join(html('<div class="half">{name}</div>', name=isolate(name)) for name in context.names)
    rows = [html('<div class="pair pair-head" aria-hidden="true">{head}</div>', head=head)]
    for change, found in zip(changes, effects, strict=True):
        moved = " moved" if change.moved else ""
        state = _STATES[change.kind] + (", moved" if change.moved else "")
        new = " para" if change.paragraph else ""
        unmarked = change.kind == "edited" and not change.moved  # its marked words say so already
        tag = (
            html('<span class="{kind}">{state}</span>', kind="sr" if unmarked else "state", state=state)
            if state != "Kept"
            else ""
        )
        left, right = _side_words(change, "del", context), _side_words(change, "ins", context)
        rows.append(
            html(
                '<div class="pair {kind}{moved}{new}"><div class="half"{left_way}>{left}</div>'
                '<div class="half"{right_way}>{right}{tag}{notes}</div></div>',
                kind=change.kind,
                moved=moved,
                new=new,
                left_way=_direction(change.draft),
                left=_labelled(context.names[0], left),
                right_way=_direction(change.refined or change.draft),
                right=_labelled(context.names[1], right),
                tag=tag,
                notes=_notes(found, context),
            )
        )
    return join(rows)


def _side_words(change: Change, tag: str, context: _DiffContext) -> Html:
    side = ("del", "ins").index(tag)
    tokens, known = (change.draft, change.refined)[side], (context.before, context.after)[side]
    words = join(marked_tokens(tokens, tag, context.cards[side], known))
    # of a removed sentence its note says so
    return words if change.kind == "removed" else words + uncited_mark(tokens, known)


def _labelled(side: str, words: Html) -> Html:
    return (
        html('<span class="sr side">{side}: </span>{words}', side=isolate(side), words=words)
        if words
        else Html('<span class="sr">nothing</span>')
    )


def _notes(found: Sequence[ChangeEffect], context: _DiffContext) -> Html:
    """What a change did: short tags that can be focused, and all of it in words, shown on hover and focus."""
    if not found:
        return Html()
    context.notes += 1
    mark = f"did-{context.notes}"
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


def _inline(
    changes: Sequence[Change], effects: Sequence[Sequence[ChangeEffect]], context: _DiffContext
) -> Html:
    paragraphs: list[list[Html]] = [[]]
    ways: list[Html] = []
    for change, found in zip(changes, effects, strict=True):
        if change.paragraph and paragraphs[-1]:
            paragraphs.append([])
        ways += [_direction(change.refined or change.draft)] * (len(paragraphs) - len(ways))
        moved = Html('<span class="state">moved</span> ') if change.moved else ""
        paragraphs[-1].append(
            html(
                '<span class="sentence">{merged}{moved}{bare}{notes}</span>',
                merged=_both_merged(change, context),
                moved=moved,
                bare=uncited_mark(change.refined, context.after),
                notes=_notes(found, context),
            )
        )
    return join(
        html("<p{way}>{sentences}</p>", way=way, sentences=join(spans, " "))
        for way, spans in zip(ways, paragraphs, strict=False)
    )


def _direction(sentence: Sequence[Token]) -> Html:
    return direction(token_text(sentence))


def _both_merged(change: Change, context: _DiffContext) -> Html:
    """One sentence with the removed and the added words in place. Words of both sides are written once.

    Both sides hold the same number of unchanged tokens, in the same order.
    """
    out: list[Html] = []
    left, right = list(change.draft), list(change.refined)
    while left or right:
        removed, added = _take_while(left, changed=True), _take_while(right, changed=True)
        out += [
            *marked_tokens(removed, "del", context.cards[0], context.before),
            *marked_tokens(added, "ins", context.cards[1], context.after),
        ]
        n = (
            min(_unchanged_count(left), _unchanged_count(right))
            if left and right
            else max(len(left), len(right))
        )
        kept = right[:n] or left[:n]
        out += marked_tokens(kept, "ins", context.cards[1], context.after)
        del left[:n], right[:n]
    return join(out)


def _take_while(tokens: list[Token], *, changed: bool) -> list[Token]:
    """Takes from the list the tokens at its beginning that are all changed, or all unchanged."""
    n = next((at for at, token in enumerate(tokens) if token.changed != changed), len(tokens))
    head = tokens[:n]
    del tokens[:n]
    return head


def _unchanged_count(tokens: list[Token]) -> int:
    """How many tokens at the beginning did not change."""
    return next((at for at, token in enumerate(tokens) if token.changed), len(tokens))
