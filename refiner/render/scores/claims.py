"""The claims of an answer: what each cites, and how well that supports it."""

from refiner.domain import ClaimSupport, Reward
from refiner.render.citations.cards import CitationCards
from refiner.render.html_text import Html, count, direction, html, isolate, join, number, percent
from refiner.render.verdicts import UNCITED_MARK, agreement_buttons, support_badge, verdict_reason


def claims_table(reward: Reward, cards: CitationCards, side: str = "refined", *, rated: bool = False) -> Html:
    """What needs a citation, what it cites, and how well that supports it. The columns can be sorted.

    ``rated`` adds the buttons that ask whether the visitor agrees with the verdict.
    """
    citation = reward.citation
    if not citation.supports:
        return html(
            '<p class="muted">{why}</p>', why=isolate(citation.not_applicable or "There is no claim.")
        )
    rows = join(
        _claim(number_, one, cards, side, rated=rated) for number_, one in enumerate(citation.supports, 1)
    )
    heads = join(
        html(
            '<th scope="col" aria-sort="{order}">'
            '<button type="button" class="sort" data-sort="{key}">{words}</button></th>',
            order="ascending" if key == "row" else "none",
            key=key,
            words=words,
        )
        for key, words in (("row", "Claim"), ("cites", "Cites"), ("support", "Support"))
    )
    return html(
        '<p class="figures">{figures}</p>'
        '<div class="scroll" tabindex="0" role="region" aria-label="Claims, {side}">'
        '<table class="claims"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>',
        figures=_citation_figures(reward),
        side=side,
        heads=heads,
        rows=rows,
    )


def claim_id(side: str, row: int) -> str:
    """The id of a claim's row."""
    return f"claim-{side}-{row}"


def _citation_figures(reward: Reward) -> str:
    citation = reward.citation
    parts = (("precision", citation.precision), ("recall", citation.recall))
    said = [f"{name} {number(one.value)}" for name, one in parts if one.value is not None]
    if citation.validity is not None:
        said.append(f"{percent(citation.validity)} of the cited ids are sources")
    cited = [one for one in citation.supports if one.ids]
    said.insert(0, f"{count(len(cited), 'cited claim')}, {len(citation.supports) - len(cited)} uncited")
    return " · ".join(said)


def _claim(row: int, one: ClaimSupport, cards: CitationCards, side: str, *, rated: bool) -> Html:
    buttons = agreement_buttons("claims", str(row - 1), one.verdict) if rated else ""
    cites = cards.chips(one.ids, one.text, one) if one.ids else UNCITED_MARK
    value = -1.0 if one.verdict.value is None else one.verdict.value
    return html(
        '<tr id="{id}" data-row="{row}" data-cites="{cites_count}" data-support="{value:.4f}">'
        '<td{direction}><span class="muted num-row">{row}</span> {text}</td><td>{cites}</td>'
        "<td>{badge}{reason}{buttons}</td></tr>",
        id=claim_id(side, row),
        row=row,
        cites_count=len(one.ids),
        value=value,
        direction=direction(one.text),
        text=isolate(one.text),
        cites=cites,
        badge=support_badge(one.verdict),
        reason=verdict_reason(one.verdict),
        buttons=buttons,
    )
