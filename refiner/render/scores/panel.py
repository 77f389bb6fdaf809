"""The scores of draft and refined answer: the panel of figures, the criteria, the claims."""

from collections.abc import Mapping, Sequence

from refiner.domain import Aggregate, ClaimSupport, Criterion, Mix, Refinement, Reward, Verdict
from refiner.render.citations.cards import Cards
from refiner.render.citations.support import UNCITED, agree, badge
from refiner.render.html_text import count, direction, isolate, number, percent
from refiner.render.scores import figures
from refiner.render.scores.figures import NAMES, Pair, Row
from refiner.scoring.rewards import CITATION_WEIGHT, VERIFICATION_REWARD, training_scale


def panel(before: Reward, after: Reward, names: tuple[str, str] = NAMES) -> str:
    """Score, rubric and citation figures of both answers, each with its interval and how it was made."""
    rows = "".join(_row(row, lead=place == 0) for place, row in enumerate(figures.rows(before, after)))
    partly = "".join(
        f'<p class="note"><b>Partly scored.</b> {isolate(why)}</p>'
        for why in figures.partly(before, after, names)
    )
    left, right = map(isolate, names)
    return (
        '<table class="scores"><caption class="sr">Scores from 0 to 1, of both answers'
        f'</caption><thead><tr><th scope="col"><span class="sr">Figure</span></th><th scope="col">{left}</th>'
        f'<th scope="col">{right}</th><th scope="col" class="wide">'
        f'<span aria-hidden="true"><i class="dot hollow"></i> {left} <i class="dot"></i> {right} '
        '<i class="band"></i> could be</span><span class="sr">Range</span></th>'
        f'<th scope="col"><span class="sr">How it was made</span></th></tr></thead><tbody>{rows}</tbody></table>'
        f"{partly}"
    )


def _row(row: Row, *, lead: bool) -> str:
    return (
        f'<tr class="{"lead" if lead else "part"}"><th scope="row">{row.name}</th>'
        f"<td>{_figure(row.before)}</td><td>{_figure(row.after)}</td>"
        f'<td class="wide">{_track(row.before, row.after)}</td>'
        f'<td><span class="basis {row.how.replace(" ", "-")}">{row.how}</span></td></tr>'
    )


def _figure(one: Aggregate) -> str:
    if one.value is not None:
        span = f"<small>{number(one.lo)}–{number(one.hi)}</small>" if figures.is_open(one) else ""
        return f"<b>{number(one.value)}</b>{span}"
    if one.n == 0:
        return '<span class="muted">none</span>'
    return f'<span class="open">{number(one.lo)}–{number(one.hi)}</span>'


def _track(before: Aggregate, after: Aggregate) -> str:
    return f'<div class="track" aria-hidden="true">{_lane(before, "hollow")}{_lane(after, "")}</div>'


def _lane(one: Aggregate, kind: str) -> str:
    dot = f'<i class="dot {kind}" style="left:{percent(one.value)}"></i>' if one.value is not None else ""
    band = ""
    if one.n and one.hi > one.lo:
        band = f'<i class="band" style="left:{percent(one.lo)};width:{percent(one.hi - one.lo)}"></i>'
    return f'<span class="lane">{band}{dot}</span>'


_FORMULA: Mapping[Mix, str] = {
    "weighted": f"(rubric + {CITATION_WEIGHT} × citation F1) / {1 + CITATION_WEIGHT}",
    "convex": f"{1 - CITATION_WEIGHT} × rubric + {CITATION_WEIGHT} × citation F1",
}


def scale(run: Refinement) -> str:
    """How the score was made, in words, and the same on the scale of training."""
    values = (run.draft_reward.total.value, run.reward.total.value)
    trained = " → ".join("?" if value is None else number(training_scale(value)) for value in values)
    return (
        f"<p>Score = {_FORMULA[run.reward.mix]}, from 0 to 1. It is this app’s score: the training code of "
        f"this checkpoint is not public, its card names the parts and the weight {CITATION_WEIGHT}. On the scale of training "
        f"(× {VERIFICATION_REWARD:.0f}) this run reads <b>{trained}</b>; GRPO standardises rewards within a group, so the "
        "factor has no effect there. A criterion is judged 0, 1 or 2, divided by 2; a fault counts 1 minus that.</p>"
        "<p>What was <b>judged</b>, <b>estimated</b> and <b>not scored</b> is never mixed: what could not be scored "
        "widens the range instead of counting as zero, and a total shows only when 80% of both parts are scored.</p>"
    )


