"""How far a run is: its steps, with the time that each took and may take.

The page's script lets the clocks run on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from refiner.domain import GenerationProgress, JudgingProgress, Prepared
from refiner.render.html_text import Html, count, html, isolate, join, seconds

_MIN_RATE_SECONDS = 0.5
"""In less time than this no rate is shown."""
State = Literal["done", "now", "later"]
_STOP = Html(
    '<button type="button" class="plain" data-press="stop" aria-label="Stop this run">Stop '
    "<kbd>Esc</kbd></button>"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run: what it does, in words that are not escaped, and its time.

    ``elapsed`` is the seconds that went by, ``expected`` those expected in all.
    """

    words: str
    state: State = "later"
    elapsed: float | None = None
    expected: float | None = None


def steps(given: Sequence[Step], say: str) -> Html:
    """The steps, with a button to stop. ``say`` is read out, once for as long as it stays the same."""
    items = join(
        html(
            '<li class="{state}"><span>{words}</span>{time}</li>',
            state=one.state,
            words=isolate(one.words),
            time=_time(one),
        )
        for one in given
    )
    return html(
        '<div class="status busy" data-say="{say}"><ol class="steps">{items}</ol>{stop}</div>',
        say=say,
        items=items,
        stop=_STOP,
    )


def _time(step: Step) -> Html:
    if step.elapsed is None:
        return Html()
    if step.state == "done":
        return html(" <time>{elapsed}</time>", elapsed=seconds(step.elapsed))
    about = ""
    if step.expected is not None:
        late = step.elapsed > step.expected
        about = " longer than usual" if late else f" of about {seconds(step.expected)}"
    return html(
        ' <time><span data-clock="{elapsed:.1f}">{time}</span>{about}</time>',
        elapsed=step.elapsed,
        time=seconds(step.elapsed),
        about=about,
    )


def waiting(ahead: int, elapsed: float, expected: float | None) -> Html:
    """How many runs come before the visitor's, and how long that may take, in seconds."""
    words = f"Waiting: {count(ahead, 'run')} before yours"
    return steps((Step(words, "now", elapsed, expected),), words)


def reading(stage: Prepared, sources: int) -> str:
    """What the model reads, in words."""
    trimmed = sum(trim.kept < trim.of for trim in stage.trims)
    left = f", {trimmed} of them shortened" if trimmed else ""
    return f"{count(sources, 'source')}{left}, {count(stage.prompt_tokens, 'token')}"


def writing(stage: GenerationProgress) -> str:
    """How much the model has written, and how fast, in words."""
    usage = stage.usage
    spent = usage.seconds - usage.prefill_seconds
    rate = f", {usage.completion_tokens / spent:.0f} a second" if spent > _MIN_RATE_SECONDS else ""
    return f"{count(usage.completion_tokens, 'token')}{rate}"


def judging(stage: JudgingProgress) -> str:
    """How much is judged already, in words."""
    return f"{stage.done} of {count(stage.total, 'check')}"
