"""How a verdict looks.

Words and shapes tell apart what was judged, estimated, known as a fact, and not scored.
"""

from refiner.domain import Verdict
from refiner.render.html_text import Html, html, isolate, join, number, percent
from refiner.scoring.verdict_levels import NO_BELOW, YES_FROM

_LEVELS = (
    (YES_FROM, "good", "supported"),
    (NO_BELOW, "fair", "partly supported"),
    (0.0, "bad", "not supported"),
)
"""The value from which on a level applies, its tone, and its label."""
_SHAPES = {"good": "✓", "fair": "◐", "bad": "✕", "open": "○", "none": "–"}


def verdict_tone(verdict: Verdict) -> str:
    """``good``, ``fair``, ``bad``, ``open`` or ``none``.

    An estimate that found no problem is ``open``, not ``good``.
    """
    if verdict.value is None:
        return "none"
    found = next(name for low, name, _ in _LEVELS if verdict.value >= low)
    return "open" if verdict.basis == "estimated" and found == "good" else found


def support_label(verdict: Verdict) -> str:
    """The label of a support verdict, not escaped. The judge's own label comes first."""
    if verdict.value is None:
        return "not scored"
    if verdict.label:
        return verdict.label
    if verdict.basis == "estimated":
        return f"estimated {number(verdict.value)}"
    return next(label for low, _, label in _LEVELS if verdict.value >= low)


UNCITED_MARK = Html('<span class="flag uncited"><span aria-hidden="true">○</span> uncited</span>')
"""The mark of a sentence that should cite something but does not."""


def unsupported_mark(verdict: Verdict) -> Html:
    """The mark behind a claim whose citation does not support it. Nothing behind other claims."""
    if verdict_tone(verdict) != "bad":
        return Html()
    return html(
        '<span class="flag bad"><span aria-hidden="true">✕</span><span class="sr"> {label}</span></span>',
        label=isolate(support_label(verdict)),
    )


def agreement_buttons(kind: str, key: str, verdict: Verdict) -> Html:
    """Two buttons that ask whether the visitor agrees with a verdict. Nothing if it has no value.

    The page's script collects the presses. ``kind`` and ``key`` say which verdict is meant.
    """
    if verdict.value is None:
        return Html()
    buttons = join(
        html(
            '<button type="button" class="plain" data-agree="{kind}" data-key="{key}" '
            'data-value="{value}" aria-pressed="false">{words}</button>',
            kind=kind,
            key=key,
            value=value,
            words=words,
        )
        for value, words in (("true", "Agree"), ("false", "Disagree"))
    )
    return html(
        '<span class="agree" role="group" aria-label="Do you agree with this verdict?">{buttons}</span>',
        buttons=buttons,
    )


def support_badge(verdict: Verdict) -> Html:
    """A support verdict as a badge: a shape, its label, and whether it is an estimate or a fact."""
    look = verdict_tone(verdict)
    basis = verdict.basis if verdict.value is not None else "unscored"
    how = html(' <span class="how">{basis}</span>', basis=basis) if basis in {"estimated", "fact"} else ""
    return html(
        '<span class="badge {look} {basis}"><span aria-hidden="true">{shape}</span> {label}{how}</span>',
        look=look,
        basis=basis,
        shape=_SHAPES[look],
        label=isolate(support_label(verdict)),
        how=how,
    )


def verdict_reason(verdict: Verdict) -> Html:
    """The judge's reason, what it noticed, and how sure it was. Nothing if it said none of these."""
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
