"""Turns votes into rows of a published data set, as plain data. Pure functions. Knows no files and no hub.

Both answers of a pair are written in the same form: ``<answer>`` with a ``<snippet id=…>`` around each
cited claim. A draft's brackets are rewritten too, so that the notation does not tell which answer is which.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from typing import Any, Literal, cast

from refiner.domain import Answer, Claim, Feedback, Plain, Side, Source
from refiner.feedback.export.scrub import Scrubber, SensitiveKind
from refiner.feedback.storage.store import Vote
from refiner.formats.answer import defang, parse, write
from refiner.prompts.prompt_file import PromptTemplate

Row = dict[str, Any]
ExclusionReason = Literal["tie", "both_bad", "incomplete", "same"]
"""Why a vote makes no row: a tie, both bad, a missing text (incomplete), or two equal answers (same)."""

FLAT_COLUMNS: Mapping[str, type] = {
    "id": str,
    "run_id": str,
    "created_at": str,
    "choice": str,
    "stars": int,
    "comment": str,
    "reasons": str,
    "criteria": str,
    "claims": str,
    "blind": bool,
    "left": str,
    "rater": str,
    "consent_version": str,
    "question": str,
    "sources": str,
    "draft": str,
    "answer": str,
    "model": str,
    "judge": str,
    "prompt_version": str,
    "form": str,
    "run": str,
    "scrubbed": str,
    "deleted": bool,
}
"""The columns of a flat row. Each holds str, int or bool, or null.

Nested values are JSON text, so that no column's type depends on the votes: ``reasons``, ``criteria``,
``claims``, ``sources``, ``run`` (the rest of the run's record) and ``scrubbed`` (how many different strings
were taken out, by kind).
"""

_RUN_COLUMNS = ("question", "draft", "answer", "model", "judge", "prompt_version", "form")


@dataclass(frozen=True, slots=True)
class VoteTexts:
    """The parsed texts of a vote: the question, the sources and both answers."""

    question: str
    sources: tuple[Source, ...]
    draft: Answer
    refined: Answer

    @classmethod
    def of(cls, vote: Vote) -> "VoteTexts":
        """Reads the texts from the run's record. Missing texts are empty."""
        run = vote.feedback.run
        sources = tuple(_source(one) for one in _list(run, "sources"))
        ids = [source.id for source in sources]
        draft = parse(_text(run, "draft"), ids, expect_block=False)
        return cls(_text(run, "question"), sources, draft, parse(_text(run, "answer"), ids))

    @property
    def prompt(self) -> str:
        """The question and the sources as in the built-in prompt, without its instructions and the draft."""
        return _built_in_prompt().material_text(self.question, self.sources)


def scrub_vote(vote: Vote, scrubber: Scrubber) -> tuple[Vote, Counter[SensitiveKind]]:
    """Returns the vote with its texts scrubbed, and how many different strings were taken out, by kind."""
    feedback = vote.feedback
    texts, removed = scrubber.scrub_all({"run": feedback.run, "comment": feedback.comment})
    return replace(vote, feedback=replace(feedback, **texts)), Counter(kind for kind, _ in removed)


def exclusion_from_pairs(vote: Vote) -> ExclusionReason | None:
    """Returns why a vote makes no preference pair, or None if it makes one."""
    return "both_bad" if vote.feedback.choice == "both_bad" else exclusion_from_kto(vote)


def exclusion_from_kto(vote: Vote) -> ExclusionReason | None:
    """Returns why a vote makes no rows for KTO, or None if it makes them.

    "Both bad" makes rows here: both answers are undesirable.
    """
    return "tie" if vote.feedback.choice == "tie" else _unusable(vote)


def preference_row(vote: Vote) -> Row:
    """Returns a row of TRL's conversational preference format.

    Only for votes where `exclusion_from_pairs` returns None.
    """
    texts = VoteTexts.of(vote)
    sides: dict[Side, Answer] = {"refined": texts.refined, "draft": texts.draft}
    chosen = sides.pop(cast("Side", vote.feedback.choice))
    (rejected,) = sides.values()
    return {
        "prompt": _chat_turn("user", texts.prompt),
        "chosen": _chat_turn("assistant", answer_text(chosen)),
        "rejected": _chat_turn("assistant", answer_text(rejected)),
        **_origin(vote),
    }


