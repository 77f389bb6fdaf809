"""Checks a run's values beyond their types: ranges, spans, ids and sizes. Used on runs that come from a file."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from refiner.domain import (
    Aggregate,
    Answer,
    CitationReward,
    Claim,
    ClaimSupport,
    Criterion,
    Finding,
    Passage,
    Plain,
    Refinement,
    Request,
    Reward,
    Source,
    Trim,
    Usage,
    Verdict,
)
from refiner.formats.tags import safe_id
from refiner.scoring.rubrics import MAX_WEIGHT

_ROUNDING_TOLERANCE = 1e-9
"""How far outside its interval rounding may put a mean."""

_MAX_SOURCES, _MAX_CITED_IDS, _MAX_ANSWER_LENGTH = 2_000, 2_000, 500_000
"""Limits on the sources, on the ids that an answer cites and its verdicts, and on an answer's characters.

They lie beyond what models read and write. The time that `render` takes grows with their products.
"""


def find_value_error(value: object) -> str:
    """Say in words what is wrong with one value. An empty text means that it is sound."""
    holds, wrong = _RULES.get(type(value), (_accept_all, ""))
    return "" if holds(value) else wrong


def find_inconsistency(run: Refinement) -> str:
    """Say in words which values of a run contradict each other. An empty text means that none do.

    Each value must be sound on its own (`find_value_error`).
    """
    texts = {source.id: source.text for source in run.request.sources}
    if len(texts) < len(run.request.sources):
        return "has two sources with one id"
    return _find_reward_mismatch(run.draft, run.draft_reward, texts) or _find_reward_mismatch(
        run.answer, run.reward, texts
    )


def _find_reward_mismatch(answer: Answer, reward: Reward, texts: Mapping[str, str]) -> str:
    supports = reward.citation.supports
    if [(one.text, one.ids) for one in answer.claims] != [(one.text, one.ids) for one in supports if one.ids]:
        return "has verdicts on other claims than its answers make"
    passages = (passage for support in supports for passage in support.passages)
    if any(passage.end > len(texts.get(passage.source_id, "")) for passage in passages):
        return "has a passage that lies in none of its sources"
    return ""


def _accept_all(_: object) -> bool:
    return True


def _is_share(value: float | None) -> bool:
    return value is None or 0 <= value <= 1


def _spans_its_text(part: Plain | Claim) -> bool:
    return part.start >= 0 and part.end - part.start == len(part.text)


def _is_sound_answer(one: Answer) -> bool:
    rising = all(before.end <= after.start for before, after in pairwise(one.parts))
    same = all(one.raw[part.start : part.end] == part.text for part in one.parts)
    cited = sum(len(claim.ids) for claim in one.claims)
    return rising and same and cited <= _MAX_CITED_IDS and len(one.raw) <= _MAX_ANSWER_LENGTH


def _is_sound_aggregate(one: Aggregate) -> bool:
    inside = one.value is None or one.lo - _ROUNDING_TOLERANCE <= one.value <= one.hi + _ROUNDING_TOLERANCE
    shares = all(map(_is_share, (one.value, one.lo, one.hi, one.coverage)))
    return shares and inside and one.lo <= one.hi and one.n >= 0


def _is_sound_usage(one: Usage) -> bool:
    counts = (
        one.prompt_tokens,
        one.completion_tokens,
        one.forward_passes,
        one.guessed_tokens,
        one.reused_tokens,
    )
    return min(*counts, one.prefill_seconds, one.seconds, one.grammar_seconds, one.drafting_seconds) >= 0


_RULES: Mapping[type, tuple[Callable[[Any], bool], str]] = {
    Source: (lambda one: one.id != "" and safe_id(one.id) == one.id, "has an id that cannot be cited"),
    Criterion: (
        lambda one: 0 < one.weight < MAX_WEIGHT,
        f"has a weight that is not between 0 and {MAX_WEIGHT:g}",
    ),
    Plain: (_spans_its_text, "does not span its text"),
    Claim: (
        lambda one: _spans_its_text(one) and len(one.ids) > 0,
        "does not span its text, or cites nothing",
    ),
    Answer: (_is_sound_answer, "is too long, or does not consist of stretches of its text in their order"),
    Request: (lambda one: len(one.sources) <= _MAX_SOURCES, f"has more than {_MAX_SOURCES:,} sources"),
    Finding: (lambda one: one.line is None or one.line >= 0, "has a negative line"),
    Verdict: (lambda one: _is_share(one.value) and _is_share(one.confidence), "is out of the range 0 to 1"),
    Aggregate: (_is_sound_aggregate, "is no value in an interval from 0 to 1"),
    CitationReward: (
        lambda one: _is_share(one.validity) and len(one.supports) <= _MAX_CITED_IDS,
        f"is out of the range 0 to 1, or has more than {_MAX_CITED_IDS:,} verdicts",
    ),
    ClaimSupport: (lambda one: len(one.by_source) in {0, len(one.ids)}, "has not one verdict a source"),
    Passage: (lambda one: 0 <= one.start <= one.end, "is no stretch of a text"),
    Trim: (lambda one: 0 <= one.kept <= one.of, "keeps more sentences than there are"),
    Usage: (_is_sound_usage, "has a negative figure"),
}
