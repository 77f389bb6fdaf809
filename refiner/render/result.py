"""The result's whole: what is seen before a run, while it writes, and when it is finished."""

from collections.abc import Sequence

from refiner.diff import compare
from refiner.domain import (
    Criterion,
    Finding,
    JudgingProgress,
    ModelInfo,
    Refinement,
    Request,
    Reward,
    Side,
    Source,
)
from refiner.formats import answer as answers
from refiner.judges.quality import Quality
from refiner.render.changes import diff
from refiner.render.citations import sources
from refiner.render.citations.cards import Cards
from refiner.render.html_text import count, direction, isolate, link, seconds, show
from refiner.render.scores import judge_quality, panel

CARD_URL = "https://huggingface.co/lihaoxin2020/qwen3-4B-refiner-rubric-rl-step50"
_ENDS = {"end": "", "": "", "stopped": "stopped by you", "budget": "ended at the token limit"}


def model_line(model: ModelInfo, *, ready: bool = True, problem: str = "") -> str:
    """Which model writes, for the top of the page; plainly so where it is not the refiner or cannot write."""
    state = "" if ready else f' <span class="loading">{"not loaded" if problem else "loading…"}</span>'
    other = "" if model.is_refiner else ' <span class="tag warn">not the refiner</span>'
    return f'<p class="model">Writes: <b>{isolate(model.name)}</b>{other}{state}</p>'


def model_note(model: ModelInfo, *, quotes: bool = False, problem: str = "") -> str:
    """What to know, and to do, where another model than the refiner writes, or none can; else nothing.

    ``quotes`` says that it quotes sentences rather than writing its own.
    """
    if problem:
        return f'<div class="notice" role="alert"><p>{isolate(problem)}</p></div>'
    if model.is_refiner:
        return ""
    expect = ": expect quotes rather than prose" if quotes else ""
    return (
        f'<div class="notice" role="note"><p><b>{isolate(model.name)}</b> writes in place of the refiner. It is held '
        f"to the same form (every citation is a given source) but was not trained to refine{expect}. The refiner is "
        f"{link(CARD_URL, 'qwen3-4B-refiner-rubric-rl-step50')}: on a machine with a GPU, start with "
        "<code>REFINER_MODEL=lihaoxin2020/qwen3-4B-refiner-rubric-rl-step50</code>.</p></div>"
    )


def empty() -> str:
    """What the result's place says before the first run."""
    steps = (
        ("Paste", "A question, a draft, and the sources behind it. Or take an example."),
        ("Refine", "The draft is rewritten as it streams; every claim can cite only the sources given."),
        ("Check", "See each change, open each citation at its passage, compare the scores, and rate."),
    )
    items = "".join(
        f'<li><span class="num" aria-hidden="true">{n}</span><div><b>{name}</b><p>{words}</p></div></li>'
        for n, (name, words) in enumerate(steps, 1)
    )
    return f'<div class="empty"><h2>The refined answer appears here</h2><ol>{items}</ol></div>'


def status(words: str, kind: str = "info", about: str = "") -> str:
    """One sentence on how things stand; ``kind`` is info, busy, good or error, ``about`` the field it is about.

    ``data-say`` is what the page's script reads out.
    """
    named = f' data-field="{show(about)}"' if about else ""
    return (
        f'<p class="status {show(kind)}" data-say="{show(words)}"{named}>{isolate(words)}</p>'
        if words
        else ""
    )


def waiting() -> str:
    """The sheet before its first word."""
    return (
        '<article class="result busy"><section class="sheet"><h2>Refined answer</h2>'
        '<div class="prose"><span class="caret" aria-hidden="true"></span></div></section></article>'
    )


def writing(text: str, request: Request, *, over: bool = False) -> str:
    """The text so far, to read, citations as chips already; ``over`` where no more will come."""
    cards = Cards(request.sources, "")
    read = answers.parse(text, [source.id for source in request.sources])
    busy, caret = ("", "") if over else (" busy", '<span class="caret" aria-hidden="true"></span>')
    name = "What was written so far" if over else "Refined answer"
    return (
        f'<article class="result{busy}"><section class="sheet"><h2>{name}</h2>'
        f'<div class="prose"{direction(read.text)}>{diff.prose(read, cards)}{caret}</div></section></article>'
    )


def judging(stage: JudgingProgress, request: Request) -> str:
    """The diff, while the scores are still being made."""
    cards = Cards(request.sources, "j")
    body = diff.views(stage.changes, stage.answer, cards)
    return f'<article class="result busy"><section class="sheet"><h2>What changed</h2>{body}</section>{cards.html()}</article>'


def covered() -> str:
    """What stands in the result's place while a run to be rated blind goes on."""
    return (
        '<article class="result busy"><section class="sheet"><h2>Two answers</h2><p class="muted">Both appear here '
        "when they are there, and which is which once you have voted.</p></section></article>"
    )


def blind(run: Refinement, left: Side) -> str:
    """Draft and refined answer beside each other, without names, scores and verdicts."""
    cards = Cards(run.request.sources, "b")
    answers = (run.draft, run.answer) if left == "draft" else (run.answer, run.draft)
    halves = "".join(
        f'<div class="half"><h3>{name}</h3><div class="prose"{direction(one.text)}>{diff.prose(one, cards)}</div></div>'
        for name, one in zip(("Left", "Right"), answers, strict=True)
    )
    body = (
        '<p class="muted">One is the draft, the other the refined answer. Vote, and it is told.</p>'
        f'<div class="pair blind">{halves}</div>'
    )
    return f'<article class="result">{_sheet("Two answers", body)}{cards.html()}</article>'


