"""The scores of draft and refined answer: the panel of figures, the criteria, the claims."""

from collections.abc import Mapping, Sequence

from refiner.domain import Aggregate, ClaimSupport, Criterion, Mix, Refinement, Reward, Verdict
from refiner.render.citations.cards import Cards
from refiner.render.citations.support import UNCITED, agree, badge
from refiner.render.html_text import Html, count, direction, html, isolate, join, number, percent
from refiner.render.scores import figures
from refiner.render.scores.figures import NAMES, Pair, Row
from refiner.scoring.rewards import CITATION_WEIGHT, VERIFICATION_REWARD, training_scale


def panel(before: Reward, after: Reward, names: tuple[str, str] = NAMES) -> Html:
    """Score, rubric and citation figures of both answers, each with its interval and how it was made."""
    rows = join(_row(row, lead=place == 0) for place, row in enumerate(figures.rows(before, after)))
    partly = join(
        html('<p class="note"><b>Partly scored.</b> {why}</p>', why=isolate(why))
        for why in figures.partly(before, after, names)
    )
    left, right = map(isolate, names)
    return html(
        '<table class="scores"><caption class="sr">Scores from 0 to 1, of both answers</caption>'
        '<thead><tr><th scope="col"><span class="sr">Figure</span></th>'
        '<th scope="col">{left}</th><th scope="col">{right}</th><th scope="col" class="wide">'
        '<span aria-hidden="true"><i class="dot hollow"></i> {left} <i class="dot"></i> {right} '
        '<i class="band"></i> could be</span><span class="sr">Range</span></th><th scope="col">'
        '<span class="sr">How it was made</span></th></tr></thead><tbody>{rows}</tbody>'
        "</table>{partly}",
        left=left,
        right=right,
        rows=rows,
        partly=partly,
    )


def _row(row: Row, *, lead: bool) -> Html:
    return html(
        '<tr class="{kind}"><th scope="row">{name}</th><td>{before}</td><td>{after}</td>'
        '<td class="wide">{track}</td><td><span class="basis {how_class}">{how}</span></td></tr>',
        kind="lead" if lead else "part",
        name=row.name,
        before=_figure(row.before),
        after=_figure(row.after),
        track=_track(row.before, row.after),
        how_class=row.how.replace(" ", "-"),
        how=row.how,
    )


