"""One run as a figure for a paper: draft against refined, an SVG that needs nothing outside itself.

Colours are for a white ground and hold in grey. What was estimated is dashed, what could not be scored is hatched
over all that it could be; nothing is said by colour alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from refiner.domain import Aggregate, Refinement, Verdict
from refiner.render.export.svg import box, isolated, line, words
from refiner.render.export.text_width import fit, lines, width
from refiner.render.html_text import Html, escape, html, join, number, without_control_characters
from refiner.render.scores import comparison
from refiner.render.scores.comparison import CriterionPair, ScoreRow
from refiner.text.direction import runs_right_to_left

_WIDTH, _EDGE = 720, 20
_PLOT, _UNIT = 270, 276
"""Where the bars begin, and how long a 1 is, in pixels."""
_LABELS = _PLOT - 16 - _EDGE
_DRAFT, _REFINED = 622, _WIDTH - _EDGE
"""Where the columns of figures end."""
_ROW, _BAR, _SIZE, _LARGE = 28, 7, 12, 15
_BOLD = 1.1
"""How much wider a bold text is."""
_MOST = 20
"""Criteria that are shown."""

_INK, _SOFT, _RULE = "#191d22", "#565b62", "#d9dbdf"
_LOOK = {
    ("draft", False): Html('fill="#b9c1cd" stroke="#8b95a3"'),
    ("refined", False): Html('fill="#20457c" stroke="#20457c"'),
    ("draft", True): Html('fill="#ffffff" stroke="#6d7785" stroke-dasharray="3 2"'),
    ("refined", True): Html('fill="#bcd0ee" stroke="#20457c" stroke-dasharray="3 2"'),
}
_OPEN = Html('fill="url(#hatch)" stroke="#c3c8d0"')
_HATCH = Html(
    '<pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path d="M0 0V4" stroke="#a3aab5" stroke-width="1.2"/></pattern>'
)


@dataclass(frozen=True, slots=True)
class _Bar:
    """A value, or None; what it could be; how it is written."""

    value: float | None
    lo: float
    hi: float
    words: str
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of the figure."""

    label: str
    draft: _Bar
    refined: _Bar
    note: str = ""
    lead: bool = False


def figure(run: Refinement, made: datetime | None = None) -> Html:
    """The scores and the criteria of both answers as bars, under what was asked and who wrote and scored."""
    scores = [_score(row) for row in comparison.score_rows(run.draft_reward, run.reward)]
    pairs = comparison.criterion_pairs(run.draft_reward, run.reward)
    criteria = [_criterion(pair) for pair in pairs[:_MOST]]
    head, top = _head(run, made)
    first, top = _block("Scores", scores, top)
    second, top = _block("Criteria", criteria, top + 16)
    if len(pairs) > _MOST:
        second += line(_PLOT - 16, top + 16, html("… {left} more", left=len(pairs) - _MOST), _SOFT, "right")
        top += _ROW
    height = top + 70
    return html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} '
        '{height}" role="img" aria-labelledby="figure-title figure-desc" font-family="Helvetica, Arial, '
        "'Liberation Sans', 'DejaVu Sans', sans-serif\">"
        '<title id="figure-title">{title}</title><desc id="figure-desc">{description}</desc>'
        "<defs>{hatch}</defs>"
        '<rect width="{width}" height="{height}" fill="#ffffff"/>{head}{first}{second}{legend}</svg>\n',
        width=_WIDTH,
        height=height,
        title=words(f"Draft and refined answer: {run.request.question}"),
        description=words(" ".join(map(_said, (*scores, *criteria)))),
        hatch=_HATCH,
        head=head,
        first=first,
        second=second,
        legend=_legend(top + 30),
    )


def _score(row: ScoreRow) -> _Line:
    before, after = (_aggregate(one, estimated=row.basis == "estimated") for one in (row.before, row.after))
    return _Line(row.name, before, after, lead=row.name == "Score")


def _aggregate(one: Aggregate, *, estimated: bool) -> _Bar:
    if one.value is not None:
        return _Bar(one.value, one.lo, one.hi, number(one.value), estimated)
    if one.n == 0:
        return _Bar(None, 0.0, 0.0, "none")
    return _Bar(None, one.lo, one.hi, comparison.aggregate_words(one) if one.coverage else "not scored")


def _criterion(pair: CriterionPair) -> _Line:
    note = " (fault)" if pair.criterion.polarity == "negative" else ""
    before, after = (
        _verdict(comparison.value_after_polarity(pair.criterion, one), one)
        for one in (pair.before, pair.after)
    )
    return _Line(pair.criterion.title, before, after, note)


def _verdict(value: float | None, verdict: Verdict | None) -> _Bar:
    if value is None or verdict is None:
        return _Bar(None, 0.0, 1.0, "not scored")
    return _Bar(value, value, value, number(value), verdict.basis == "estimated")


