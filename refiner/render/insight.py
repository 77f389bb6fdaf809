"""What the votes tell, for their owner: the page's tables. Every text in them is a stranger's."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from refiner.domain import Choice
from refiner.feedback.insight.agreement import (
    LEAST,
    LEAST_GROUPS,
    Agreement,
    FigureOrReason,
    JudgeVersion,
    Kind,
)
from refiner.feedback.insight.biases import Share
from refiner.feedback.insight.win_rates import Day, Group, Insight, Tally
from refiner.feedback.storage.store import Vote
from refiner.render.export.text_width import fit
from refiner.render.html_text import count, direction, isolate, number, percent, show
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

CLOSED = (
    '<div class="notice" role="note"><p><b>This page is closed.</b> It shows its owner what the votes tell. To open it, '
    "set <code>REFINER_OWNER_TOKEN</code> to a long random text and type that here. On a Space, "
    "<code>REFINER_OWNERS</code> can name those who may open it by signing in.</p></div>"
)
EMPTY = (
    '<div class="empty"><h2>There are no votes yet</h2><p class="muted">A vote counts here once somebody has rated a '
    "result and ticked that the rating may be stored.</p></div>"
)


def guarded(*, token: bool, sign_in: bool) -> str:
    """Who may see the votes, and how."""
    words = (
        "The token is what <code>REFINER_OWNER_TOKEN</code> is where Refiner runs. It goes to that server and is kept "
        "nowhere."
    )
    signed = "Those whom <code>REFINER_OWNERS</code> names sign in."
    said = " ".join(text for text, there in ((words, token), (signed, sign_in)) if there)
    return f'<div class="notice" role="note"><p><b>For the owner.</b> {said}</p></div>'


def overview(found: Insight) -> str:
    """How many votes, how often the refined answer won, and where the votes lean."""
    tallies = (("All votes", found.total), ("Blind", found.blind), ("Sides named", found.named))
    rows = "".join(
        _tally(f'<th scope="row">{words}</th>', tally, lead=place == 0)
        for place, (words, tally) in enumerate(tallies)
        if tally.n
    )
    unnamed = f" and {count(found.unnamed, 'vote')} of nobody known" if found.unnamed else ""
    return _result(
        f"<h2>How often the refined answer won</h2>{_wins('Votes', rows)}"
        f'<p class="note">By {count(found.raters, "rater")}{unnamed}. The share is of votes for either answer; in brackets '
        "its 95% interval (Wilson), which takes votes as independent: many votes of few raters make it too narrow. Blind "
        f"votes saw neither names nor scores.</p>",
        f"<h2>Where votes lean</h2>{_leanings(found)}",
    )


def days(found: Sequence[Day]) -> str:
    """The chart's numbers as a table, folded."""
    rows = "".join(
        f'<tr><th scope="row">{one.day.isoformat()}</th>'
        + "".join(f"<td>{one.counts.get(choice, 0):,}</td>" for choice in CHOICES)
        + "</tr>"
        for one in reversed(found)
    )
    return _result(
        "<details><summary>As a table</summary>"
        f"{_table('Votes by day', ('Day (UTC)', *CHOICES.values()), rows)}</details>"
    )


def groups(found: Sequence[Group]) -> str:
    """The win rate of each model and prompt version; the first number is the chart's."""
    rows = "".join(_group(place, one) for place, one in enumerate(found[:MOST], 1))
    return _result(f"{_wins('Model and prompt', rows)}{_more(len(found), 'group')}")


def agreement(found: Sequence[Agreement]) -> str:
    """How far each judge says what people would say, matter by matter."""
    if not found:
        return _result(
            "<h2>Judge and people</h2>"
            '<p class="muted">Nobody has said yet whether a judge’s verdict is right.</p>'
        )
    parts = "".join(
        f"<h3>{_judge(judge)}</h3>{_matters(judge, list(matters))}"
        for judge, matters in groupby(found[:MOST], lambda one: one.judge)
    )
    return _result(
        f'<h2>Judge and people</h2>{parts}{_more(len(found), "row")}<p class="note">Raters see a verdict before they say '
        "whether it is right, which draws them towards it. <b>Kappa</b> (Cohen): how much more often judge and people say "
        "the same than by chance; 0 is chance, 1 always. <b>AUROC</b>: how often the judge values what people affirm "
        "above what they deny; 0.5 is chance. Verdicts in the middle of the scale (“partly”) count under Agreed only: "
        f"whoever disagrees may mean either. Both need {LEAST} answers from {LEAST_GROUPS} runs. In brackets 95% intervals: "
        f"Wilson for shares, else resampled over raters, or over runs where fewer than {LEAST_GROUPS} raters answered.</p>"
    )