def unpaired_rows(vote: Vote) -> tuple[Row, Row]:
    """Returns two rows of TRL's conversational unpaired format, the refined answer's first.

    ``label`` is true for the preferred answer.
    """
    texts = VoteTexts.of(vote)
    prompt = _chat_turn("user", texts.prompt)
    refined, draft = (
        {
            "prompt": prompt,
            "completion": _chat_turn("assistant", answer_text(answer)),
            "label": vote.feedback.choice == side,
            **_origin(vote),
        }
        for side, answer in (("refined", texts.refined), ("draft", texts.draft))
    )
    return refined, draft


def flat_row(vote: Vote, removed: Mapping[SensitiveKind, int]) -> Row:
    """Returns the whole vote in the columns of `FLAT_COLUMNS`. ``removed`` counts removed strings by kind."""
    feedback, run = vote.feedback, vote.feedback.run
    other_fields = {name: value for name, value in run.items() if name not in {*_RUN_COLUMNS, "sources"}}
    return {
        "id": vote.id,
        "run_id": feedback.run_id,
        "created_at": vote.created_at.isoformat(),
        "choice": feedback.choice,
        "stars": feedback.stars,
        "comment": feedback.comment,
        "reasons": _json(feedback.reasons),
        "criteria": _json(feedback.criteria),
        "claims": _json(feedback.claims),
        "blind": feedback.blind,
        "left": feedback.left,
        "rater": feedback.rater,
        "consent_version": feedback.consent_version,
        **{name: _text(run, name) for name in _RUN_COLUMNS},
        "sources": _json(_list(run, "sources")),
        "run": _json(other_fields),
        "scrubbed": _json(removed),
        "deleted": False,
    }


def tombstone(event_id: str, run_id: str | None) -> Row:
    """Returns a flat row that withdraws the vote of this event and all earlier lines of its run."""
    return {**dict.fromkeys(FLAT_COLUMNS), "id": event_id, "run_id": run_id, "deleted": True}


def answer_text(answer: Answer) -> str:
    """Returns an answer in the refiner's form. Nothing in its text reads as a tag or as a turn of a chat."""
    parts: list[Plain | Claim] = []
    for plain, group in groupby(answer.parts, lambda part: isinstance(part, Plain)):
        if plain:  # joined before defanging: two harmless halves can make a tag
            parts.append(Plain(defang("".join(part.text for part in group)), 0, 0))
        else:
            parts += [replace(part, text=defang(part.text)) for part in group]
    return write(replace(answer, parts=tuple(parts)))


def _unusable(vote: Vote) -> ExclusionReason | None:
    texts = VoteTexts.of(vote)
    if not (texts.question.strip() and texts.draft.text.strip() and texts.refined.text.strip()):
        return "incomplete"
    return "same" if answer_text(texts.draft) == answer_text(texts.refined) else None


def _origin(vote: Vote) -> Row:
    """Returns the columns that tell a pair's origin and its possible biases. TRL ignores these columns."""
    feedback: Feedback = vote.feedback
    return {
        "id": vote.id,
        "rater": feedback.rater,
        "blind": feedback.blind,
        "left": feedback.left,
        "model": _text(feedback.run, "model"),
        "prompt_version": _text(feedback.run, "prompt_version"),
    }


def _chat_turn(role: str, content: str) -> list[dict[str, str]]:
    return [{"role": role, "content": content}]


def _source(value: object) -> Source:
    fields = value if isinstance(value, Mapping) else {}
    return Source(*(_text(fields, name) for name in ("id", "text", "title", "url")))


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _list(fields: Mapping[str, object], name: str) -> list[object]:
    value = fields.get(name)
    return list(value) if isinstance(value, list | tuple) else []


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


@cache
def _built_in_prompt() -> PromptTemplate:
    return PromptTemplate.from_file()