def _said(row: _Line) -> str:
    """A row for those who do not see it."""
    how = ", estimated" if row.draft.estimated or row.refined.estimated else ""
    return f"{row.label}{row.note}: draft {row.draft.words}, refined {row.refined.words}{how}."


def _head(run: Refinement, made: datetime | None) -> tuple[Html, int]:
    """The question, who wrote and scored, and where that ends."""
    room = _WIDTH - 2 * _EDGE
    asked = lines(without_control_characters(run.request.question), room / _LARGE / _BOLD, 2)
    rtl = runs_right_to_left(asked[0])
    shown = join(
        line(
            room if rtl else 0, 20 * place + 16, words(one), _INK, "right" if rtl else "left",
            size=_LARGE, bold=True, rtl=rtl,
        )
        for place, one in enumerate(asked)
    )  # fmt: skip
    other = "" if run.model.is_refiner else ", not the refiner"
    made_by = (
        html(
            "Written by {name}{other}",
            name=isolated(fit(without_control_characters(run.model.name), 44)),
            other=other,
        ),
        html(
            "Scored by {judge}{day}",
            judge=isolated(fit(without_control_characters(run.judge), 44)),
            day=f" · {made:%Y-%m-%d}" if made else "",
        ),
    )
    end = 20 * len(asked)
    shown += join(line(0, end + 18 + 17 * place, one, _SOFT) for place, one in enumerate(made_by))
    return box(_EDGE, 18, room, end + 44, shown), end + 74


def _block(name: str, rows: Sequence[_Line], top: int) -> tuple[Html, int]:
    """The rows under their heading, over the grid, and where they end."""
    begin, end = top + 22, top + 26 + _ROW * len(rows)
    grid = join(
        html(
            '<path d="M{x:g} {begin}V{end}" stroke="{rule}"/>',
            x=_PLOT + _UNIT * at / 4,
            begin=begin,
            end=end,
            rule=_RULE if at else _SOFT,
        )
        + line(_PLOT + _UNIT * at / 4, top + 14, html("{value:g}", value=at / 4), _SOFT, "middle", size=11)
        for at in range(5)
    )
    heads = (
        line(_EDGE, top + 14, escape(name), _INK, bold=True)
        + line(_DRAFT, top + 14, Html("draft"), _SOFT, "right", size=11)
        + line(_REFINED, top + 14, Html("refined"), _SOFT, "right", size=11)
        + html(
            '<path d="M{left} {begin}H{right}" stroke="{ink}"/>',
            left=_EDGE,
            begin=begin,
            right=_WIDTH - _EDGE,
            ink=_INK,
        )
    )
    return grid + heads + join(_row(row, begin + 4 + _ROW * at) for at, row in enumerate(rows)), end


def _row(row: _Line, top: int) -> Html:
    middle = _ROW // 2
    label = isolated(fit(without_control_characters(row.label), _LABELS / _SIZE - width(row.note))) + row.note
    return (
        box(_EDGE, top, _LABELS, _ROW, line(_LABELS, middle + 4, label, _INK, "right", bold=row.lead))
        + _bar("draft", row.draft, top + middle - _BAR - 1)
        + _bar("refined", row.refined, top + middle + 1)
        + line(_DRAFT, top + middle + 4, escape(row.draft.words), _SOFT, "right")
        + line(
            _REFINED,
            top + middle + 4,
            escape(row.refined.words),
            _INK,
            "right",
            bold=row.refined.value is not None,
        )
    )


def _bar(side: str, bar: _Bar, top: int) -> Html:
    value = Html() if bar.value is None else _rect(side, 0, bar.value, top, _LOOK[side, bar.estimated])
    return value + (_rect("open", bar.lo, bar.hi, top, _OPEN) if bar.hi > bar.lo else Html())


def _rect(kind: str, begin: float, end: float, top: int, look: Html) -> Html:
    x, width = _PLOT + _UNIT * begin, _UNIT * (end - begin)
    return html(
        '<rect class="{kind}" x="{x:.2f}" y="{top}" width="{width:.2f}" height="{bar}" {look}/>',
        kind=kind,
        x=x,
        top=top,
        width=width,
        bar=_BAR,
        look=look,
    )


def _legend(top: int) -> Html:
    keys = (
        (_EDGE, _LOOK["draft", False], "draft"),
        (_EDGE + 72, _LOOK["refined", False], "refined"),
        (_EDGE + 156, _LOOK["refined", True], "dashed: estimated by a heuristic"),
        (_EDGE + 396, _OPEN, "hatched: not scored, could lie anywhere in it"),
    )
    return join(
        html(
            '<rect x="{x}" y="{top}" width="18" height="{bar}" {look}/>{line}',
            x=x,
            top=top - 7,
            bar=_BAR,
            look=look,
            line=line(x + 24, top, escape(said), _SOFT, size=11),
        )
        for x, look, said in keys
    ) + line(
        _EDGE,
        top + 22,
        Html("Values from 0 to 1; more is better. A fault counts 1 minus what was found."),
        _SOFT,
        size=11,
    )
