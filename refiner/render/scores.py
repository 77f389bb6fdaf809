"""The scores of draft and refined answer: the panel of figures, the criteria, the claims."""

from collections.abc import Iterable, Mapping, Sequence

from refiner.domain import Aggregate, Basis, ClaimSupport, Criterion, Mix, Refinement, Reward, Verdict
from refiner.render.cards import Cards
from refiner.render.support import badge
from refiner.render.text import count, isolate, number, percent, show
from refiner.rewards import VERIFICATION_REWARD, W, training_scale


def panel(run: Refinement) -> str:
    """Score, rubric and citation figures of both answers, each with its interval and how it was made."""
    before, after = run.draft_reward, run.reward
    rows = "".join(
        (
            _row("Score", before.total, after.total, after.basis, lead=True),
            _row("Citations, F1", before.citation.f1, after.citation.f1, after.citation.basis),
            _row("Rubric", before.rubric.total, after.rubric.total, _rubric_basis(after)),
        )
    )
    notes = [
        f"{side}: {reward.reason}"
        for side, reward in (("Draft", before), ("Refined", after))
        if reward.total.value is None and reward.reason
    ]
    if len(notes) == 2 and before.reason == after.reason:  # noqa: PLR2004 - both sides
        notes = [after.reason]
    partly = "".join(f'<p class="note"><b>Partly scored.</b> {isolate(note)}</p>' for note in notes)
    return (
        '<table class="scores"><caption class="sr">Scores from 0 to 1, of the draft and of the refined answer'
        '</caption><thead><tr><th scope="col"><span class="sr">Figure</span></th><th scope="col">Draft</th>'
        '<th scope="col">Refined</th><th scope="col" class="wide">'
        '<span aria-hidden="true"><i class="dot hollow"></i> draft <i class="dot"></i> refined '
        '<i class="band"></i> could be</span><span class="sr">Range</span></th>'
        f'<th scope="col"><span class="sr">How it was made</span></th></tr></thead><tbody>{rows}</tbody></table>'
        f"{partly}"
    )


def _rubric_basis(reward: Reward) -> Basis:
    bases = {verdict.basis for _, verdict in reward.rubric.verdicts if verdict.value is not None}
    return "estimated" if "estimated" in bases else "judged"


def _row(name: str, before: Aggregate, after: Aggregate, basis: Basis, *, lead: bool = False) -> str:
    scored = before.value is not None or after.value is not None
    how = show(basis) if scored else "partly scored" if after.coverage > 0 else "not scored"
    return (
        f'<tr class="{"lead" if lead else "part"}"><th scope="row">{name}</th>'
        f"<td>{_figure(before)}</td><td>{_figure(after)}</td>"
        f'<td class="wide">{_track(before, after)}</td>'
        f'<td><span class="basis {how.replace(" ", "-")}">{how}</span></td></tr>'
    )


def _figure(one: Aggregate) -> str:
    if one.value is not None:
        open_end = one.hi - one.lo >= 0.005  # noqa: PLR2004 - narrower would round to one figure
        span = f"<small>{number(one.lo)}–{number(one.hi)}</small>" if open_end else ""
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
    "weighted": f"(rubric + {W} × citation F1) / {1 + W}",
    "convex": f"{1 - W} × rubric + {W} × citation F1",
}


def scale(run: Refinement) -> str:
    """How the score was made, in words, and the same on the scale of training."""
    values = (run.draft_reward.total.value, run.reward.total.value)
    trained = " → ".join("?" if value is None else number(training_scale(value)) for value in values)
    return (
        f"<p>Score = {_FORMULA[run.reward.mix]}, from 0 to 1. It is this app’s score: the training code of "
        f"this checkpoint is not public, its card names the parts and the weight {W}. On the scale of training "
        f"(× {VERIFICATION_REWARD:.0f}) this run reads <b>{trained}</b>; GRPO standardises rewards within a group, so the "
        "factor has no effect there. A criterion is judged 0, 1 or 2, divided by 2; a fault counts 1 minus that.</p>"
        "<p>What was <b>judged</b>, <b>estimated</b> and <b>not scored</b> is never mixed: what could not be scored "
        "widens the range instead of counting as zero, and a total shows only when 80% of both parts are scored.</p>"
    )


