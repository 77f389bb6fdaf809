"""Who wrote and scored a run, how long it took, and with which settings."""

from refiner.domain import Refinement
from refiner.render.html_text import Html, count, html, isolate, join, seconds

_EARLY_ENDS = {"end": "", "": "", "stopped": "stopped by you", "budget": "ended at the token limit"}


def made_by(run: Refinement, name: str = "") -> Html:
    """Who wrote and scored a run, how much was written in what time, and why it ended early.

    ``name`` comes first.
    """
    ended = _EARLY_ENDS[run.usage.ended]
    early = html(' <span class="tag warn">{ended}</span>', ended=ended) if ended else ""
    other = "" if run.model.is_refiner else ", not the refiner"
    return html(
        '<p class="made">{before}Written by <b>{model}</b>{other} · scored by '
        "<b>{judge}</b> · {tokens} in {seconds}{early}</p>",
        before=isolate(name) if name else "",
        model=isolate(run.model.name),
        other=other,
        judge=isolate(run.judge),
        tokens=count(run.usage.completion_tokens, "token"),
        seconds=seconds(run.usage.seconds),
        early=early,
    )


def run_record(run: Refinement) -> Html:
    """The settings of a run, and what it took, as a list."""
    usage = run.usage
    rows = (
        ("Model", f"{run.model.name} {run.model.detail}".strip()),
        ("Prompt", f"{run.prompt_version}, {count(usage.prompt_tokens, 'token')}"),
        ("Form", run.form),
        ("Seed", "none" if run.seed is None else str(run.seed)),
        (
            "Written",
            f"{count(usage.completion_tokens, 'token')} in {count(usage.forward_passes, 'pass', 'passes')}"
            + (f", {usage.guessed_tokens:,} of them guessed ahead" if usage.guessed_tokens else ""),
        ),
        ("Time", f"{seconds(usage.seconds)}, of it {seconds(usage.prefill_seconds)} reading the prompt"),
    )
    items = join(
        html("<dt>{name}</dt><dd>{value}</dd>", name=name, value=isolate(value)) for name, value in rows
    )
    return html('<dl class="facts">{items}</dl>', items=items)


def comparison_caveats(first: Refinement, second: Refinement) -> Html:
    """What makes two runs hard to compare."""
    caveats = (
        ("They answer different questions.", first.request.question != second.request.question),
        (
            "Their sources differ, and with them the numbers of the citations.",
            first.request.sources != second.request.sources,
        ),
        ("Different judges scored them: the scores do not compare.", first.judge != second.judge),
    )
    return join(html('<p class="note">{words}</p>', words=words) for words, applies in caveats if applies)
