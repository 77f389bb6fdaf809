"""The sources of a run: how often each is cited and by which claims, and which the model did not read whole."""

from collections.abc import Sequence

from refiner.domain import ClaimSupport, Refinement, Source, Trim
from refiner.render.citations.cards import passage, where
from refiner.render.html_text import count, direction, isolate, link, percent
from refiner.render.scores.panel import claim_mark


def panel(run: Refinement) -> str:
    """The list, with a filter above it."""
    cut = {trim.source_id: trim for trim in run.trims if trim.kept < trim.of}
    given = run.request.sources
    uses = [sum(source.id in claim.ids for claim in run.answer.claims) for source in given]
    rows = run.reward.citation.supports
    items = "".join(
        _item(number, source, use, _citing(source, rows), cut.get(source.id))
        for number, (source, use) in enumerate(zip(given, uses, strict=True), 1)
    )
    cited = sum(use > 0 for use in uses)
    return f'{_filter(len(given), cited)}<ol class="sources">{items}</ol>'


def _filter(n: int, cited: int) -> str:
    shown = (("all", f"All {n}"), ("cited", f"Cited {cited}"), ("uncited", f"Not cited {n - cited}"))
    buttons = "".join(
        f'<button type="button" class="seg" data-show-sources="{name}" aria-pressed="{str(name == "all").lower()}">'
        f"{words}</button>"
        for name, words in shown
    )
    return (
        '<div class="source-filter"><input type="search" data-filter-sources aria-label="Filter the sources by words"'
        ' placeholder="Filter by words …" autocomplete="off"><div class="segs" role="group"'
        f' aria-label="Which sources">{buttons}</div></div>'
        '<p class="muted small" role="status" data-no-sources></p>'
    )


def _item(number: int, source: Source, uses: int, citing: Sequence[int], trim: Trim | None) -> str:
    cited = f"cited {count(uses, 'time')}" if uses else "not cited"
    return (
        f'<li id="source-{number}" data-uses="{uses}"><details><summary><span class="num">{number}</span>'
        f'<span class="source-title">{isolate(source.title or source.text[:90])}</span>'
        f'<span class="tag{"" if uses else " faint"}">{cited}</span>{_trimmed(trim)}</summary>'
        f'<p class="muted">{where(source)} {link(source.url, "open") if source.url else ""}</p>'
        f'{_jumps(citing)}<p class="card-text"{direction(source.text)}>{passage(source)}</p></details></li>'
    )


def _citing(source: Source, supports: Sequence[ClaimSupport]) -> list[int]:
    return [row for row, one in enumerate(supports, 1) if source.id in one.ids]


def _jumps(rows: Sequence[int]) -> str:
    """Links to the claims that cite it."""
    if not rows:
        return ""
    links = ", ".join(f'<a href="#{claim_mark("refined", row)}">claim {row}</a>' for row in rows)
    return f'<p class="muted">Cited by {links}</p>'


def _trimmed(trim: Trim | None) -> str:
    if trim is None:
        return ""
    if trim.kept == 0:
        return '<span class="tag warn">left out of the prompt</span>'
    return f'<span class="tag warn">shortened: {percent(trim.kept / trim.of)} of its sentences read</span>'