def events(votes: Sequence[Vote]) -> str:
    """The last votes, newest first; texts cut short."""
    rows = "".join(_event(vote) for vote in votes[: -LAST - 1 : -1])
    heads = "".join(
        f'<th scope="col">{words}</th>' for words in ("Question and comment", "Choice", "Model", "Time")
    )
    return _result(
        '<h2>The last votes</h2><div class="scroll" tabindex="0" role="region" aria-label="The last votes">'
        f'<table class="claims"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _leanings(found: Insight) -> str:
    """What besides quality may have decided."""
    leaning = (
        ("The longer answer won", found.longer_won),
        ("The left answer won, blind", found.left_won_blind),
        ("The left answer won, sides named", found.left_won_named),
    )
    rows = "".join(
        f'<tr><th scope="row">{words}</th><td>{_share(share)}</td><td>{share.n:,}</td></tr>'
        for words, share in leaning
    )
    return (
        f"{_table('Where votes lean', ('', 'Share', 'Votes'), rows)}"
        '<p class="note">Of votes for either answer. Far from 50%, something besides quality may have decided; sides are '
        "drawn at random only in blind votes.</p>"
    )


def _event(vote: Vote) -> str:
    given = vote.feedback
    question, comment = fit(str(given.run.get("question", "")), _LINE), fit(given.comment, _LINE)
    said = f'<p class="reason"{direction(comment)}>{isolate(comment)}</p>' if comment else ""
    tags = "".join(
        f' <span class="tag">{words}</span>'
        for words in ("blind" if given.blind else "", f"{given.stars} of 5" if given.stars else "")
        if words
    )
    return (
        f"<tr><td{direction(question)}>{isolate(question)}{said}</td><td>{CHOICES[given.choice]}{tags}</td>"
        f"<td>{isolate(fit(str(given.run.get('model', '')), _NAME))}</td>"
        f'<td><time datetime="{vote.created_at.isoformat(timespec="seconds")}">{vote.created_at:%Y-%m-%d %H:%M}</time></td></tr>'
    )


def _wins(what: str, rows: str) -> str:
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{what}"><table class="scores">'
        f'<thead><tr><th scope="col">{what}</th><th scope="col">Refined won</th>'
        '<th scope="col">Decided</th><th scope="col">Ties</th><th scope="col">Both bad</th>'
        '<th scope="col" class="wide"><span aria-hidden="true"><i class="dot"></i> share <i class="band"></i> 95% interval'
        '</span><span class="sr">Range</span></th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _tally(head: str, tally: Tally, *, lead: bool = False) -> str:
    figure = tally.refined.figure
    won = '<span class="muted">none</span>'
    lane = ""
    if figure is not None:
        won = f"<b>{percent(figure.value)}</b> <small>[{percent(figure.lo)}{_TO}{percent(figure.hi)}\u2060]</small>"
        lane = (
            f'<span class="lane"><i class="band" style="left:{percent(figure.lo)};width:{percent(figure.hi - figure.lo)}">'
            f'</i><i class="dot" style="left:{percent(figure.value)}"></i></span>'
        )
    return (
        f'<tr class="{"lead" if lead else "part"}">{head}<td>{won}</td>'
        f"<td>{tally.refined.n:,}</td><td>{tally.ties:,}</td><td>{tally.both_bad:,}</td>"
        f'<td class="wide"><div class="track" aria-hidden="true">{lane}</div></td></tr>'
    )


def _group(place: int, one: Group) -> str:
    how = "blind" if one.blind else "sides named"
    head = (  # a th would not break
        f'<td role="rowheader"><span class="num">{place}</span> {isolate(fit(one.model, _NAME))}'
        f"<small>{isolate(fit(one.prompt_version, _NAME))}, {how}</small></td>"
    )
    return _tally(head, one.tally)


def _judge(judge: JudgeVersion) -> str:
    basis = "estimated" if judge.estimated else "judged"
    return (
        f'{isolate(fit(judge.name, _NAME))} <span class="basis {basis}">{basis}</span> '
        f'<span class="tag faint">version {isolate(fit(judge.version, _NAME))}</span>'
    )


def _matters(judge: JudgeVersion, matters: Sequence[Agreement]) -> str:
    rows = "".join(_matter(one) for one in matters)
    heads = ("Matter", "Agreed", "Kappa", "AUROC")
    return _table(f"Agreement with {fit(judge.name, _NAME)}, {fit(judge.version, _NAME)}", heads, rows)


def _matter(one: Agreement) -> str:
    title = _KINDS[one.kind] or isolate(fit(one.title, _NAME))
    middle = f", {one.middle:,} in the middle" if one.middle else ""
    same = one.kappa.figure is None and one.kappa == one.auroc
    figures = (
        f'<td colspan="2">{_measured(one.kappa)}</td>'
        if same
        else f"<td>{_measured(one.kappa)}</td><td>{_measured(one.auroc)}</td>"
    )
    return (
        f'<tr><th scope="row">{title}</th><td>{_share(one.agreed)} <small>of {one.agreed.n:,}{middle}</small></td>'
        f"{figures}</tr>"
    )


def _measured(one: FigureOrReason) -> str:
    return (
        f'<span class="unscored">{one.reason}</span>' if one.figure is None else _figure(one.figure, number)
    )


def _share(share: Share) -> str:
    return '<span class="muted">no votes</span>' if share.figure is None else _figure(share.figure, percent)


def _figure(figure: Figure, write: Callable[[float], str]) -> str:
    return f"{write(figure.value)} <small>[{write(figure.lo)}{_TO}{write(figure.hi)}]</small>"


def _table(name: str, heads: Iterable[str], rows: str) -> str:
    cells = "".join(
        f'<th scope="col">{words}</th>' if words else '<th scope="col"><span class="sr">What</span></th>'
        for words in heads
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{show(name)}"><table class="figures-table">'
        f"<thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _more(there: int, what: str) -> str:
    left = there - MOST
    return f'<p class="muted small">{count(left, f"further {what}")} left out.</p>' if left > 0 else ""


def _result(*parts: str) -> str:
    blocks = "".join(f'<div style="min-width:0">{part}</div>' for part in parts)
    return f'<div class="result">{blocks}</div>'
