"""What the votes tell, for their owner: the page's tables. Every text in them is a stranger's."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from refiner.domain import Choice
from refiner.feedback.insight.agreement import LEAST, LEAST_GROUPS, Agreement, Judge, Kind, Measured
from refiner.feedback.insight.biases import Share
from refiner.feedback.insight.win_rates import Day, Group, Insight, Tally
from refiner.feedback.storage.store import Vote
from refiner.render.export.text_width import fit
from refiner.render.html_text import Html, count, direction, html, isolate, join, number, percent
from refiner.scoring.metrics import Figure

CHOICES: Mapping[Choice, str] = {"refined": "refined", "draft": "draft", "tie": "tie", "both_bad": "both bad"}
LAST = 20
"""Votes that are listed."""
MOST = 30
"""Rows of a table that a stranger can make long."""
_NAME, _LINE = 40.0, 90.0  # ems
_TO = "–\u2060"  # with a word joiner: no line ends here
_KINDS: Mapping[Kind, str] = {
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
    """Who may see the votes, and how."""
    words = Html(
        "The token is what <code>REFINER_OWNER_TOKEN</code> is where Refiner runs. It goes to that "
        "server and is kept "
        "nowhere."
    )
    signed = Html("Those whom <code>REFINER_OWNERS</code> names sign in.")
    said = join((text for text, there in ((words, token), (signed, sign_in)) if there), " ")
    return html('<div class="notice" role="note"><p><b>For the owner.</b> {said}</p></div>', said=said)


def overview(found: Insight) -> Html:
    """How many votes, how often the refined answer won, and where the votes lean."""
    tallies = (("All votes", found.total), ("Blind", found.blind), ("Sides named", found.named))
    rows = join(
        _tally(html('<th scope="row">{words}</th>', words=words), tally, lead=place == 0)
        for place, (words, tally) in enumerate(tallies)
        if tally.n
    )
    unnamed = f" and {count(found.unnamed, 'vote')} of nobody known" if found.unnamed else ""
    return _result(
        html(
            '<h2>How often the refined answer won</h2>{wins}<p class="note">By {raters}{unnamed}. The '
            "share is of votes for either answer; in brackets its 95% interval (Wilson), which takes "
            "votes as independent: many votes of few raters make it too narrow. Blind votes saw neither "
            "names nor scores.</p>",
            wins=_wins("Votes", rows),
            raters=count(found.raters, "rater"),
            unnamed=unnamed,
        ),
        html("<h2>Where votes lean</h2>{leanings}", leanings=_leanings(found)),
    )


def days(found: Sequence[Day]) -> Html:
    """The chart's numbers as a table, folded."""
    rows = join(
        html('<tr><th scope="row">{day}</th>', day=one.day.isoformat())
        + join(html("<td>{n:,}</td>", n=one.counts.get(choice, 0)) for choice in CHOICES)
        + Html("</tr>")
        for one in reversed(found)
    )
    return _result(
        html(
            "<details><summary>As a table</summary>{table}</details>",
            table=_table("Votes by day", ("Day (UTC)", *CHOICES.values()), rows),
        )
    )


def groups(found: Sequence[Group]) -> Html:
    """The win rate of each model and prompt version; the first number is the chart's."""
    rows = join(_group(place, one) for place, one in enumerate(found[:MOST], 1))
    return _result(_wins("Model and prompt", rows) + _more(len(found), "group"))


def agreement(found: Sequence[Agreement]) -> Html:
    """How far each judge says what people would say, matter by matter."""
    if not found:
        return _result(
            Html(
                "<h2>Judge and people</h2>"
                '<p class="muted">Nobody has said yet whether a judge’s verdict is right.</p>'
            )
        )
    parts = join(
        html("<h3>{judge}</h3>{matters}", judge=_judge(judge), matters=_matters(judge, list(matters)))
        for judge, matters in groupby(found[:MOST], lambda one: one.judge)
    )
    return _result(
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
            more=_more(len(found), "row"),
            least=LEAST,
            least_groups=LEAST_GROUPS,
        )
    )


def events(votes: Sequence[Vote]) -> Html:
    """The last votes, newest first; texts cut short."""
    rows = join(_event(vote) for vote in votes[: -LAST - 1 : -1])
    heads = join(
        html('<th scope="col">{words}</th>', words=words)
        for words in ("Question and comment", "Choice", "Model", "Time")
    )
    return _result(
        html(
            "<h2>The last votes</h2>"
            '<div class="scroll" tabindex="0" role="region" aria-label="The last votes">'
            '<table class="claims"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>',
            heads=heads,
            rows=rows,
        )
    )


def _leanings(found: Insight) -> Html:
    """What besides quality may have decided."""
    leaning = (
        ("The longer answer won", found.longer_won),
        ("The left answer won, blind", found.left_won_blind),
        ("The left answer won, sides named", found.left_won_named),
    )
    rows = join(
        html(
            '<tr><th scope="row">{words}</th><td>{share}</td><td>{n:,}</td></tr>',
            words=words,
            share=_share(share),
            n=share.n,
        )
        for words, share in leaning
    )
    return html(
        '{table}<p class="note">Of votes for either answer. Far from 50%, something besides quality may '
        "have decided; sides are drawn at random only in blind votes.</p>",
        table=_table("Where votes lean", ("", "Share", "Votes"), rows),
    )