def criteria(before: Reward, after: Reward, names: tuple[str, str] = NAMES, *, rated: bool = False) -> str:
    """Each criterion with both scores as bars, the reasons, and how sure the judge was; those not scored say why.

    ``rated`` adds what asks whether one agrees with the verdict on the refined answer.
    """
    pairs = figures.pairs(before, after)
    reasons = {pair.after.reason for pair in pairs if pair.after.value is None}
    unscored = len(pairs) > 0 and all(pair.after.value is None for pair in pairs) and len(reasons) == 1
    why = f'<p class="note why"><b>Not scored.</b> {isolate(reasons.pop())}</p>' if unscored else ""
    rows = "".join(_criterion(pair, names, said=unscored, rated=rated) for pair in pairs)
    return f'{why}<ul class="criteria">{rows}</ul>'


def _criterion(pair: Pair, names: tuple[str, str], *, said: bool, rated: bool) -> str:
    one = pair.criterion
    tags = {"fault": one.polarity == "negative", "suggested": one.origin == "generated"}
    shown = " ".join(f'<span class="tag">{name}</span>' for name, there in tags.items() if there)
    looks = () if said else ("hollow", "")
    bars = "".join(
        _bar(*each) for each in zip(names, (one, one), (pair.before, pair.after), looks, strict=False)
    )
    asked = agree("criteria", one.id, pair.after) if rated else ""
    return (
        f'<li><div class="criterion-words"><b>{isolate(one.title)}</b> {shown}'
        f'<span class="muted">weight {one.weight:g}</span><p>{isolate(one.description)}</p></div>'
        f'<div class="bars">{bars}{asked}</div></li>'
    )


def _bar(side: str, one: Criterion, verdict: Verdict | None, kind: str) -> str:
    value = figures.counted(one, verdict)
    if verdict is None or value is None:
        why = verdict.reason if verdict else "no verdict"
        return f'<p class="bar-row"><span>{isolate(side)}</span><span class="unscored">not scored: {isolate(why)}</span></p>'
    how = ' <span class="how">estimated</span>' if verdict.basis == "estimated" else ""
    return (
        f'<p class="bar-row"><span>{isolate(side)}</span><span class="bar" aria-hidden="true">'
        f'<i class="{kind}" style="width:{percent(value)}"></i></span><b>{number(value)}</b>{how}</p>{reason(verdict)}'
    )


def reason(verdict: Verdict) -> str:
    """Why, what was noticed, and how sure the judge was, where it said so."""
    flags = "".join(f' <span class="tag">{isolate(flag)}</span>' for flag in verdict.flags)
    sure = (
        ""
        if verdict.confidence is None
        else f' <span class="tag faint">confidence {percent(verdict.confidence)}</span>'
    )
    if not (verdict.reason or flags or sure):
        return ""
    return f'<p class="reason">{isolate(verdict.reason)}{flags}{sure}</p>'


def claims(reward: Reward, cards: Cards, side: str = "refined", *, rated: bool = False) -> str:
    """What needs a citation, with what it cites and how well that supports it; the columns can be sorted.

    ``rated`` adds what asks whether one agrees with the verdict.
    """
    citation = reward.citation
    if not citation.supports:
        return f'<p class="muted">{isolate(citation.not_applicable or "There is no claim.")}</p>'
    rows = "".join(
        _claim(number_, one, cards, side, rated=rated) for number_, one in enumerate(citation.supports, 1)
    )
    heads = "".join(
        f'<th scope="col" aria-sort="{"ascending" if key == "row" else "none"}">'
        f'<button type="button" class="sort" data-sort="{key}">{words}</button></th>'
        for key, words in (("row", "Claim"), ("cites", "Cites"), ("support", "Support"))
    )
    return (
        f'<p class="figures">{_figures(reward)}</p><div class="scroll" tabindex="0" role="region"'
        f' aria-label="Claims, {side}"><table class="claims"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
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


def _claim(row: int, one: ClaimSupport, cards: Cards, side: str, *, rated: bool) -> str:
    asked = agree("claims", str(row - 1), one.verdict) if rated else ""
    cites = cards.chips(one.ids, one.text, one) if one.ids else UNCITED
    value = -1.0 if one.verdict.value is None else one.verdict.value
    return (
        f'<tr id="{claim_mark(side, row)}" data-row="{row}" data-cites="{len(one.ids)}" data-support="{value:.4f}">'
        f'<td{direction(one.text)}><span class="muted num-row">{row}</span> {isolate(one.text)}</td><td>{cites}</td>'
        f"<td>{badge(one.verdict)}{reason(one.verdict)}{asked}</td></tr>"
    )
