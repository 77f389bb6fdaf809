"""The result as a whole: before a run, while it is written, and when it is finished. It knows no Gradio."""

from collections.abc import Sequence

from refiner.diff import compare
from refiner.domain import (
    Criterion,
    Finding,
    JudgingProgress,
    Refinement,
    Request,
    Reward,
    Side,
    Source,
)
from refiner.formats import answer as answers
from refiner.judges.quality import Quality
from refiner.render.changes.diff import diff_views
from refiner.render.changes.prose import answer_prose
from refiner.render.citations.cards import CitationCards
from refiner.render.citations.sources import source_list
from refiner.render.html_text import Html, count, direction, html, isolate, join
from refiner.render.run_facts import comparison_caveats, made_by, run_record
from refiner.render.scores.claims import claims_table
from refiner.render.scores.criteria import criteria_list
from refiner.render.scores.judge_quality import error_rates
from refiner.render.scores.totals import score_formula, totals_table

_MAX_LISTED_IDS = 12
"""How many ids of sources a note lists: about a line."""


def empty() -> Html:
    """What stands in place of a result before the first run."""
    steps = (
        ("Paste", "A question, a draft, and the sources behind it. Or take an example."),
        ("Refine", "The draft is rewritten as it streams; every claim can cite only the sources given."),
        ("Check", "See each change, open each citation at its passage, compare the scores, and rate."),
    )
    items = join(
        html(
            '<li><span class="num" aria-hidden="true">{n}</span><div><b>{name}</b><p>{words}</p></div></li>',
            n=n,
            name=name,
            words=words,
        )
        for n, (name, words) in enumerate(steps, 1)
    )
    return html(
        '<div class="empty"><h2>The refined answer appears here</h2><ol>{items}</ol></div>', items=items
    )


def status(words: str, kind: str = "info", about: str = "") -> Html:
    """One sentence on how things stand.

    ``kind`` is info, busy, good or error. ``about`` names the field that the sentence is about. The
    page's script reads out what ``data-say`` holds.
    """
    named = html(' data-field="{about}"', about=about) if about else ""
    if not words:
        return Html()
    return html(
        '<p class="status {kind}" data-say="{words}"{named}>{sentence}</p>',
        kind=kind,
        words=words,
        named=named,
        sentence=isolate(words),
    )


def waiting() -> Html:
    """The result before its first word."""
    return Html(
        '<article class="result busy"><section class="sheet"><h2>Refined answer</h2>'
        '<div class="prose"><span class="caret" aria-hidden="true"></span></div></section></article>'
    )


def writing(text: str, request: Request, *, over: bool = False) -> Html:
    """The text so far, its citations already as chips. ``over`` says that no more will come."""
    cards = CitationCards(request.sources, "")
    read = answers.parse(text, [source.id for source in request.sources])
    busy, caret = ("", "") if over else (" busy", Html('<span class="caret" aria-hidden="true"></span>'))
    name = "What was written so far" if over else "Refined answer"
    return html(
        '<article class="result{busy}"><section class="sheet"><h2>{name}</h2>'
        '<div class="prose"{direction}>{prose}{caret}</div></section></article>',
        busy=busy,
        name=name,
        direction=direction(read.text),
        prose=answer_prose(read, cards),
        caret=caret,
    )


def judging(stage: JudgingProgress, request: Request) -> Html:
    """The diff, for the time in which both answers are judged."""
    cards = CitationCards(request.sources, "j")
    body = diff_views(stage.changes, stage.answer, cards)
    return html(
        '<article class="result busy"><section class="sheet">'
        "<h2>What changed</h2>{body}</section>{cards}</article>",
        body=body,
        cards=cards.popovers(),
    )


def covered() -> Html:
    """What stands in place of a result while a run is made that will be rated blind."""
    return Html(
        '<article class="result busy"><section class="sheet"><h2>Two answers</h2><p class="muted">Both '
        "appear here "
        "when they are there, and which is which once you have voted.</p></section></article>"
    )


def blind(run: Refinement, left: Side) -> Html:
    """Draft and refined answer side by side, without names, scores and verdicts.

    ``left`` says which is on the left.
    """
    cards = CitationCards(run.request.sources, "b")
    answers = (run.draft, run.answer) if left == "draft" else (run.answer, run.draft)
    halves = join(
        html(
            '<div class="half"><h3>{name}</h3><div class="prose"{direction}>{prose}</div></div>',
            name=name,
            direction=direction(one.text),
            prose=answer_prose(one, cards),
        )
        for name, one in zip(("Left", "Right"), answers, strict=True)
    )
    body = html(
        '<p class="muted">One is the draft, the other the refined answer. Vote, and it is told.</p>'
        '<div class="pair blind">{halves}</div>',
        halves=halves,
    )
    return html(
        '<article class="result">{sheet}{cards}</article>',
        sheet=_sheet("Two answers", body),
        cards=cards.popovers(),
    )


