"""The sources of a run: how often each is cited, by which claims, and whether the model read it whole."""

from collections.abc import Sequence

from refiner.domain import ClaimSupport, Refinement, Source, Trim
from refiner.render.citations.cards import source_origin, source_text
from refiner.render.html_text import Html, count, direction, html, isolate, join, link, percent
from refiner.render.scores.claims import claim_id


def source_list(run: Refinement) -> Html:
    """The sources as a list, with a filter above it."""
    cut = {trim.source_id: trim for trim in run.trims if trim.kept < trim.of}
    given = run.request.sources
    uses = [sum(source.id in claim.ids for claim in run.answer.claims) for source in given]
    rows = run.reward.citation.supports
    items = join(
        _item(number, source, use, _citing_rows(source, rows), cut.get(source.id))
        for number, (source, use) in enumerate(zip(given, uses, strict=True), 1)
    )
    cited = sum(use > 0 for use in uses)
    return html('{filter}<ol class="sources">{items}</ol>', filter=_filter(len(given), cited), items=items)


def _filter(n: int, cited: int) -> Html:
    shown = (("all", f"All {n}"), ("cited", f"Cited {cited}"), ("uncited", f"Not cited {n - cited}"))
    buttons = join(
        html(
            '<button type="button" class="seg" data-show-sources="{name}" '
            'aria-pressed="{pressed}">{words}</button>',
            name=name,
            pressed=str(name == "all").lower(),
            words=words,
        )
        for name, words in shown
    )
    return html(
        '<div class="source-filter">'
        '<input type="search" data-filter-sources aria-label="Filter the sources by words" '
        'placeholder="Filter by words …" autocomplete="off">'
        '<div class="segs" role="group" aria-label="Which sources">{buttons}</div></div>'
        '<p class="muted small" role="status" data-no-sources></p>',
        buttons=buttons,
    )


def _item(number: int, source: Source, uses: int, citing: Sequence[int], trim: Trim | None) -> Html:
    cited = f"cited {count(uses, 'time')}" if uses else "not cited"
    return html(
        '<li id="source-{number}" data-uses="{uses}"><details><summary>'
        '<span class="num">{number}</span><span class="source-title">{title}</span>'
        '<span class="tag{faint}">{cited}</span>{trimmed}</summary>'
        '<p class="muted">{where} {link}</p>{claim_links}<p class="card-text"{direction}>{passage}</p>'
        "</details></li>",
        number=number,
        uses=uses,
        title=isolate(source.title or source.text[:90]),
        faint="" if uses else " faint",
        cited=cited,
        trimmed=_trim_tag(trim),
        where=source_origin(source),
        link=link(source.url, "open") if source.url else "",
        claim_links=_claim_links(citing),
        direction=direction(source.text),
        passage=source_text(source),
    )


def _citing_rows(source: Source, supports: Sequence[ClaimSupport]) -> list[int]:
    return [row for row, one in enumerate(supports, 1) if source.id in one.ids]


def _claim_links(rows: Sequence[int]) -> Html:
    """Links to the claims that cite the source."""
    if not rows:
        return Html()
    links = join(
        (html('<a href="#{id}">claim {row}</a>', id=claim_id("refined", row), row=row) for row in rows),
        ", ",
    )
    return html('<p class="muted">Cited by {links}</p>', links=links)


def _trim_tag(trim: Trim | None) -> Html:
    if trim is None:
        return Html()
    if trim.kept == 0:
        return Html('<span class="tag warn">left out of the prompt</span>')
    return html(
        '<span class="tag warn">shortened: {kept} of its sentences read</span>',
        kept=percent(trim.kept / trim.of),
    )
