"""The tables of what the votes tell: win rates, and figures with their intervals."""

from collections.abc import Callable, Iterable

from refiner.feedback.insight.agreement import FigureOrReason
from refiner.feedback.insight.biases import Proportion
from refiner.feedback.insight.win_rates import VoteTally
from refiner.render.html_text import Html, count, html, join, number, percent
from refiner.scoring.metrics import Figure

MAX_TABLE_ROWS = 30
"""How many rows a table has at most that a stranger can make long."""

_RANGE_DASH = "–\u2060"
"""A dash with a word joiner, so that no line ends here."""


def win_table(what: str, rows: Html) -> Html:
    """A table of win rates, whose first column is called ``what``. ``rows`` are made by `tally_row`."""
    return html(
        '<div class="scroll" tabindex="0" role="region" aria-label="{what}">'
        '<table class="scores"><thead><tr><th scope="col">{what}</th>'
        '<th scope="col">Refined won</th><th scope="col">Decided</th><th scope="col">Ties</th>'
        '<th scope="col">Both bad</th><th scope="col" class="wide"><span aria-hidden="true">'
        '<i class="dot"></i> share <i class="band"></i> 95% interval</span>'
        '<span class="sr">Range</span></th></tr></thead><tbody>{rows}</tbody></table></div>',
        what=what,
        rows=rows,
    )


def tally_row(head: Html, tally: VoteTally, *, lead: bool = False) -> Html:
    """A row of a win table: the share won with its interval, as numbers and as a bar, and the counts."""
    figure = tally.refined.figure
    won = Html('<span class="muted">none</span>')
    lane = ""
    if figure is not None:
        won = html(
            "<b>{value}</b> <small>[{lo}{to}{hi}\u2060]</small>",
            value=percent(figure.value),
            lo=percent(figure.lo),
            to=_RANGE_DASH,
            hi=percent(figure.hi),
        )
        lane = html(
            '<span class="lane"><i class="band" style="left:{lo};width:{width}"></i>'
            '<i class="dot" style="left:{value}"></i></span>',
            lo=percent(figure.lo),
            width=percent(figure.hi - figure.lo),
            value=percent(figure.value),
        )
    return html(
        '<tr class="{kind}">{head}<td>{won}</td><td>{n:,}</td><td>{ties:,}</td>'
        '<td>{both_bad:,}</td><td class="wide"><div class="track" aria-hidden="true">{lane}</div>'
        "</td></tr>",
        kind="lead" if lead else "part",
        head=head,
        won=won,
        n=tally.refined.n,
        ties=tally.ties,
        both_bad=tally.both_bad,
        lane=lane,
    )


def measured_cell(one: FigureOrReason) -> Html:
    """A figure with its interval, or the reason why there is none."""
    return (
        html('<span class="unscored">{reason}</span>', reason=one.reason)
        if one.figure is None
        else figure_with_interval(one.figure, number)
    )


def share_cell(share: Proportion) -> Html:
    """A share in per cent with its interval, or that there are no votes."""
    return (
        Html('<span class="muted">no votes</span>')
        if share.figure is None
        else figure_with_interval(share.figure, percent)
    )


def figure_with_interval(figure: Figure, write: Callable[[float], str]) -> Html:
    """A figure and its 95% interval, each number written by ``write``."""
    return html(
        "{value} <small>[{lo}{to}{hi}]</small>",
        value=write(figure.value),
        lo=write(figure.lo),
        to=_RANGE_DASH,
        hi=write(figure.hi),
    )


def figures_table(name: str, heads: Iterable[str], rows: Html) -> Html:
    """A table named ``name`` for screen readers, under ``heads``. An empty heading is read as "What"."""
    cells = join(
        html('<th scope="col">{words}</th>', words=words)
        if words
        else Html('<th scope="col"><span class="sr">What</span></th>')
        for words in heads
    )
    return html(
        '<div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        '<table class="figures-table"><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody>'
        "</table></div>",
        name=name,
        cells=cells,
        rows=rows,
    )


def left_out_note(there: int, what: str) -> Html:
    """How many of ``there`` rows a table leaves out; nothing if it holds all. ``what`` names one of them."""
    left = there - MAX_TABLE_ROWS
    return (
        html(
            '<p class="muted small">{further} left out.</p>',
            further=count(left, f"further {what}"),
        )
        if left > 0
        else Html()
    )


def blocks(*parts: Html) -> Html:
    """The parts below each other, as one result."""
    blocks = join(html('<div style="min-width:0">{part}</div>', part=part) for part in parts)
    return html('<div class="result">{blocks}</div>', blocks=blocks)