def finished(run: Refinement, judged: Quality | None = None, note: str = "", *, rated: bool = False) -> str:
    """Everything known of a finished run; ``judged`` is what is known of its judge, ``note`` stands on top.

    ``rated`` adds what asks whether one agrees with the judge.
    """
    cards = Cards(run.request.sources, "f")
    before, after = run.draft_reward, run.reward
    told = f'<p class="note">{isolate(note)}</p>' if note else ""
    odd = findings("Oddities in the refined answer", run.answer.findings)
    odd += findings("Oddities in the draft", run.draft.findings)
    parts = (
        _sheet("", f"{told}{_made_by(run)}{panel.panel(before, after)}"),
        _sheet("What changed", diff.views(run.changes, run.answer, cards, (before, after))),
        _sheet("Claims", judge_quality.error_rates(judged) + _claims(before, after, cards, rated=rated)),
        _sheet("Criteria", panel.criteria(before, after, rated=rated)),
        _sheet("Sources", sources.panel(run)),
        f'<details class="sheet"><summary>How this was made</summary>{panel.scale(run)}{_record(run)}{odd}</details>',
    )
    return f'<article class="result">{"".join(parts)}{cards.html()}</article>'


def compared(runs: tuple[Refinement, Refinement], made: tuple[str, str]) -> str:
    """Two runs' refined answers beside each other, with the scores of both; ``made`` says when each was."""
    first, second = runs
    names = ("Earlier", "Later")
    same = first.request.sources == second.request.sources
    cards = Cards(second.request.sources, "f")
    left = cards if same else Cards(first.request.sources, "e")
    rewards = (first.reward, second.reward)
    lines = "".join(
        _made_by(run, f"{name}, {when}. ") for name, when, run in zip(names, made, runs, strict=True)
    )
    changes = compare(first.answer, second.answer)
    parts = (
        _sheet("Two runs", f"{lines}{_unlike(first, second)}{panel.panel(*rewards, names)}"),
        _sheet("How they differ", diff.views(changes, second.answer, cards, rewards, names, left=left)),
        _sheet("Criteria", panel.criteria(*rewards, names)),
    )
    return f'<article class="result">{"".join(parts)}{cards.html()}{"" if same else left.html()}</article>'


def _unlike(first: Refinement, second: Refinement) -> str:
    """What makes two runs hard to compare."""
    told = (
        ("They answer different questions.", first.request.question != second.request.question),
        (
            "Their sources differ, and with them the numbers of the citations.",
            first.request.sources != second.request.sources,
        ),
        ("Different judges scored them: the scores do not compare.", first.judge != second.judge),
    )
    return "".join(f'<p class="note">{words}</p>' for words, so in told if so)


def _sheet(title: str, body: str) -> str:
    head = f"<h2>{title}</h2>" if title else '<h2 class="sr">Scores</h2>'
    return f'<section class="sheet">{head}{body}</section>'


def _claims(before: Reward, after: Reward, cards: Cards, *, rated: bool) -> str:
    n = len(before.citation.supports)
    return (
        f"{panel.claims(after, cards, rated=rated)}<details><summary>Claims of the draft ({n})</summary>"
        f"{panel.claims(before, cards, 'draft')}</details>"
    )


def _made_by(run: Refinement, name: str = "") -> str:
    ended = _ENDS[run.usage.ended]
    told = f' <span class="tag warn">{ended}</span>' if ended else ""
    other = "" if run.model.is_refiner else ", not the refiner"
    return (
        f'<p class="made">{isolate(name) if name else ""}Written by <b>{isolate(run.model.name)}</b>{other} · scored by '
        f"<b>{isolate(run.judge)}</b> · {count(run.usage.completion_tokens, 'token')} in "
        f"{seconds(run.usage.seconds)}{told}</p>"
    )


def _record(run: Refinement) -> str:
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
    return '<dl class="facts">' + "".join(f"<dt>{a}</dt><dd>{isolate(b)}</dd>" for a, b in rows) + "</dl>"


def findings(title: str, found: Sequence[Finding]) -> str:
    """What had to be repaired in reading a text; nothing where nothing had to be."""
    if not found:
        return ""
    items = "".join(
        f"<li>{f'Line {one.line}: ' if one.line else ''}{isolate(one.message)}</li>" for one in found
    )
    return f'<div class="findings"><h3>{isolate(title)}</h3><ul>{items}</ul></div>'


def read_note(given: Sequence[Source], found: Sequence[Finding], place: str = "") -> str:
    """Which sources were read from a field, as one types."""
    if not given and not found:
        return '<p class="read-note muted">No sources yet.</p>'
    ids = ", ".join(source.id for source in given[:12]) + (" …" if len(given) > 12 else "")  # noqa: PLR2004 - a line's worth
    head = (
        f'<p class="read-note"><b>{count(len(given), "source")}</b> read{f" {place}" * bool(place)}: {isolate(ids)}</p>'
        if given
        else ""
    )
    return head + findings("Worth a look", found)


def rubric_note(given: Sequence[Criterion], wrong: Sequence[Finding]) -> str:
    """What the rubric's table holds, as one types: each cell that cannot be read, or how the weights compare."""
    if wrong:
        items = "".join(f"<li>Row {one.line}: {isolate(one.message)}</li>" for one in wrong)
        return f'<ul class="read-note wrong" role="alert">{items}</ul>'
    if not given:
        return ""
    weights = sorted(one.weight for one in given)
    faults = sum(one.polarity == "negative" for one in given)
    spread = f", weights from {weights[0]:g} to {weights[-1]:g}" if weights[0] < weights[-1] else ""
    of_it = f", {count(faults, 'fault')} among them" if faults else ""
    said = count(len(given), "criterion", "criteria")
    return f'<p class="read-note"><b>{said}</b>{of_it}{spread}, beside the standing ones</p>'
