"""The scores of both answers in one table, and how they were computed."""

from collections.abc import Mapping

from refiner.domain import Aggregate, Mix, Refinement, Reward
from refiner.render.html_text import Html, html, isolate, join, number, percent
from refiner.render.scores import comparison
from refiner.render.scores.comparison import SIDE_NAMES, ScoreRow
from refiner.scoring.rewards import CITATION_WEIGHT, VERIFICATION_REWARD, training_scale


def totals_table(before: Reward, after: Reward, names: tuple[str, str] = SIDE_NAMES) -> Html:
    """Score, rubric and citation figures of both answers, each with its interval and how it was made."""
    rows = join(_row(row, lead=place == 0) for place, row in enumerate(comparison.score_rows(before, after)))
    notes = join(
        html('<p class="note"><b>Partly scored.</b> {why}</p>', why=isolate(why))
        for why in comparison.missing_total_reasons(before, after, names)
    )
    left, right = map(isolate, names)
    return html(
        '<table class="scores"><caption class="sr">Scores from 0 to 1, of both answers</caption>'
        '<thead><tr><th scope="col"><span class="sr">Figure</span></th>'
        '<th scope="col">{left}</th><th scope="col">{right}</th><th scope="col" class="wide">'
        '<span aria-hidden="true"><i class="dot hollow"></i> {left} <i class="dot"></i> {right} '
        '<i class="band"></i> could be</span><span class="sr">Range</span></th><th scope="col">'
        '<span class="sr">How it was made</span></th></tr></thead><tbody>{rows}</tbody>'
        "</table>{notes}",
        left=left,
        right=right,
        rows=rows,
        notes=notes,
    )


def _row(row: ScoreRow, *, lead: bool) -> Html:
    return html(
        '<tr class="{kind}"><th scope="row">{name}</th><td>{before}</td><td>{after}</td>'
        '<td class="wide">{track}</td><td><span class="basis {how_class}">{how}</span></td></tr>',
        kind="lead" if lead else "part",
        name=row.name,
        before=_aggregate(row.before),
        after=_aggregate(row.after),
        track=_track(row.before, row.after),
        how_class=row.how.replace(" ", "-"),
        how=row.how,
    )


def _aggregate(one: Aggregate) -> Html:
    if one.value is not None:
        span = (
            html("<small>{lo}–{hi}</small>", lo=number(one.lo), hi=number(one.hi))
            if comparison.has_range(one)
            else ""
        )
        return html("<b>{value}</b>{span}", value=number(one.value), span=span)
    if one.n == 0:
        return Html('<span class="muted">none</span>')
    return html('<span class="open">{lo}–{hi}</span>', lo=number(one.lo), hi=number(one.hi))


def _track(before: Aggregate, after: Aggregate) -> Html:
    return html(
        '<div class="track" aria-hidden="true">{before}{after}</div>',
        before=_lane(before, "hollow"),
        after=_lane(after, ""),
    )


def _lane(one: Aggregate, kind: str) -> Html:
    dot = (
        html('<i class="dot {kind}" style="left:{value}"></i>', kind=kind, value=percent(one.value))
        if one.value is not None
        else ""
    )
    band = ""
    if one.n and one.hi > one.lo:
        band = html(
            '<i class="band" style="left:{lo};width:{width}"></i>',
            lo=percent(one.lo),
            width=percent(one.hi - one.lo),
        )
    return html('<span class="lane">{band}{dot}</span>', band=band, dot=dot)


_FORMULA: Mapping[Mix, str] = {
    "weighted": f"(rubric + {CITATION_WEIGHT} × citation F1) / {1 + CITATION_WEIGHT}",
    "convex": f"{1 - CITATION_WEIGHT} × rubric + {CITATION_WEIGHT} × citation F1",
}


def score_formula(run: Refinement) -> Html:
    """How the score was computed, in words, and the score on the scale of training."""
    values = (run.draft_reward.total.value, run.reward.total.value)
    trained = " → ".join("?" if value is None else number(training_scale(value)) for value in values)
    return html(
        "<p>Score = {formula}, from 0 to 1. It is this app’s score: the training code of this checkpoint "
        "is not public, its card names the parts and the weight {citation_weight}. On the scale of "
        "training (× {verification_reward:.0f}) this run reads "
        "<b>{trained}</b>; GRPO standardises rewards within a group, so the factor has no effect there. "
        "A criterion is judged 0, 1 or 2, divided by 2; a fault counts 1 minus that.</p>"
        "<p>What was <b>judged</b>, <b>estimated</b> and "
        "<b>not scored</b> is never mixed: what could not be scored widens the range instead of counting "
        "as zero, and a total shows only when 80% of both parts are scored.</p>",
        formula=_FORMULA[run.reward.mix],
        citation_weight=CITATION_WEIGHT,
        verification_reward=VERIFICATION_REWARD,
        trained=trained,
    )
