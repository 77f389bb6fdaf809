"""How good a judge was measured to be: the page's fold, and the reliability diagram as SVG."""

from collections.abc import Mapping, Sequence

from refiner.judges.quality import Alarms, Quality, Stress
from refiner.render.html_text import count, isolate, number, percent, show
from refiner.scoring.metrics import Bin, Evaluation, Figure

_SIDE = 140
"""Width and height of a diagram's square, in pixels."""

_NOT_MEASURED = (
    "<p>It has not been measured here, so nothing is known of how often it is right. "
    "<code>refiner judge-eval DATA.jsonl</code> with claims that people have labelled measures it, "
    "and its figures then stand here.</p>"
)
_READ = (
    '<p class="muted small">AUROC: how often a supported claim scores above an unsupported one; 0.5 is a coin, 1 is '
    "perfect. Balanced accuracy: the same for a yes or no. Calibration error: how far its values lie from the share "
    "of claims that people called supported; 0 is best. In brackets the 95% interval.</p>"
)


def fold(judge: str, quality: Quality | None) -> str:
    """The fold "How good is this judge?"; says so where it has not been measured."""
    body = _NOT_MEASURED if quality is None else _measured(quality)
    return (
        '<div class="result"><details class="sheet" id="judge-fold"><summary>How good is this judge?</summary>'
        f'<p id="judge-quality">Scored by <b>{isolate(judge)}</b>.</p>{body}</details></div>'
    )


def _measured(quality: Quality) -> str:
    rows = "".join(_row(name, one) for name, one in quality.data.items())
    table = (
        '<div class="scroll" tabindex="0" role="region" aria-label="Figures of the judge"><table class="figures-table">'
        '<thead><tr><th scope="col">Labels by people</th><th scope="col">Claims</th><th scope="col">AUROC</th>'
        '<th scope="col">Balanced accuracy</th><th scope="col">Calibration error</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
    diagrams = "".join(
        f"<figure>{reliability(one.bins)}<figcaption>{isolate(name)}</figcaption></figure>"
        for name, one in quality.data.items()
    )
    return (
        f'{table}{_READ}<div class="diagrams">{diagrams}</div>{_stress(quality.stress)}{_alarms(quality.alarms)}'
        f'<p class="muted small">Measured {show(quality.date)}, version {isolate(quality.version)}.</p>'
    )


def _row(name: str, one: Evaluation) -> str:
    scored = "" if one.scored == one.n else f", {one.scored:,} scored"
    cells = "".join(f"<td>{_figure(figure)}</td>" for figure in (one.auroc, one.balanced_accuracy, one.ece))
    return f"<tr><td>{isolate(name)}</td><td>{one.n:,}{scored}</td>{cells}</tr>"


def _figure(figure: Figure | None) -> str:
    if figure is None:
        return '<span class="unscored">not scored</span>'
    return f"{number(figure.value)} <small>[{number(figure.lo)}–{number(figure.hi)}]</small>"


def error_rates(quality: Quality | None) -> str:
    """One sentence to stand beside the labels: how often each was wrong; nothing where that is not known."""
    if quality is None or not quality.labels:
        return ""
    rates = ", ".join(
        f"{percent(one.unsupported)} of those called “{isolate(one.label)}”" for one in quality.labels
    )
    return (
        f'<p class="muted small rates">The labels are estimates. Of claims that people had judged, {rates} were '
        'unsupported. <a href="#judge-quality">How good is this judge?</a></p>'
    )


def _stress(stress: Sequence[Stress]) -> str:
    if not stress:
        return ""
    rows = "".join(
        f"<tr><td>{isolate(one.kind)}</td><td>{one.n:,}</td><td>{percent(one.caught)}</td></tr>"
        for one in stress
    )
    return (
        "<p>What it notices: true claims that it had accepted, changed so that they are false.</p>"
        '<table class="figures-table"><thead><tr><th scope="col">Change</th><th scope="col">Claims</th>'
        f'<th scope="col">No longer accepted</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _alarms(alarms: Alarms | None) -> str:
    """What noticing costs, in one sentence."""
    if alarms is None:
        return ""
    return (
        f"<p>The price: of {alarms.n:,} claims that people found supported, its score alone does not accept "
        f"{percent(alarms.by_score)}, with what it notices {percent(alarms.with_checks)}.</p>"
    )


def reliability(bins: Sequence[Bin]) -> str:
    """A reliability diagram (Guo et al. 2017, figure 1): the judge's value against the share that is supported.

    The dots' areas tell how many claims each stands for. The dots of a calibrated judge lie on the diagonal.
    """
    total = sum(one.count for one in bins) or 1
    dots = "".join(
        f'<circle cx="{_SIDE * one.predicted:.1f}" cy="{_SIDE * (1 - one.observed):.1f}" '
        f'r="{3 + 14 * (one.count / total) ** 0.5:.1f}"/>'
        for one in bins
    )
    said = "; ".join(
        f"value {number(one.predicted)}: {percent(one.observed)} of {count(one.count, 'claim')} supported"
        for one in bins
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="reliability" viewBox="-10 -10 {_SIDE + 20} {_SIDE + 20}" '
        f'width="{_SIDE + 20}" height="{_SIDE + 20}" role="img" aria-label="Reliability: {said}">'
        f'<rect width="{_SIDE}" height="{_SIDE}" fill="none" stroke="currentColor" stroke-opacity=".3"/>'
        f'<path d="M0 {_SIDE}L{_SIDE} 0" stroke="currentColor" stroke-opacity=".4" stroke-dasharray="4 4"/>'
        f'<g fill="currentColor" fill-opacity=".55">{dots}</g></svg>'
    )


def plot(data: Mapping[str, Evaluation]) -> str:
    """The diagrams of several data sets beside each other, as an SVG file."""
    width, height = _SIDE + 60, _SIDE + 60
    panels = "".join(
        f'<g transform="translate({width * at + 30} 20)"><g>{_inner(one.bins)}</g>'
        f'<text x="{_SIDE / 2}" y="{_SIDE + 24}" text-anchor="middle" font-size="11">{show(name)}</text></g>'
        for at, (name, one) in enumerate(data.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width * max(1, len(data))}" height="{height}" '
        f'font-family="sans-serif" color="#1f3f7f">{panels}</svg>\n'
    )


def _inner(bins: Sequence[Bin]) -> str:
    return reliability(bins).replace("<svg ", '<svg x="-10" y="-10" ', 1)
