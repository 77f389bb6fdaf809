"""Votes as records of Argilla 2, and the settings of their data set.

This is plain data: Argilla is not needed.

A rating becomes a human's suggestion, not a response. A response belongs to a user of the Argilla server, and
the raters are not its users.
"""

from typing import Any

from refiner.domain import Source
from refiner.feedback.export.rows import Row, VoteTexts, answer_text
from refiner.feedback.storage.store import Vote

_FIELDS = {"question": "Question", "sources": "Sources", "draft": "Draft", "refined": "Refined answer"}
_CHOICES = {
    "refined": "Refined better",
    "draft": "Draft better",
    "tie": "Tie",
    "both_bad": "Both bad",
}
_METADATA = ("model", "prompt_version", "consent_version", "left", "blind", "rater")
_GUIDELINES = (
    "Which of the two answers is better? Each claim should be supported by the sources that it cites."
)


def record(vote: Vote) -> Row:
    """Returns the vote as `argilla.Record.from_dict` reads it."""
    feedback, texts = vote.feedback, VoteTexts.of(vote)
    suggestions = {
        "preference": feedback.choice,
        "stars": feedback.stars,
        "comment": feedback.comment or None,
    }
    metadata = {
        "model": feedback.run.get("model"),
        "prompt_version": feedback.run.get("prompt_version"),
        "consent_version": feedback.consent_version,
        "left": feedback.left,
        "blind": "yes" if feedback.blind else "no",
        "rater": feedback.rater,
    }
    return {
        "id": vote.id,
        "fields": {
            "question": texts.question,
            "sources": "\n\n".join(_source_text(source) for source in texts.sources),
            "draft": answer_text(texts.draft),
            "refined": answer_text(texts.refined),
        },
        "suggestions": {
            name: {"value": value, "type": "human", "agent": feedback.rater or "rater"}
            for name, value in suggestions.items()
            if value is not None
        },
        "metadata": {name: str(metadata[name]) for name in _METADATA if metadata[name]},
    }


def settings() -> dict[str, Any]:
    """Returns the settings of the data set as `argilla.Settings.from_json` reads them."""
    text = {"type": "text", "use_markdown": False}
    choices = [{"value": value, "text": words} for value, words in _CHOICES.items()]
    return {
        "guidelines": _GUIDELINES,
        "fields": [
            {"name": name, "title": title, "required": True, "settings": text}
            for name, title in _FIELDS.items()
        ],
        "questions": [
            _question("preference", "Which is better?", {"type": "label_selection", "options": choices}),
            _question("stars", "Stars of the refined answer", {"type": "rating", "options": _stars()}),
            _question("comment", "What decided it?", text),
        ],
        "metadata": [
            {
                "name": name,
                "title": name.replace("_", " "),
                "visible_for_annotators": name not in {"model", "left", "rater"},
                "settings": {"type": "terms"},
            }
            for name in _METADATA
        ],
        "vectors": [],
        "allow_extra_metadata": False,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "mapping": None,
    }


def _source_text(source: Source) -> str:
    head = f"[{source.id}] {source.title}".rstrip()
    return "\n".join(line for line in (head, source.text, source.url) if line)


def _question(name: str, title: str, of: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "title": title, "required": name == "preference", "settings": of}


def _stars() -> list[dict[str, int]]:
    return [{"value": value} for value in range(1, 6)]