def _figure(one: Aggregate) -> Html:
    if one.value is not None:
        span = (
            html("<small>{lo}–{hi}</small>", lo=number(one.lo), hi=number(one.hi))
            if figures.is_open(one)
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


def scale(run: Refinement) -> Html:
    """How the score was made, in words, and the same on the scale of training."""
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


def criteria(before: Reward, after: Reward, names: tuple[str, str] = NAMES, *, rated: bool = False) -> Html:
    """Each criterion with both scores as bars, the reasons, and how sure the judge was; those not scored say why.

    ``rated`` adds what asks whether one agrees with the verdict on the refined answer.
    """
    pairs = figures.pairs(before, after)
    reasons = {pair.after.reason for pair in pairs if pair.after.value is None}
    unscored = len(pairs) > 0 and all(pair.after.value is None for pair in pairs) and len(reasons) == 1
    why = (
        html('<p class="note why"><b>Not scored.</b> {reason}</p>', reason=isolate(reasons.pop()))
        if unscored
        else ""
    )
    rows = join(_criterion(pair, names, said=unscored, rated=rated) for pair in pairs)
    return html('{why}<ul class="criteria">{rows}</ul>', why=why, rows=rows)


def _criterion(pair: Pair, names: tuple[str, str], *, said: bool, rated: bool) -> Html:
    one = pair.criterion
    tags = {"fault": one.polarity == "negative", "suggested": one.origin == "generated"}
    shown = join(
        (html('<span class="tag">{name}</span>', name=name) for name, there in tags.items() if there), " "
    )
    looks = () if said else ("hollow", "")
    bars = join(
        _bar(*each) for each in zip(names, (one, one), (pair.before, pair.after), looks, strict=False)
    )
    asked = agree("criteria", one.id, pair.after) if rated else ""
    return html(
        '<li><div class="criterion-words">'
        '<b>{title}</b> {shown}<span class="muted">weight {weight:g}</span><p>{description}</p>'
        '</div><div class="bars">{bars}{asked}</div></li>',
        title=isolate(one.title),
        shown=shown,
        weight=one.weight,
        description=isolate(one.description),
        bars=bars,
        asked=asked,
    )


def _bar(side: str, one: Criterion, verdict: Verdict | None, kind: str) -> Html:
    value = figures.counted(one, verdict)
    if verdict is None or value is None:
        why = verdict.reason if verdict else "no verdict"
        return html(
            '<p class="bar-row"><span>{side}</span><span class="unscored">not scored: {why}</span></p>',
            side=isolate(side),
            why=isolate(why),
        )
    how = Html(' <span class="how">estimated</span>') if verdict.basis == "estimated" else ""
    return html(
        '<p class="bar-row"><span>{side}</span><span class="bar" aria-hidden="true">'
        '<i class="{kind}" style="width:{width}"></i></span><b>{value}</b>{how}</p>{reason}',
        side=isolate(side),
        kind=kind,
        width=percent(value),
        value=number(value),
        how=how,
        reason=reason(verdict),
    )


def reason(verdict: Verdict) -> Html:
    """Why, what was noticed, and how sure the judge was, where it said so."""
    flags = join(html(' <span class="tag">{flag}</span>', flag=isolate(flag)) for flag in verdict.flags)
    sure = (
        ""
        if verdict.confidence is None
        else html(
            ' <span class="tag faint">confidence {confidence}</span>', confidence=percent(verdict.confidence)
        )
    )
    if not (verdict.reason or flags or sure):
        return Html()
    return html(
        '<p class="reason">{reason}{flags}{sure}</p>', reason=isolate(verdict.reason), flags=flags, sure=sure
    )


def claims(reward: Reward, cards: Cards, side: str = "refined", *, rated: bool = False) -> Html:
    """What needs a citation, with what it cites and how well that supports it; the columns can be sorted.

    ``rated`` adds what asks whether one agrees with the verdict.
    """
    citation = reward.citation
    if not citation.supports:
        return html(
            '<p class="muted">{why}</p>', why=isolate(citation.not_applicable or "There is no claim.")
        )
    rows = join(
        _claim(number_, one, cards, side, rated=rated) for number_, one in enumerate(citation.supports, 1)
    )
    heads = join(
        html(
            '<th scope="col" aria-sort="{order}">'
            '<button type="button" class="sort" data-sort="{key}">{words}</button></th>',
            order="ascending" if key == "row" else "none",
            key=key,
            words=words,
        )
        for key, words in (("row", "Claim"), ("cites", "Cites"), ("support", "Support"))
    )
    return html(
        '<p class="figures">{figures}</p>'
        '<div class="scroll" tabindex="0" role="region" aria-label="Claims, {side}">'
        '<table class="claims"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>',
        figures=_figures(reward),
        side=side,
        heads=heads,
        rows=rows,
    )


def claim_mark(side: str, row: int) -> str:
    """The id of a claim's row."""
    return f"claim-{side}-{row}"


def _figures(reward: Reward) -> str:
    citation = reward.citation
    parts: Sequence[tuple[str, Aggregate]] = (("precision", citation.precision), ("recall", citation.recall))
    said = [f"{name} {number(one.value)}" for name, one in parts if one.value is not None]
    if citation.validity is not None:
        said.append(f"{percent(citation.validity)} of the cited ids are sources")
    cited = [one for one in citation.supports if one.ids]
    said.insert(0, f"{count(len(cited), 'cited claim')}, {len(citation.supports) - len(cited)} uncited")
    return " · ".join(said)


def _claim(row: int, one: ClaimSupport, cards: Cards, side: str, *, rated: bool) -> Html:
    asked = agree("claims", str(row - 1), one.verdict) if rated else ""
    cites = cards.chips(one.ids, one.text, one) if one.ids else UNCITED
    value = -1.0 if one.verdict.value is None else one.verdict.value
    return html(
        '<tr id="{id}" data-row="{row}" data-cites="{cites_count}" data-support="{value:.4f}">'
        '<td{direction}><span class="muted num-row">{row}</span> {text}</td><td>{cites}</td>'
        "<td>{badge}{reason}{asked}</td></tr>",
        id=claim_mark(side, row),
        row=row,
        cites_count=len(one.ids),
        value=value,
        direction=direction(one.text),
        text=isolate(one.text),
        cites=cites,
        badge=badge(one.verdict),
        reason=reason(one.verdict),
        asked=asked,
    )
