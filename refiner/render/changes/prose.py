"""Answers and their tokens as text to read: claims underlined, citations as chips, changed words marked."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from refiner.domain import Answer, Claim, Token
from refiner.render.changes.support_lookup import SupportLookup
from refiner.render.citations.cards import CitationCards
from refiner.render.html_text import Html, html, isolate, join
from refiner.render.verdicts import UNCITED_MARK, unsupported_mark, verdict_tone
from refiner.text import sentences


def answer_prose(answer: Answer, cards: CitationCards, known: SupportLookup | None = None) -> Html:
    """An answer as text to read: claims underlined as their support is, their citations as chips."""
    known = known or SupportLookup()
    out = []
    place = 0
    for part in answer.parts:
        if not isinstance(part, Claim):
            out.append(_between_claims(part.text, known))
            continue
        support = known.of_claim(place)
        place += 1
        look = verdict_tone(support.verdict) if support else "none"
        out.append(
            html('<span class="claim {look}">{text}</span>', look=look, text=isolate(part.text))
            + cards.chips(part.ids, part.text, support)
            + (unsupported_mark(support.verdict) if support else Html())
        )
    return join(out)


def _between_claims(text: str, known: SupportLookup) -> Html:
    """Text between claims. Sentences that should cite something are marked."""
    out, at = [], 0
    for one in sentences.split(text):
        if known.of_uncited(one.text):
            before = isolate(text[at : one.start]) if one.start > at else Html()
            out.append(
                html(
                    '{before}<span class="claim uncited">{text}</span>{uncited}',
                    before=before,
                    text=isolate(one.text),
                    uncited=UNCITED_MARK,
                )
            )
            at = one.end
    return join(out) + (isolate(text[at:]) if text[at:] else Html())


def uncited_mark(tokens: Sequence[Token], known: SupportLookup) -> Html:
    """The mark of a sentence that should cite something but does not. Nothing for other sentences."""
    if not tokens or any(token.ids for token in tokens):
        return Html()
    return UNCITED_MARK if known.of_uncited(token_text(tokens)) else Html()


def token_text(tokens: Iterable[Token]) -> str:
    """The tokens' text in one piece."""
    return "".join(token.text for token in tokens)


def marked_tokens(
    tokens: Sequence[Token], tag: str, cards: CitationCards, known: SupportLookup
) -> list[Html]:
    """The tokens of a sentence as HTML. Neighbours that all changed, or all did not, make one piece.

    ``tag`` is ``del`` for the draft's tokens and ``ins`` for the refined answer's.
    """
    sentence = token_text(tokens)
    said = "removed" if tag == "del" else "added"
    out = []
    for changed, run in groupby(tokens, key=lambda token: token.changed):
        inner = _tokens(run, sentence, cards, known)
        if changed:
            words, blank = _without_last_blank(inner)
            inner = html(
                '<{tag}><span class="sr">{said}: </span>{words}</{tag}>{blank}',
                tag=tag,
                said=said,
                words=words,
                blank=blank,
            )
        out.append(inner)
    return out


def _without_last_blank(inner: Html) -> tuple[Html, str]:
    """The HTML without its last blank, and that blank. The blank is no part of what changed."""
    for end, kept in ((" </bdi>", Html("</bdi>")), (" ", Html())):
        if inner.endswith(end):
            return inner.removesuffix(end) + kept, " "
    return inner, ""


def _tokens(tokens: Iterable[Token], sentence: str, cards: CitationCards, known: SupportLookup) -> Html:
    out = []
    for cites, run in groupby(tokens, key=lambda token: bool(token.ids)):
        if not cites:
            out.append(isolate(token_text(run)))
            continue
        for token in run:
            support = known.of_claim(token.claim)
            chips = cards.chips(token.ids, support.text if support else sentence, support)
            out.append(
                html("{chips}{mark} ", chips=chips, mark=unsupported_mark(support.verdict) if support else "")
            )
    return join(out)
