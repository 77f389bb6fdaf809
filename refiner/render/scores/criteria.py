"""The criteria of both answers: their values as bars, and the judge's reasons."""

from refiner.domain import Criterion, Reward, Verdict
from refiner.render.html_text import Html, html, isolate, join, number, percent
from refiner.render.scores import comparison
from refiner.render.scores.comparison import SIDE_NAMES, CriterionPair
from refiner.render.verdicts import agreement_buttons, verdict_reason


def criteria_list(
    before: Reward, after: Reward, names: tuple[str, str] = SIDE_NAMES, *, rated: bool = False
) -> Html:
    """Each criterion: both values as bars, the reasons and how sure the judge was, or why it was not scored.

    ``rated`` adds the buttons that ask whether the visitor agrees with the verdict on the refined answer.
    """
    pairs = comparison.criterion_pairs(before, after)
    reasons = {pair.after.reason for pair in pairs if pair.after.value is None}
    unscored = len(pairs) > 0 and all(pair.after.value is None for pair in pairs) and len(reasons) == 1
    why = (
        html('<p class="note why"><b>Not scored.</b> {reason}</p>', reason=isolate(reasons.pop()))
        if unscored
        else ""
    )
    rows = join(_criterion(pair, names, reason_above=unscored, rated=rated) for pair in pairs)
    return html('{why}<ul class="criteria">{rows}</ul>', why=why, rows=rows)


def _criterion(pair: CriterionPair, names: tuple[str, str], *, reason_above: bool, rated: bool) -> Html:
    one = pair.criterion
    tags = {"fault": one.polarity == "negative", "suggested": one.origin == "generated"}
    shown = join(
        (html('<span class="tag">{name}</span>', name=name) for name, there in tags.items() if there), " "
    )
    looks = () if reason_above else ("hollow", "")
    bars = join(
        _bar(*each) for each in zip(names, (one, one), (pair.before, pair.after), looks, strict=False)
    )
    buttons = agreement_buttons("criteria", one.id, pair.after) if rated else ""
    return html(
        '<li><div class="criterion-words">'
        '<b>{title}</b> {shown}<span class="muted">weight {weight:g}</span><p>{description}</p>'
        '</div><div class="bars">{bars}{buttons}</div></li>',
        title=isolate(one.title),
        shown=shown,
        weight=one.weight,
        description=isolate(one.description),
        bars=bars,
        buttons=buttons,
    )


def _bar(side: str, one: Criterion, verdict: Verdict | None, kind: str) -> Html:
    value = comparison.value_after_polarity(one, verdict)
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
        reason=verdict_reason(verdict),
    )
