"""The result's whole: what is seen before a run, while it writes, and when it is finished."""

from collections.abc import Sequence

from refiner import answer as answers
from refiner.domain import (
    Answer,
    Finding,
    Judging,
    ModelInfo,
    Prepared,
    Refinement,
    Request,
    Source,
    Trim,
    Writing,
)
from refiner.judges.quality import Quality
from refiner.render import diff, quality, scores
from refiner.render.cards import Cards, passage, where
from refiner.render.text import count, isolate, link, percent, seconds, show

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


def status(words: str, kind: str = "info") -> str:
    """One sentence on how things stand; ``kind`` is info, busy, good or error.

    ``data-say`` is what the page's script reads out: the step alone, not each count.
    """
    say = words.partition(":")[0] if kind == "busy" else words
    return f'<p class="status {show(kind)}" data-say="{show(say)}">{isolate(words)}</p>' if words else ""


def progress(stage: Prepared | Writing | Judging) -> str:
    """How far a run is, in words, unescaped."""
    if isinstance(stage, Prepared):
        trimmed = sum(trim.kept < trim.of for trim in stage.trims)
        left = f", {count(trimmed, 'source')} shortened" if trimmed else ""
        return f"Reading the prompt: {count(stage.prompt_tokens, 'token')}{left}"
    if isinstance(stage, Writing):
        usage = stage.usage
        spent = usage.seconds - usage.prefill_seconds
        rate = f", {usage.completion_tokens / spent:.0f} a second" if spent > 0.5 else ""  # noqa: PLR2004 - too short to say
        return f"Writing: {count(usage.completion_tokens, 'token')}{rate}"
    return f"Scoring: {stage.done} of {count(stage.total, 'check')}"


def waiting() -> str:
    """The sheet before its first word."""
    return (
        '<article class="result busy"><section class="sheet"><h2>Refined answer</h2>'
        '<div class="prose"><span class="caret" aria-hidden="true"></span></div></section></article>'
    )


def writing(text: str, request: Request) -> str:
    """The text so far, to read, citations as chips already."""
    cards = Cards(request.sources, "")
    read = answers.parse(text, [source.id for source in request.sources])
    return (
        '<article class="result busy"><section class="sheet"><h2>Refined answer</h2>'
        f'<div class="prose" dir="auto">{diff.prose(read, cards)}<span class="caret" aria-hidden="true"></span>'
        "</div></section></article>"
    )


def judging(stage: Judging, request: Request) -> str:
    """The diff, while the scores are still being made."""
    cards = Cards(request.sources, "j")
    body = diff.views(stage.changes, stage.answer, cards)
    return f'<article class="result busy"><section class="sheet"><h2>What changed</h2>{body}</section>{cards.html()}</article>'


def finished(run: Refinement, judged: Quality | None = None) -> str:
    """Everything known of a finished run; ``judged`` is what is known of its judge."""
    cards = Cards(run.request.sources, "f")
    before, after = run.draft_reward, run.reward
    body = diff.views(run.changes, run.answer, cards, before.citation.supports, after.citation.supports)
    claims = (
        f"{scores.claims(after, cards)}<details><summary>Claims of the draft "
        f"({len(before.citation.supports)})</summary>{scores.claims(before, cards)}</details>"
    )
    odd = findings("Oddities in the refined answer", run.answer.findings)
    odd += findings("Oddities in the draft", run.draft.findings)
    sources = source_list(run.request.sources, run.answer, run.trims)
    sections = (
        f'<section class="sheet first">{_made_by(run)}{scores.panel(run)}</section>',
        f'<section class="sheet"><h2>What changed</h2>{body}</section>',
        f'<section class="sheet"><h2>Claims</h2>{quality.error_rates(judged)}{claims}</section>',
        f'<section class="sheet"><h2>Criteria</h2>{scores.criteria(before, after)}</section>',
        f'<section class="sheet"><h2>Sources</h2>{sources}</section>',
        f'<details class="sheet"><summary>How this was made</summary>{scores.scale(run)}{_record(run)}{odd}</details>',
    )
    return f'<article class="result">{"".join(sections)}{cards.html()}</article>'


def _made_by(run: Refinement) -> str:
    ended = _ENDS[run.usage.ended]
    told = f' <span class="tag warn">{ended}</span>' if ended else ""
    other = "" if run.model.is_refiner else ", not the refiner"
    return (
        f'<p class="made">Written by <b>{isolate(run.model.name)}</b>{other} · scored by '
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


def source_list(sources: Sequence[Source], answer: Answer | None = None, trims: Sequence[Trim] = ()) -> str:
    """The sources with how often each is cited, and which were shortened or left out of the prompt."""
    cut = {trim.source_id: trim for trim in trims if trim.kept < trim.of}
    items = []
    for number, source in enumerate(sources, 1):
        uses = sum(source.id in claim.ids for claim in answer.claims) if answer else 0
        cited = "" if answer is None else f'<span class="tag{"" if uses else " faint"}">{_cited(uses)}</span>'
        items.append(
            f'<li id="source-{number}"><details><summary><span class="num">{number}</span>'
            f'<span class="source-title">{isolate(source.title or source.text[:90])}</span>{cited}'
            f"{_trimmed(cut.get(source.id))}</summary>"
            f'<p class="muted">{where(source)} {link(source.url, "open") if source.url else ""}</p>'
            f'<p class="card-text" dir="auto">{passage(source)}</p></details></li>'
        )
    return f'<ol class="sources">{"".join(items)}</ol>'


def _cited(uses: int) -> str:
    return f"cited {count(uses, 'time')}" if uses else "not cited"


def _trimmed(trim: Trim | None) -> str:
    if trim is None:
        return ""
    if trim.kept == 0:
        return '<span class="tag warn">left out of the prompt</span>'
    return f'<span class="tag warn">shortened: {percent(trim.kept / trim.of)} of its sentences read</span>'


def findings(title: str, found: Sequence[Finding]) -> str:
    """What had to be repaired in reading a text; nothing where nothing had to be."""
    if not found:
        return ""
    items = "".join(
        f"<li>{f'Line {one.line}: ' if one.line else ''}{isolate(one.message)}</li>" for one in found
    )
    return f'<div class="findings"><h3>{isolate(title)}</h3><ul>{items}</ul></div>'


def read_note(sources: Sequence[Source], found: Sequence[Finding], place: str = "") -> str:
    """Which sources were read from a field, as one types."""
    if not sources and not found:
        return '<p class="read-note muted">No sources yet.</p>'
    ids = ", ".join(source.id for source in sources[:12]) + (" …" if len(sources) > 12 else "")  # noqa: PLR2004 - a line's worth
    head = (
        f'<p class="read-note"><b>{count(len(sources), "source")}</b> read{f" {place}" * bool(place)}: {isolate(ids)}</p>'
        if sources
        else ""
    )
    return head + findings("Worth a look", found)