def _event(vote: Vote) -> Html:
    given = vote.feedback
    question, comment = fit(str(given.run.get("question", "")), _LINE), fit(given.comment, _LINE)
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
        model=isolate(fit(str(given.run.get("model", "")), _NAME)),
        iso_time=vote.created_at.isoformat(timespec="seconds"),
        time=f"{vote.created_at:%Y-%m-%d %H:%M}",
    )


def _wins(what: str, rows: Html) -> Html:
    return html(
        '<div class="scroll" tabindex="0" role="region" aria-label="{what}">'
        '<table class="scores"><thead><tr><th scope="col">{what}</th>'
        '<th scope="col">Refined won</th><th scope="col">Decided</th><th scope="col">Ties</th>'
        '<th scope="col">Both bad</th><th scope="col" class="wide"><span aria-hidden="true">'
        '<i class="dot"></i> share <i class="band"></i> 95% interval</span>'
        '<span class="sr">Range</span></th></tr></thead><tbody>{rows}</tbody></table></div>',
        what=what,
        rows=rows,
    )


def _tally(head: Html, tally: Tally, *, lead: bool = False) -> Html:
    figure = tally.refined.figure
    won = Html('<span class="muted">none</span>')
    lane = ""
    if figure is not None:
        won = html(
            "<b>{value}</b> <small>[{lo}{to}{hi}\u2060]</small>",
            value=percent(figure.value),
            lo=percent(figure.lo),
            to=_TO,
            hi=percent(figure.hi),
        )
        lane = html(
            '<span class="lane"><i class="band" style="left:{lo};width:{width}"></i>'
            '<i class="dot" style="left:{value}"></i></span>',
            lo=percent(figure.lo),
            width=percent(figure.hi - figure.lo),
            value=percent(figure.value),
        )
    return html(
        '<tr class="{kind}">{head}<td>{won}</td><td>{n:,}</td><td>{ties:,}</td>'
        '<td>{both_bad:,}</td><td class="wide"><div class="track" aria-hidden="true">{lane}</div>'
        "</td></tr>",
        kind="lead" if lead else "part",
        head=head,
        won=won,
        n=tally.refined.n,
        ties=tally.ties,
        both_bad=tally.both_bad,
        lane=lane,
    )


def _group(place: int, one: Group) -> Html:
    how = "blind" if one.blind else "sides named"
    head = (  # a th would not break
        html(
            '<td role="rowheader">'
            '<span class="num">{place}</span> {model}<small>{prompt_version}, {how}</small></td>',
            place=place,
            model=isolate(fit(one.model, _NAME)),
            prompt_version=isolate(fit(one.prompt_version, _NAME)),
            how=how,
        )
    )
    return _tally(head, one.tally)


def _judge(judge: Judge) -> Html:
    basis = "estimated" if judge.estimated else "judged"
    return html(
        '{name} <span class="basis {basis}">{basis}</span> <span class="tag faint">version {version}</span>',
        name=isolate(fit(judge.name, _NAME)),
        basis=basis,
        version=isolate(fit(judge.version, _NAME)),
    )


def _matters(judge: Judge, matters: Sequence[Agreement]) -> Html:
    rows = join(_matter(one) for one in matters)
    heads = ("Matter", "Agreed", "Kappa", "AUROC")
    return _table(f"Agreement with {fit(judge.name, _NAME)}, {fit(judge.version, _NAME)}", heads, rows)


def _matter(one: Agreement) -> Html:
    title = _KINDS[one.kind] or isolate(fit(one.title, _NAME))
    middle = f", {one.middle:,} in the middle" if one.middle else ""
    same = one.kappa.figure is None and one.kappa == one.auroc
    figures = (
        html('<td colspan="2">{kappa}</td>', kappa=_measured(one.kappa))
        if same
        else html(
            "<td>{kappa}</td><td>{auroc}</td>",
            kappa=_measured(one.kappa),
            auroc=_measured(one.auroc),
        )
    )
    return html(
        '<tr><th scope="row">{title}</th><td>{share} <small>of {n:,}{middle}</small></td>{figures}</tr>',
        title=title,
        share=_share(one.agreed),
        n=one.agreed.n,
        middle=middle,
        figures=figures,
    )


def _measured(one: Measured) -> Html:
    return (
        html('<span class="unscored">{reason}</span>', reason=one.reason)
        if one.figure is None
        else _figure(one.figure, number)
    )


def _share(share: Share) -> Html:
    return (
        Html('<span class="muted">no votes</span>')
        if share.figure is None
        else _figure(share.figure, percent)
    )


def _figure(figure: Figure, write: Callable[[float], str]) -> Html:
    return html(
        "{value} <small>[{lo}{to}{hi}]</small>",
        value=write(figure.value),
        lo=write(figure.lo),
        to=_TO,
        hi=write(figure.hi),
    )


def _table(name: str, heads: Iterable[str], rows: Html) -> Html:
    cells = join(
        html('<th scope="col">{words}</th>', words=words)
        if words
        else Html('<th scope="col"><span class="sr">What</span></th>')
        for words in heads
    )
    return html(
        '<div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        '<table class="figures-table"><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody>'
        "</table></div>",
        name=name,
        cells=cells,
        rows=rows,
    )


def _more(there: int, what: str) -> Html:
    left = there - MOST
    return (
        html(
            '<p class="muted small">{further} left out.</p>',
            further=count(left, f"further {what}"),
        )
        if left > 0
        else Html()
    )


def _result(*parts: Html) -> Html:
    blocks = join(html('<div style="min-width:0">{part}</div>', part=part) for part in parts)
    return html('<div class="result">{blocks}</div>', blocks=blocks)