def finished(run: Refinement, judged: Quality | None = None, note: str = "", *, rated: bool = False) -> Html:
    """Everything known of a finished run.

    ``judged`` is what was measured of its judge. ``note`` is shown above all else. ``rated`` adds the
    buttons that ask whether the visitor agrees with the judge.
    """
    cards = CitationCards(run.request.sources, "f")
    before, after = run.draft_reward, run.reward
    head = html('<p class="note">{note}</p>', note=isolate(note)) if note else Html()
    odd = findings("Oddities in the refined answer", run.answer.findings)
    odd += findings("Oddities in the draft", run.draft.findings)
    parts = (
        _sheet("", join((head, made_by(run), totals_table(before, after)))),
        _sheet("What changed", diff_views(run.changes, run.answer, cards, (before, after))),
        _sheet("Claims", error_rates(judged) + _claims(before, after, cards, rated=rated)),
        _sheet("Criteria", criteria_list(before, after, rated=rated)),
        _sheet("Sources", source_list(run)),
        html(
            '<details class="sheet"><summary>How this was made</summary>{formula}{record}{odd}</details>',
            formula=score_formula(run),
            record=run_record(run),
            odd=odd,
        ),
    )
    return html('<article class="result">{parts}{cards}</article>', parts=join(parts), cards=cards.popovers())


def compared(runs: tuple[Refinement, Refinement], made: tuple[str, str]) -> Html:
    """The refined answers of two runs side by side, with both scores.

    ``made`` says when each run was made.
    """
    first, second = runs
    names = ("Earlier", "Later")
    same = first.request.sources == second.request.sources
    cards = CitationCards(second.request.sources, "f")
    left = cards if same else CitationCards(first.request.sources, "e")
    rewards = (first.reward, second.reward)
    lines = join(made_by(run, f"{name}, {when}. ") for name, when, run in zip(names, made, runs, strict=True))
    changes = compare(first.answer, second.answer)
    parts = (
        _sheet("Two runs", join((lines, comparison_caveats(first, second), totals_table(*rewards, names)))),
        _sheet("How they differ", diff_views(changes, second.answer, cards, rewards, names, left=left)),
        _sheet("Criteria", criteria_list(*rewards, names)),
    )
    return html(
        '<article class="result">{parts}{cards}{left_cards}</article>',
        parts=join(parts),
        cards=cards.popovers(),
        left_cards="" if same else left.popovers(),
    )


def _sheet(title: str, body: Html) -> Html:
    head = html("<h2>{title}</h2>", title=title) if title else Html('<h2 class="sr">Scores</h2>')
    return html('<section class="sheet">{head}{body}</section>', head=head, body=body)


def _claims(before: Reward, after: Reward, cards: CitationCards, *, rated: bool) -> Html:
    n = len(before.citation.supports)
    return html(
        "{claims}<details><summary>Claims of the draft ({n})</summary>{draft_claims}</details>",
        claims=claims_table(after, cards, rated=rated),
        n=n,
        draft_claims=claims_table(before, cards, "draft"),
    )


def findings(title: str, found: Sequence[Finding]) -> Html:
    """A list of what had to be repaired in reading a text. Nothing if there was nothing to repair."""
    if not found:
        return Html()
    items = join(
        html(
            "<li>{place}{message}</li>",
            place=f"Line {one.line}: " if one.line else "",
            message=isolate(one.message),
        )
        for one in found
    )
    return html(
        '<div class="findings"><h3>{title}</h3><ul>{items}</ul></div>', title=isolate(title), items=items
    )


def read_note(given: Sequence[Source], found: Sequence[Finding], place: str = "") -> Html:
    """Which sources were read from a field, shown while the visitor types."""
    if not given and not found:
        return Html('<p class="read-note muted">No sources yet.</p>')
    ids = ", ".join(source.id for source in given[:_MAX_LISTED_IDS]) + (
        " …" if len(given) > _MAX_LISTED_IDS else ""
    )
    head = (
        html(
            '<p class="read-note"><b>{sources}</b> read{place}: {ids}</p>',
            sources=count(len(given), "source"),
            place=f" {place}" if place else "",
            ids=isolate(ids),
        )
        if given
        else Html()
    )
    return head + findings("Worth a look", found)


def rubric_note(given: Sequence[Criterion], wrong: Sequence[Finding]) -> Html:
    """What the rubric's table holds, shown while the visitor types.

    That is each cell that cannot be read. If all can be read, it is how many criteria there are and
    their weights.
    """
    if wrong:
        items = join(
            html("<li>{row}: {message}</li>", row=f"Row {one.line}", message=isolate(one.message))
            for one in wrong
        )
        return html('<ul class="read-note wrong" role="alert">{items}</ul>', items=items)
    if not given:
        return Html()
    weights = sorted(one.weight for one in given)
    n = sum(one.polarity == "negative" for one in given)
    spread = f", weights from {weights[0]:g} to {weights[-1]:g}" if weights[0] < weights[-1] else ""
    faults = f", {count(n, 'fault')} among them" if n else ""
    return html(
        '<p class="read-note"><b>{criteria}</b>{faults}{spread}, beside the standing ones</p>',
        criteria=count(len(given), "criterion", "criteria"),
        faults=faults,
        spread=spread,
    )
