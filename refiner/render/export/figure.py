"""One run as a figure for a paper: draft against refined answer, as an SVG that loads nothing.

The colours are for a white ground and can be told apart in grey. What was estimated is dashed. What could
not be scored is hatched over the whole range that it may have. Nothing is said by colour alone.
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

_WIDTH, _MARGIN = 720, 20
_BARS_LEFT, _BAR_LENGTH = 270, 276
"""Where the bars begin, and how long the bar of a 1 is, in pixels."""
_LABEL_WIDTH = _BARS_LEFT - 16 - _MARGIN
_DRAFT_RIGHT, _REFINED_RIGHT = 622, _WIDTH - _MARGIN
"""Where the columns of numbers end."""
_ROW_HEIGHT, _BAR_HEIGHT, _FONT_SIZE, _TITLE_SIZE = 28, 7, 12, 15
_BOLD_FACTOR = 1.1
"""How many times as wide a bold text is."""
_MAX_CRITERIA = 20
"""How many criteria are shown."""

_INK, _SOFT_INK, _GRID_INK = "#191d22", "#565b62", "#d9dbdf"
_BAR_LOOKS = {
    ("draft", False): Html('fill="#b9c1cd" stroke="#8b95a3"'),
    ("refined", False): Html('fill="#20457c" stroke="#20457c"'),
    ("draft", True): Html('fill="#ffffff" stroke="#6d7785" stroke-dasharray="3 2"'),
    ("refined", True): Html('fill="#bcd0ee" stroke="#20457c" stroke-dasharray="3 2"'),
}
_UNSCORED_LOOK = Html('fill="url(#hatch)" stroke="#c3c8d0"')
_HATCH = Html(
    '<pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path d="M0 0V4" stroke="#a3aab5" stroke-width="1.2"/></pattern>'
)


@dataclass(frozen=True, slots=True)
class _Bar:
    """A value or None, the range in which it lies, and how it is written."""

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
    criteria = [_criterion(pair) for pair in pairs[:_MAX_CRITERIA]]
    head, top = _head(run, made)
    first, top = _block("Scores", scores, top)
    second, top = _block("Criteria", criteria, top + 16)
    if len(pairs) > _MAX_CRITERIA:
        second += line(
            _BARS_LEFT - 16,
            top + 16,
            html("… {left} more", left=len(pairs) - _MAX_CRITERIA),
            _SOFT_INK,
            "right",
        )
        top += _ROW_HEIGHT
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
        description=words(" ".join(map(_in_words, (*scores, *criteria)))),
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


def _in_words(row: _Line) -> str:
    """A row in words, for those who cannot see it."""
    how = ", estimated" if row.draft.estimated or row.refined.estimated else ""
    return f"{row.label}{row.note}: draft {row.draft.words}, refined {row.refined.words}{how}."


def _head(run: Refinement, made: datetime | None) -> tuple[Html, int]:
    """The question, who wrote and scored, and the height at which that ends."""
    room = _WIDTH - 2 * _MARGIN
    asked = lines(without_control_characters(run.request.question), room / _TITLE_SIZE / _BOLD_FACTOR, 2)
    rtl = runs_right_to_left(asked[0])
    shown = join(
        line(
            room if rtl else 0, 20 * place + 16, words(one), _INK, "right" if rtl else "left",
            size=_TITLE_SIZE, bold=True, rtl=rtl,
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
    shown += join(line(0, end + 18 + 17 * place, one, _SOFT_INK) for place, one in enumerate(made_by))
    return box(_MARGIN, 18, room, end + 44, shown), end + 74


def _block(name: str, rows: Sequence[_Line], top: int) -> tuple[Html, int]:
    """The rows under their heading, on the grid, and the height at which they end."""
    begin, end = top + 22, top + 26 + _ROW_HEIGHT * len(rows)
    grid = join(
        html(
            '<path d="M{x:g} {begin}V{end}" stroke="{rule}"/>',
            x=_BARS_LEFT + _BAR_LENGTH * at / 4,
            begin=begin,
            end=end,
            rule=_GRID_INK if at else _SOFT_INK,
        )
        + line(
            _BARS_LEFT + _BAR_LENGTH * at / 4,
            top + 14,
            html("{value:g}", value=at / 4),
            _SOFT_INK,
            "middle",
            size=11,
        )
        for at in range(5)
    )
    heads = (
        line(_MARGIN, top + 14, escape(name), _INK, bold=True)
        + line(_DRAFT_RIGHT, top + 14, Html("draft"), _SOFT_INK, "right", size=11)
        + line(_REFINED_RIGHT, top + 14, Html("refined"), _SOFT_INK, "right", size=11)
        + html(
            '<path d="M{left} {begin}H{right}" stroke="{ink}"/>',
            left=_MARGIN,
            begin=begin,
            right=_WIDTH - _MARGIN,
            ink=_INK,
        )
    )
    return grid + heads + join(_row(row, begin + 4 + _ROW_HEIGHT * at) for at, row in enumerate(rows)), end


def _row(row: _Line, top: int) -> Html:
    middle = _ROW_HEIGHT // 2
    label = (
        isolated(fit(without_control_characters(row.label), _LABEL_WIDTH / _FONT_SIZE - width(row.note)))
        + row.note
    )
    return (
        box(
            _MARGIN,
            top,
            _LABEL_WIDTH,
            _ROW_HEIGHT,
            line(_LABEL_WIDTH, middle + 4, label, _INK, "right", bold=row.lead),
        )
        + _bar("draft", row.draft, top + middle - _BAR_HEIGHT - 1)
        + _bar("refined", row.refined, top + middle + 1)
        + line(_DRAFT_RIGHT, top + middle + 4, escape(row.draft.words), _SOFT_INK, "right")
        + line(
            _REFINED_RIGHT,
            top + middle + 4,
            escape(row.refined.words),
            _INK,
            "right",
            bold=row.refined.value is not None,
        )
    )


def _bar(side: str, bar: _Bar, top: int) -> Html:
    value = Html() if bar.value is None else _rect(side, 0, bar.value, top, _BAR_LOOKS[side, bar.estimated])
    return value + (_rect("open", bar.lo, bar.hi, top, _UNSCORED_LOOK) if bar.hi > bar.lo else Html())


def _rect(kind: str, begin: float, end: float, top: int, look: Html) -> Html:
    x, width = _BARS_LEFT + _BAR_LENGTH * begin, _BAR_LENGTH * (end - begin)
    return html(
        '<rect class="{kind}" x="{x:.2f}" y="{top}" width="{width:.2f}" height="{bar}" {look}/>',
        kind=kind,
        x=x,
        top=top,
        width=width,
        bar=_BAR_HEIGHT,
        look=look,
    )


def _legend(top: int) -> Html:
    keys = (
        (_MARGIN, _BAR_LOOKS["draft", False], "draft"),
        (_MARGIN + 72, _BAR_LOOKS["refined", False], "refined"),
        (_MARGIN + 156, _BAR_LOOKS["refined", True], "dashed: estimated by a heuristic"),
        (_MARGIN + 396, _UNSCORED_LOOK, "hatched: not scored, could lie anywhere in it"),
    )
    return join(
        html(
            '<rect x="{x}" y="{top}" width="18" height="{bar}" {look}/>{line}',
            x=x,
            top=top - 7,
            bar=_BAR_HEIGHT,
            look=look,
            line=line(x + 24, top, escape(said), _SOFT_INK, size=11),
        )
        for x, look, said in keys
    ) + line(
        _MARGIN,
        top + 22,
        Html("Values from 0 to 1; more is better. A fault counts 1 minus what was found."),
        _SOFT_INK,
        size=11,
    )
