"""How good a judge was measured to be: a fold for the page, and reliability diagrams as SVG."""

from collections.abc import Mapping, Sequence

from refiner.judges.quality import FalseAlarms, Quality, StressResult
from refiner.render.html_text import Html, count, html, isolate, join, number, percent
from refiner.scoring.metrics import Bin, Evaluation, Figure

_SIDE = 140
"""Width and height of a diagram's square, in pixels."""

_NOT_MEASURED = Html(
    "<p>It has not been measured here, so nothing is known of how often it is right. "
    "<code>refiner judge-eval DATA.jsonl</code> with claims that people have labelled measures it, "
    "and its figures then stand here.</p>"
)
_HOW_TO_READ = Html(
    '<p class="muted small">AUROC: how often a supported claim scores above an unsupported one; 0.5 is a '
    "coin, 1 is "
    "perfect. Balanced accuracy: the same for a yes or no. Calibration error: how far its values lie "
    "from the share "
    "of claims that people called supported; 0 is best. In brackets the 95% interval.</p>"
)


def judge_quality_fold(judge: str, quality: Quality | None) -> Html:
    """The fold "How good is this judge?". Without ``quality`` it says that nothing was measured."""
    body = _NOT_MEASURED if quality is None else _measured(quality)
    return html(
        '<div class="result"><details class="sheet" id="judge-fold">'
        '<summary>How good is this judge?</summary><p id="judge-quality">Scored by '
        "<b>{judge}</b>.</p>{body}</details></div>",
        judge=isolate(judge),
        body=body,
    )


def _measured(quality: Quality) -> Html:
    rows = join(_data_set_row(name, one) for name, one in quality.data.items())
    table = html(
        '<div class="scroll" tabindex="0" role="region" aria-label="Figures of the judge">'
        '<table class="figures-table"><thead><tr><th scope="col">Labels by people</th>'
        '<th scope="col">Claims</th><th scope="col">AUROC</th>'
        '<th scope="col">Balanced accuracy</th><th scope="col">Calibration error</th></tr>'
        "</thead><tbody>{rows}</tbody></table></div>",
        rows=rows,
    )
    diagrams = join(
        html(
            "<figure>{reliability}<figcaption>{name}</figcaption></figure>",
            reliability=reliability_diagram(one.bins),
            name=isolate(name),
        )
        for name, one in quality.data.items()
    )
    return html(
        '{table}{read}<div class="diagrams">{diagrams}</div>{stress}{alarms}<p class="muted '
        'small">Measured {date}, version {version}.</p>',
        table=table,
        read=_HOW_TO_READ,
        diagrams=diagrams,
        stress=_stress(quality.stress),
        alarms=_false_alarms(quality.alarms),
        date=quality.date,
        version=isolate(quality.version),
    )


def _data_set_row(name: str, one: Evaluation) -> Html:
    scored = "" if one.scored == one.n else f", {one.scored:,} scored"
    cells = join(
        html("<td>{figure}</td>", figure=_figure_with_interval(figure))
        for figure in (one.auroc, one.balanced_accuracy, one.ece)
    )
    return html(
        "<tr><td>{name}</td><td>{n:,}{scored}</td>{cells}</tr>",
        name=isolate(name),
        n=one.n,
        scored=scored,
        cells=cells,
    )


def _figure_with_interval(figure: Figure | None) -> Html:
    if figure is None:
        return Html('<span class="unscored">not scored</span>')
    return html(
        "{value} <small>[{lo}–{hi}]</small>",
        value=number(figure.value),
        lo=number(figure.lo),
        hi=number(figure.hi),
    )


def error_rates(quality: Quality | None) -> Html:
    """One sentence beside the labels: how often each was wrong. Nothing if that is not known."""
    if quality is None or not quality.labels:
        return Html()
    rates = join(
        (
            html(
                "{share} of those called “{label}”",
                share=percent(one.unsupported),
                label=isolate(one.label),
            )
            for one in quality.labels
        ),
        ", ",
    )
    return html(
        '<p class="muted small rates">The labels are estimates. Of claims that people had judged, '
        "{rates} were unsupported. "
        '<a href="#judge-quality">How good is this judge?</a></p>',
        rates=rates,
    )


def _stress(stress: Sequence[StressResult]) -> Html:
    if not stress:
        return Html()
    rows = join(
        html(
            "<tr><td>{kind}</td><td>{n:,}</td><td>{caught}</td></tr>",
            kind=isolate(one.kind),
            n=one.n,
            caught=percent(one.caught),
        )
        for one in stress
    )
    return html(
        "<p>What it notices: true claims that it had accepted, changed so that they are false.</p>"
        '<table class="figures-table"><thead><tr><th scope="col">Change</th>'
        '<th scope="col">Claims</th><th scope="col">No longer accepted</th></tr></thead>'
        "<tbody>{rows}</tbody></table>",
        rows=rows,
    )


def _false_alarms(alarms: FalseAlarms | None) -> Html:
    """How often its checks reject what people accept, in one sentence."""
    if alarms is None:
        return Html()
    return html(
        "<p>The price: of {n:,} claims that people found supported, its score alone does not accept "
        "{by_score}, with what it notices {with_checks}.</p>",
        n=alarms.n,
        by_score=percent(alarms.by_score),
        with_checks=percent(alarms.with_checks),
    )


def reliability_diagram(bins: Sequence[Bin]) -> Html:
    """A reliability diagram (Guo et al. 2017, figure 1): the judge's value against the share supported.

    The area of a dot tells how many claims it stands for. The dots of a calibrated judge lie on the diagonal.
    """
    total = sum(one.count for one in bins) or 1
    dots = join(
        html(
            '<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>',
            x=_SIDE * one.predicted,
            y=_SIDE * (1 - one.observed),
            radius=3 + 14 * (one.count / total) ** 0.5,
        )
        for one in bins
    )
    said = "; ".join(
        f"value {number(one.predicted)}: {percent(one.observed)} of {count(one.count, 'claim')} supported"
        for one in bins
    )
    return html(
        '<svg xmlns="http://www.w3.org/2000/svg" class="reliability" viewBox="-10 -10 {outer} {outer}" '
        'width="{outer}" height="{outer}" role="img" aria-label="Reliability: {said}">'
        '<rect width="{side}" height="{side}" fill="none" stroke="currentColor" stroke-opacity=".3"/>'
        '<path d="M0 {side}L{side} 0" stroke="currentColor" stroke-opacity=".4" stroke-dasharray="4 4"/>'
        '<g fill="currentColor" fill-opacity=".55">{dots}</g></svg>',
        outer=_SIDE + 20,
        said=said,
        side=_SIDE,
        dots=dots,
    )


def reliability_plot(data: Mapping[str, Evaluation]) -> Html:
    """The diagrams of several data sets side by side, as an SVG file."""
    width, height = _SIDE + 60, _SIDE + 60
    panels = join(
        html(
            '<g transform="translate({left} 20)"><g>{inner}</g>'
            '<text x="{middle}" y="{below}" text-anchor="middle" font-size="11">{name}</text></g>',
            left=width * at + 30,
            inner=_placed(one.bins),
            middle=_SIDE / 2,
            below=_SIDE + 24,
            name=name,
        )
        for at, (name, one) in enumerate(data.items())
    )
    return html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" color="#1f3f7f">{panels}</svg>\n',
        width=width * max(1, len(data)),
        height=height,
        panels=panels,
    )


def _placed(bins: Sequence[Bin]) -> Html:
    return reliability_diagram(bins).replace("<svg ", Html('<svg x="-10" y="-10" '), 1)
