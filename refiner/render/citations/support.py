"""How a verdict looks: judged, estimated, known as a fact, or not scored, told apart by word and shape."""

from refiner.domain import Verdict
from refiner.render.html_text import Html, html, isolate, join, number

_JUDGED = ((0.75, "good", "supported"), (0.25, "fair", "partly supported"), (0.0, "bad", "not supported"))
_LOOK = {"good": "✓", "fair": "◐", "bad": "✕", "open": "○", "none": "–"}


def tone(verdict: Verdict) -> str:
    """``good``, ``fair``, ``bad``, ``open`` or ``none``; an estimate that found no problem leaves it open."""
    if verdict.value is None:
        return "none"
    found = next(name for low, name, _ in _JUDGED if verdict.value >= low)
    return "open" if verdict.basis == "estimated" and found == "good" else found


def words(verdict: Verdict) -> str:
    """The label of a support verdict, unescaped: the judge's own where it has one."""
    if verdict.value is None:
        return "not scored"
    if verdict.label:
        return verdict.label
    if verdict.basis == "estimated":
        return f"estimated {number(verdict.value)}"
    return next(label for low, _, label in _JUDGED if verdict.value >= low)


UNCITED = Html('<span class="flag uncited"><span aria-hidden="true">○</span> uncited</span>')
"""The mark of a sentence that should cite something, and does not."""


def flag(verdict: Verdict) -> Html:
    """The mark behind a claim whose citation does not hold; nothing behind others."""
    if tone(verdict) != "bad":
        return Html()
    return html(
        '<span class="flag bad"><span aria-hidden="true">✕</span><span class="sr"> {label}</span></span>',
        label=isolate(words(verdict)),
    )


def agree(kind: str, key: str, verdict: Verdict) -> Html:
    """Two buttons to say whether one agrees with a verdict; nothing where there is none. The script collects them."""
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


def badge(verdict: Verdict) -> Html:
    """A support verdict as a badge: a shape, the label, and how it came about."""
    look = tone(verdict)
    basis = verdict.basis if verdict.value is not None else "unscored"
    how = html(' <span class="how">{basis}</span>', basis=basis) if basis in {"estimated", "fact"} else ""
    return html(
        '<span class="badge {look} {basis}"><span aria-hidden="true">{shape}</span> {label}{how}</span>',
        look=look,
        basis=basis,
        shape=_LOOK[look],
        label=isolate(words(verdict)),
        how=how,
    )