def criteria(before: Reward, after: Reward) -> str:
    """Each criterion with both scores as bars and the reason; those not scored say why."""
    left = {criterion.id: verdict for criterion, verdict in before.rubric.verdicts}
    pairs = [(one, left.get(one.id), verdict) for one, verdict in after.rubric.verdicts]
    reasons = {verdict.reason for _, verdict in after.rubric.verdicts if verdict.value is None}
    unscored = len(pairs) > 0 and all(verdict.value is None for _, _, verdict in pairs) and len(reasons) == 1
    why = f'<p class="note"><b>Not scored.</b> {isolate(reasons.pop())}</p>' if unscored else ""
    rows = "".join(_criterion(one, first, second, said=unscored) for one, first, second in pairs)
    return f'{why}<ul class="criteria">{rows}</ul>'


def _criterion(one: Criterion, before: Verdict | None, after: Verdict, *, said: bool) -> str:
    tags = {"fault": one.polarity == "negative", "suggested": one.origin == "generated"}
    shown = " ".join(f'<span class="tag">{name}</span>' for name, there in tags.items() if there)
    bars = "" if said else _bar("Draft", one, before, "hollow") + _bar("Refined", one, after, "")
    reason = "" if said or after.value is None else f'<p class="reason">{isolate(after.reason)}</p>'
    return (
        f'<li><div class="criterion-words"><b>{isolate(one.title)}</b> {shown}'
        f'<span class="muted">weight {one.weight:g}</span><p>{isolate(one.description)}</p></div>'
        f'<div class="bars">{bars}{reason}</div></li>'
    )


def _bar(side: str, one: Criterion, verdict: Verdict | None, kind: str) -> str:
    if verdict is None or verdict.value is None:
        why = verdict.reason if verdict else "no verdict"
        return f'<p class="bar-row"><span>{side}</span><span class="unscored">not scored: {isolate(why)}</span></p>'
    value = verdict.value if one.polarity == "positive" else 1 - verdict.value
    how = ' <span class="how">estimated</span>' if verdict.basis == "estimated" else ""
    return (
        f'<p class="bar-row"><span>{side}</span><span class="bar" aria-hidden="true">'
        f'<i class="{kind}" style="width:{percent(value)}"></i></span><b>{number(value)}</b>{how}</p>'
    )


def claims(reward: Reward, cards: Cards) -> str:
    """What needs a citation, with what it cites and how well that supports it."""
    citation = reward.citation
    if not citation.supports:
        return f'<p class="muted">{isolate(citation.not_applicable or "There is no claim.")}</p>'
    rows = "".join(_claim(number_, one, cards) for number_, one in enumerate(citation.supports, 1))
    return (
        f'<p class="figures">{_figures(reward)}</p><div class="scroll" tabindex="0" role="region"'
        ' aria-label="Claims"><table class="claims"><thead><tr><th scope="col">Claim</th>'
        '<th scope="col">Cites</th><th scope="col">Support</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _figures(reward: Reward) -> str:
    citation = reward.citation
    parts: Sequence[tuple[str, Aggregate]] = (("precision", citation.precision), ("recall", citation.recall))
    said = [f"{name} {number(one.value)}" for name, one in parts if one.value is not None]
    if citation.validity is not None:
        said.append(f"{percent(citation.validity)} of the cited ids are sources")
    cited = [one for one in citation.supports if one.ids]
    said.insert(0, f"{count(len(cited), 'cited claim')}, {len(citation.supports) - len(cited)} uncited")
    return " · ".join(said)


def _claim(row: int, one: ClaimSupport, cards: Cards) -> str:
    cites = cards.chips(one.ids, one.text, one) if one.ids else '<span class="muted">nothing</span>'
    flags = _flags(one.verdict.flags)
    return (
        f'<tr><td dir="auto"><span class="muted num-row">{row}</span> {isolate(one.text)}</td><td>{cites}</td>'
        f'<td>{badge(one.verdict)}<p class="reason">{isolate(one.verdict.reason)}{flags}</p></td></tr>'
    )


def _flags(flags: Iterable[str]) -> str:
    return "".join(f' <span class="tag">{isolate(flag)}</span>' for flag in flags)
