"""What the votes tell, as the tables of the owner's page. Every text in them is a stranger's."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from refiner.domain import Choice
from refiner.feedback.insight.agreement import MIN_ANSWERS, MIN_GROUPS, Agreement, JudgeVersion, VerdictKind
from refiner.feedback.insight.win_rates import Insight, VoteGroup, VotesOfDay
from refiner.feedback.storage.store import Vote
from refiner.render.export.text_width import fit
from refiner.render.html_text import Html, count, direction, html, isolate, join
from refiner.render.insight_tables import (
    MAX_TABLE_ROWS,
    blocks,
    figures_table,
    left_out_note,
    measured_cell,
    share_cell,
    tally_row,
    win_table,
)

CHOICES: Mapping[Choice, str] = {"refined": "refined", "draft": "draft", "tie": "tie", "both_bad": "both bad"}
LISTED_VOTES = 20
"""How many of the last votes are listed."""
_NAME_WIDTH, _LINE_WIDTH = 40.0, 90.0
"""How wide a name and a text may be, in ems."""
_KIND_TITLES: Mapping[VerdictKind, str] = {
    "criterion": "",
    "support": "Claims: does the source support it?",
    "uncited": "Sentences: is a citation missing?",
}

CLOSED = Html(
    '<div class="notice" role="note"><p><b>This page is closed.</b> It shows its owner what the votes '
    "tell. To open it, "
    "set <code>REFINER_OWNER_TOKEN</code> to a long random text and type that here. On a Space, "
    "<code>REFINER_OWNERS</code> can name those who may open it by signing in.</p></div>"
)
EMPTY = Html(
    '<div class="empty"><h2>There are no votes yet</h2><p class="muted">A vote counts here once somebody '
    "has rated a "
    "result and ticked that the rating may be stored.</p></div>"
)


def guarded(*, token: bool, sign_in: bool) -> Html:
    """A note that says who may see the votes, and how."""
    words = Html(
        "The token is what <code>REFINER_OWNER_TOKEN</code> is where Refiner runs. It goes to that "
        "server and is kept "
        "nowhere."
    )
    signed = Html("Those whom <code>REFINER_OWNERS</code> names sign in.")
    said = join((text for text, there in ((words, token), (signed, sign_in)) if there), " ")
    return html('<div class="notice" role="note"><p><b>For the owner.</b> {said}</p></div>', said=said)


def overview(found: Insight) -> Html:
    """How many votes there are, how often the refined answer won, and where the votes lean."""
    tallies = (("All votes", found.total), ("Blind", found.blind), ("Sides named", found.named))
    rows = join(
        tally_row(html('<th scope="row">{words}</th>', words=words), tally, lead=place == 0)
        for place, (words, tally) in enumerate(tallies)
        if tally.n
    )
    unnamed = f" and {count(found.unnamed, 'vote')} of nobody known" if found.unnamed else ""
    return blocks(
        html(
            '<h2>How often the refined answer won</h2>{wins}<p class="note">By {raters}{unnamed}. The '
            "share is of votes for either answer; in brackets its 95% interval (Wilson), which takes "
            "votes as independent: many votes of few raters make it too narrow. Blind votes saw neither "
            "names nor scores.</p>",
            wins=win_table("Votes", rows),
            raters=count(found.raters, "rater"),
            unnamed=unnamed,
        ),
        html("<h2>Where votes lean</h2>{leanings}", leanings=_leanings(found)),
    )


def days(found: Sequence[VotesOfDay]) -> Html:
    """The numbers of the chart as a folded table, the last day first."""
    rows = join(
        html('<tr><th scope="row">{day}</th>', day=one.day.isoformat())
        + join(html("<td>{n:,}</td>", n=one.counts.get(choice, 0)) for choice in CHOICES)
        + Html("</tr>")
        for one in reversed(found)
    )
    return blocks(
        html(
            "<details><summary>As a table</summary>{table}</details>",
            table=figures_table("Votes by day", ("Day (UTC)", *CHOICES.values()), rows),
        )
    )


def groups(found: Sequence[VoteGroup]) -> Html:
    """The win rate of each model and prompt version. The number before each is the one in the chart."""
    rows = join(_group(place, one) for place, one in enumerate(found[:MAX_TABLE_ROWS], 1))
    return blocks(win_table("Model and prompt", rows) + left_out_note(len(found), "group"))


def agreement(found: Sequence[Agreement]) -> Html:
    """How far each judge agrees with people, by criterion and kind of verdict."""
    if not found:
        return blocks(
            Html(
                "<h2>Judge and people</h2>"
                '<p class="muted">Nobody has said yet whether a judge’s verdict is right.</p>'
            )
        )
    parts = join(
        html("<h3>{judge}</h3>{matters}", judge=_judge(judge), matters=_agreement_table(judge, list(matters)))
        for judge, matters in groupby(found[:MAX_TABLE_ROWS], lambda one: one.judge)
    )
    return blocks(
        html(
            '<h2>Judge and people</h2>{parts}{more}<p class="note">Raters see a verdict before they say '
            "whether it is right, which draws them towards it. "
            "<b>Kappa</b> (Cohen): how much more often judge and people say the same than by chance; 0 "
            "is chance, 1 always. "
            "<b>AUROC</b>: how often the judge values what people affirm above what they deny; 0.5 is "
            "chance. Verdicts in the middle of the scale (“partly”) count under Agreed only: whoever "
            "disagrees may mean either. Both need {least} answers from {least_groups} runs. In brackets "
            "95% intervals: Wilson for shares, else resampled over raters, or over runs where fewer than "
            "{least_groups} raters answered.</p>",
            parts=parts,
            more=left_out_note(len(found), "row"),
            least=MIN_ANSWERS,
            least_groups=MIN_GROUPS,
        )
    )


def events(votes: Sequence[Vote]) -> Html:
    """The last votes, newest first. Long texts are cut short."""
    rows = join(_event(vote) for vote in votes[: -LISTED_VOTES - 1 : -1])
    heads = join(
        html('<th scope="col">{words}</th>', words=words)
        for words in ("Question and comment", "Choice", "Model", "Time")
    )
    return blocks(
        html(
            "<h2>The last votes</h2>"
            '<div class="scroll" tabindex="0" role="region" aria-label="The last votes">'
            '<table class="claims"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>',
            heads=heads,
            rows=rows,
        )
    )


def _leanings(found: Insight) -> Html:
    """What may have decided besides quality."""
    leaning = (
        ("The longer answer won", found.longer_won),
        ("The left answer won, blind", found.left_won_blind),
        ("The left answer won, sides named", found.left_won_named),
    )
    rows = join(
        html(
            '<tr><th scope="row">{words}</th><td>{share}</td><td>{n:,}</td></tr>',
            words=words,
            share=share_cell(share),
            n=share.n,
        )
        for words, share in leaning
    )
    return html(
        '{table}<p class="note">Of votes for either answer. Far from 50%, something besides quality may '
        "have decided; sides are drawn at random only in blind votes.</p>",
        table=figures_table("Where votes lean", ("", "Share", "Votes"), rows),
    )


def _event(vote: Vote) -> Html:
    given = vote.feedback
    question, comment = fit(str(given.run.get("question", "")), _LINE_WIDTH), fit(given.comment, _LINE_WIDTH)
    said = (
        html(
            '<p class="reason"{direction}>{comment}</p>',
            direction=direction(comment),
            comment=isolate(comment),
        )
        if comment
        else ""
    )
    tags = join(
        html(' <span class="tag">{words}</span>', words=words)
        for words in ("blind" if given.blind else "", f"{given.stars} of 5" if given.stars else "")
        if words
    )
    return html(
        "<tr><td{direction}>{question}{said}</td><td>{choice}{tags}</td><td>{model}</td><td>"
        '<time datetime="{iso_time}">{time}</time></td></tr>',
        direction=direction(question),
        question=isolate(question),
        said=said,
        choice=CHOICES[given.choice],
        tags=tags,
        model=isolate(fit(str(given.run.get("model", "")), _NAME_WIDTH)),
        iso_time=vote.created_at.isoformat(timespec="seconds"),
        time=f"{vote.created_at:%Y-%m-%d %H:%M}",
    )


def _group(place: int, one: VoteGroup) -> Html:
    how = "blind" if one.blind else "sides named"
    head = (  # a th would not break
        html(
            '<td role="rowheader">'
            '<span class="num">{place}</span> {model}<small>{prompt_version}, {how}</small></td>',
            place=place,
            model=isolate(fit(one.model, _NAME_WIDTH)),
            prompt_version=isolate(fit(one.prompt_version, _NAME_WIDTH)),
            how=how,
        )
    )
    return tally_row(head, one.tally)


def _judge(judge: JudgeVersion) -> Html:
    basis = "estimated" if judge.estimated else "judged"
    return html(
        '{name} <span class="basis {basis}">{basis}</span> <span class="tag faint">version {version}</span>',
        name=isolate(fit(judge.name, _NAME_WIDTH)),
        basis=basis,
        version=isolate(fit(judge.version, _NAME_WIDTH)),
    )


def _agreement_table(judge: JudgeVersion, matters: Sequence[Agreement]) -> Html:
    rows = join(_agreement_row(one) for one in matters)
    heads = ("Matter", "Agreed", "Kappa", "AUROC")
    return figures_table(
        f"Agreement with {fit(judge.name, _NAME_WIDTH)}, {fit(judge.version, _NAME_WIDTH)}", heads, rows
    )


def _agreement_row(one: Agreement) -> Html:
    title = _KIND_TITLES[one.kind] or isolate(fit(one.title, _NAME_WIDTH))
    middle = f", {one.middle:,} in the middle" if one.middle else ""
    same = one.kappa.figure is None and one.kappa == one.auroc
    figures = (
        html('<td colspan="2">{kappa}</td>', kappa=measured_cell(one.kappa))
        if same
        else html(
            "<td>{kappa}</td><td>{auroc}</td>",
            kappa=measured_cell(one.kappa),
            auroc=measured_cell(one.auroc),
        )
    )
    return html(
        '<tr><th scope="row">{title}</th><td>{share} <small>of {n:,}{middle}</small></td>{figures}</tr>',
        title=title,
        share=share_cell(one.agreed),
        n=one.agreed.n,
        middle=middle,
        figures=figures,
    )
