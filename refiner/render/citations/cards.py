"""Citations: numbered chips, and the cards they open with the source and its best sentence marked.

A card is a native popover, so it opens by mouse, touch and keyboard, and closes on Esc, without a script.
"""

from collections.abc import Iterable, Sequence

from refiner.domain import ClaimSupport, Passage, Source, Verdict
from refiner.render.citations.support import badge
from refiner.render.html_text import count, direction, host, isolate, link, show
from refiner.text.relevance import best_sentence

_LONGEST_SHOWN = 6000


class Cards:
    """Makes chips, and remembers the cards they need until `html` writes them all out, each once.

    Without a ``name`` for its cards the chips open nothing: for text that is still being written, many times
    a second.
    """

    def __init__(self, sources: Sequence[Source], name: str = "c") -> None:
        self._sources = {source.id: (number, source) for number, source in enumerate(sources, 1)}
        self._name = name
        self._made: dict[tuple[str, str], tuple[str, str]] = {}

    def chips(self, ids: Iterable[str], statement: str, support: ClaimSupport | None = None) -> str:
        """The chips of one citation, behind the statement that they stand for."""
        return f'<span class="chips">{"".join(self._chip(one, statement, support) for one in ids)}</span>'

    def html(self) -> str:
        """Every card that a chip opens."""
        return "".join(card for _, card in self._made.values())

    def _chip(self, one: str, statement: str, support: ClaimSupport | None) -> str:
        if one not in self._sources:
            label = f"Citation of {isolate(one)}, which is none of the sources"
            return f'<span class="chip chip-bad"><span class="sr">{label}</span><span aria-hidden="true">?</span></span>'
        number, source = self._sources[one]
        named = show(source.title or f"source {one}")
        if not self._name:
            return f'<span class="chip" title="{named}"><span class="sr">source </span>{number}</span>'
        card = self._card(number, source, statement, support)
        return (
            f'<button type="button" class="chip" popovertarget="{card}" data-source="{number}"'
            f' aria-label="Source {number}: {named}">{number}</button>'
        )

    def _card(self, number: int, source: Source, statement: str, support: ClaimSupport | None) -> str:
        key = (source.id, " ".join(statement.split()))
        if key not in self._made:
            mark = f"{self._name}{len(self._made) + 1}"
            nearest = _nearest(support, statement, source)
            self._made[key] = (mark, _card(mark, number, source, nearest, _alone(support, source.id)))
        return self._made[key][0]


def _alone(support: ClaimSupport | None, one: str) -> Verdict | None:
    """The verdict on one cited source; on all together where each was not looked at."""
    if support is None:
        return None
    if one in support.ids and len(support.by_source) == len(support.ids):
        return support.by_source[support.ids.index(one)]
    return support.verdict


def _nearest(support: ClaimSupport | None, statement: str, source: Source) -> Passage | None:
    """The passage that was found for the claim; before claims are judged, the one nearest to the sentence."""
    if support is not None:
        return next((one for one in support.passages if one.source_id == source.id), None)
    best = best_sentence(statement, source)
    return Passage(source.id, best.start, best.end) if best else None


def _card(mark: str, number: int, source: Source, nearest: Passage | None, verdict: Verdict | None) -> str:
    said = (
        f'<p class="card-support">{badge(verdict)} <span class="muted">{isolate(verdict.reason)}</span></p>'
        if verdict
        else ""
    )
    return (
        f'<div popover id="{mark}" class="card" role="dialog" aria-labelledby="{mark}-t">'
        f'<p class="card-top"><span class="num">{number}</span><span class="muted">{where(source)}</span>'
        f'<button type="button" class="card-close" popovertarget="{mark}" popovertargetaction="hide"'
        ' aria-label="Close">×</button></p>'
        f'<h3 id="{mark}-t"{direction(source.title)}>{link(source.url, source.title or f"Source {source.id}")}</h3>'
        f'{said}<div class="card-text" tabindex="0" role="region" aria-label="Text of the source"'
        f"{direction(source.text)}>{passage(source, nearest)}</div></div>"
    )


def where(source: Source) -> str:
    """Where a source is from, in few words: its id and its host."""
    at = host(source.url)
    return f"id {isolate(source.id)}" + (f" · {show(at)}" if at else "")


def passage(source: Source, best: Passage | None = None) -> str:
    """The source's text with a passage marked; a long text around it only."""
    text = source.text
    if best is None:
        return isolate(text[:_LONGEST_SHOWN]) + _left_out(len(text) - _LONGEST_SHOWN)
    start = max(0, best.start - _LONGEST_SHOWN // 2)
    end = min(len(text), best.end + _LONGEST_SHOWN // 2)
    before, after = text[start : best.start], text[best.end : end]
    return (
        f"{_left_out(start)}{isolate(before)}"
        f'<mark><span class="sr">nearest passage: </span>{isolate(text[best.start : best.end])}</mark>'
        f"{isolate(after)}{_left_out(len(text) - end)}"
    )


def _left_out(characters: int) -> str:
    return f' <span class="muted">[… {count(characters, "character")}]</span> ' if characters > 0 else ""
