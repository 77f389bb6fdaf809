"""Citations as numbered chips, and the cards that they open: the source, with its best passage marked.

A card is a native popover, so it opens by mouse, touch and keyboard and closes on Esc without a script.
"""

from collections.abc import Iterable, Sequence

from refiner.domain import ClaimSupport, Passage, Source, Verdict
from refiner.render.html_text import Html, count, direction, host, html, isolate, join, link
from refiner.render.verdicts import support_badge
from refiner.text.relevance import best_sentence

_MAX_SHOWN_LENGTH = 6000


class CitationCards:
    """Makes chips. It remembers the cards that they open, and `popovers` returns each card once.

    ``name`` begins the ids of its cards. If it is empty the chips open nothing. That is for text that is
    still being written and is rendered many times a second.
    """

    def __init__(self, sources: Sequence[Source], name: str = "c") -> None:
        self._sources = {source.id: (number, source) for number, source in enumerate(sources, 1)}
        self._name = name
        self._made: dict[tuple[str, str], tuple[str, Html]] = {}

    def chips(self, ids: Iterable[str], statement: str, support: ClaimSupport | None = None) -> Html:
        """The chips of one citation.

        ``statement`` is the claim that cites, ``support`` what was judged of it.
        """
        return html(
            '<span class="chips">{chips}</span>',
            chips=join(self._chip(one, statement, support) for one in ids),
        )

    def popovers(self) -> Html:
        """Every card that one of the chips opens."""
        return join(card for _, card in self._made.values())

    def _chip(self, source_id: str, statement: str, support: ClaimSupport | None) -> Html:
        if source_id not in self._sources:
            label = html("Citation of {id}, which is none of the sources", id=isolate(source_id))
            return html(
                '<span class="chip chip-bad"><span class="sr">{label}</span>'
                '<span aria-hidden="true">?</span></span>',
                label=label,
            )
        number, source = self._sources[source_id]
        named = source.title or f"source {source_id}"
        if not self._name:
            return html(
                '<span class="chip" title="{named}"><span class="sr">source </span>{number}</span>',
                named=named,
                number=number,
            )
        card = self._card(number, source, statement, support)
        return html(
            '<button type="button" class="chip" popovertarget="{card}" data-source="{number}" '
            'aria-label="Source {number}: {named}">{number}</button>',
            card=card,
            number=number,
            named=named,
        )

    def _card(self, number: int, source: Source, statement: str, support: ClaimSupport | None) -> str:
        key = (source.id, " ".join(statement.split()))
        if key not in self._made:
            mark = f"{self._name}{len(self._made) + 1}"
            nearest = _nearest(support, statement, source)
            self._made[key] = (
                mark,
                _card_html(mark, number, source, nearest, _verdict_on(support, source.id)),
            )
        return self._made[key][0]


def _verdict_on(support: ClaimSupport | None, source_id: str) -> Verdict | None:
    """The verdict on one cited source, or on all of them together if they were not judged one by one."""
    if support is None:
        return None
    if source_id in support.ids and len(support.by_source) == len(support.ids):
        return support.by_source[support.ids.index(source_id)]
    return support.verdict


def _nearest(support: ClaimSupport | None, statement: str, source: Source) -> Passage | None:
    """The passage that the judge found for the claim.

    Before claims are judged, the one nearest to the sentence.
    """
    if support is not None:
        return next((one for one in support.passages if one.source_id == source.id), None)
    best = best_sentence(statement, source)
    return Passage(source.id, best.start, best.end) if best else None


def _card_html(
    mark: str, number: int, source: Source, nearest: Passage | None, verdict: Verdict | None
) -> Html:
    judged = (
        html(
            '<p class="card-support">{badge} <span class="muted">{reason}</span></p>',
            badge=support_badge(verdict),
            reason=isolate(verdict.reason),
        )
        if verdict
        else ""
    )
    return html(
        '<div popover id="{mark}" class="card" role="dialog" aria-labelledby="{mark}-t">'
        '<p class="card-top"><span class="num">{number}</span><span class="muted">{where}</span>'
        '<button type="button" class="card-close" popovertarget="{mark}" popovertargetaction="hide" '
        'aria-label="Close">×</button>'
        "</p>"
        '<h3 id="{mark}-t"{title_direction}>{link}</h3>{judged}<div class="card-text" tabindex="0" '
        'role="region" aria-label="Text of the source"{text_direction}>{passage}</div>'
        "</div>",
        mark=mark,
        number=number,
        where=source_origin(source),
        title_direction=direction(source.title),
        link=link(source.url, source.title or f"Source {source.id}"),
        judged=judged,
        text_direction=direction(source.text),
        passage=source_text(source, nearest),
    )


def source_origin(source: Source) -> Html:
    """Where a source is from: its id, and its host if it has a link."""
    at = host(source.url)
    return html("id {id}{host}", id=isolate(source.id), host=f" · {at}" if at else "")


def source_text(source: Source, marked: Passage | None = None) -> Html:
    """The source's text with a passage marked. Of a long text only what is around the passage is shown."""
    text = source.text
    if marked is None:
        return isolate(text[:_MAX_SHOWN_LENGTH]) + _left_out(len(text) - _MAX_SHOWN_LENGTH)
    start = max(0, marked.start - _MAX_SHOWN_LENGTH // 2)
    end = min(len(text), marked.end + _MAX_SHOWN_LENGTH // 2)
    before, after = text[start : marked.start], text[marked.end : end]
    return html(
        '{left_out_before}{before}<mark><span class="sr">nearest passage: '
        "</span>{text}</mark>{after}{left_out_after}",
        left_out_before=_left_out(start),
        before=isolate(before),
        text=isolate(text[marked.start : marked.end]),
        after=isolate(after),
        left_out_after=_left_out(len(text) - end),
    )


def _left_out(characters: int) -> Html:
    return (
        html(' <span class="muted">[… {characters}]</span> ', characters=count(characters, "character"))
        if characters > 0
        else Html()
    )
