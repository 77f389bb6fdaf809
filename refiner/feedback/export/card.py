"""The card of a published data set: its format, counts, words of consent, licence and biases.

Writes no files.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from refiner.feedback.consent import VERSIONS
from refiner.feedback.export.formats import Format
from refiner.feedback.export.rows import FLAT_COLUMNS, ExclusionReason
from refiner.feedback.export.scrub import SensitiveKind
from refiner.feedback.insight import biases
from refiner.feedback.insight.biases import Proportion
from refiner.feedback.storage.store import Vote

_TEXTS = (
    "The prompt is the question and all sources in full, as the refining model sees them, without the draft "
    "and without instructions. Both answers are in the refiner's form, `<answer>` with `<snippet id=ID>` "
    "around each cited claim. A rule rewrote the drafts' bracket citations, so that the notation does not "
    "tell the two apart. The rule may take more or less of a sentence for the cited claim than its author "
    "meant. That can still tell a draft."
)
_NESTED = (
    "`reasons`, `criteria`, `claims`, `sources`, `run` and `scrubbed` (how many strings were taken out, "
    "by kind) are JSON texts, so that each column keeps its type."
)
_FORMATS: Mapping[Format, str] = {
    "trl": "Preference pairs for TRL (DPO, reward models): conversational `prompt`, `chosen`, `rejected`. "
    "A vote for either answer is a row. A tie is none, nor is “both bad”, as neither prefers one answer."
    f"\n\n{_TEXTS}",
    "kto": "Unpaired preferences for TRL (KTO): conversational `prompt`, `completion`, and `label`. A vote "
    "for either answer is two rows, the preferred one true. “Both bad” is two rows, both "
    "false. A tie is none."
    f"\n\n{_TEXTS}",
    "argilla": "Records for Argilla 2: `settings.json` for `argilla.Settings.from_json`, each of "
    "`records.json` for `argilla.Record.from_dict`. The rating is a human's suggestion, as a response would "
    "have to belong to a user of the server.",
    "jsonl": f"One vote a line. {_NESTED}",
    "parquet": f"One vote a row. {_NESTED}",
}
_REASONS: Mapping[ExclusionReason, str] = {
    "tie": "tie",
    "both_bad": "both bad",
    "incomplete": "question or an answer missing",
    "same": "both answers the same",
}
_KINDS: Mapping[SensitiveKind, str] = {
    "email": "e-mail addresses",
    "phone": "phone numbers",
    "key": "keys and tokens",
}
_SIZES = (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")


@dataclass(frozen=True, slots=True)
class ExportCounts:
    """The counts of an export.

    ``votes`` is how many there were, ``withheld`` how many had no consent to publish, ``rows`` how many rows
    were written. ``left_out`` counts votes by reason, ``scrubbed`` counts the strings taken out by kind.
    """

    votes: int
    withheld: int
    rows: int
    left_out: Counter[ExclusionReason]
    scrubbed: Counter[SensitiveKind]


def card(kind: Format, votes: Sequence[Vote], counts: ExportCounts, licence: str, data_files: str) -> str:
    """Returns the text of ``README.md``.

    ``votes`` are those with consent, ``data_files`` is the path of the rows.
    """
    body = _read_template("card").substitute(
        format=_FORMATS[kind],
        counts=_table(("", "votes"), _count_rows(counts)),
        scrubbed=_table(
            ("kind", "taken out"), [(words, counts.scrubbed[one]) for one, words in _KINDS.items()]
        ),
        consent=_consent_lines(votes),
        licence=_inline_code(licence),
        biases=_table(("", "share", "of"), _bias_rows(votes)),
        models=_table(("model", "prompt", "votes"), _model_rows(votes)),
    )
    return f"{_front_matter(licence, data_files, [_size_category(counts.rows)])}\n\n{body}"


def live_card(licence: str, data_files: str) -> str:
    """Returns the card of a data set that grows vote by vote.

    It gives no counts, as they would soon be out of date.
    """
    body = _read_template("live_card").substitute(
        columns=", ".join(_inline_code(name) for name in FLAT_COLUMNS),
        nested=_NESTED,
        consent="\n".join(_consent_line(version) for version in VERSIONS),
        licence=_inline_code(licence),
    )
    return f"{_front_matter(licence, data_files)}\n\n{body}"


def _read_template(name: str) -> Template:
    return Template(Path(__file__).with_name(f"{name}.txt").read_text(encoding="utf-8"))


def _front_matter(licence: str, data_files: str, sizes: list[str] | None = None) -> str:
    from huggingface_hub import DatasetCardData  # noqa: PLC0415 - only an export needs it

    data = DatasetCardData(
        license=licence,
        task_categories=["text-generation"],
        pretty_name="Refiner preferences",
        size_categories=sizes,
        tags=["preference", "citations", "human-feedback"],
        configs=[{"config_name": "default", "data_files": [{"split": "train", "path": data_files}]}],
    )
    return f"---\n{data.to_yaml()}\n---"


def _size_category(rows: int) -> str:
    return next((name for limit, name in _SIZES if rows < limit), "n>1M")


def _count_rows(counts: ExportCounts) -> list[tuple[str, int]]:
    left_out = [(f"left out: {words}", counts.left_out[one]) for one, words in _REASONS.items()]
    return [
        ("stored", counts.votes),
        ("left out: no consent to publish", counts.withheld),
        *left_out,
        ("**rows here**", counts.rows),
    ]


def _consent_lines(votes: Sequence[Vote]) -> str:
    versions = Counter(vote.feedback.consent_version for vote in votes)
    return "\n".join(
        f"{_consent_line(version)} ({number} votes)" for version, number in sorted(versions.items())
    )


def _consent_line(version: str) -> str:
    known = VERSIONS.get(version)
    words = f"“{known.store}” “{known.publish}”" if known else "words not kept"
    return f"- Version {_inline_code(version)}: {words}"


def _bias_rows(votes: Sequence[Vote]) -> list[tuple[str, str, int]]:
    blind = [vote for vote in votes if vote.feedback.blind]
    seen = [vote for vote in votes if not vote.feedback.blind]
    shares = {
        "the left side won, sides drawn at random and unnamed": biases.left_won(blind),
        "the left side won, sides named": biases.left_won(seen),
        "the longer answer won": biases.longer_won(votes),
        "the refined answer won, sides unnamed": biases.refined_won(blind),
        "the refined answer won, sides named": biases.refined_won(seen),
    }
    return [(words, _percent_with_interval(share), share.n) for words, share in shares.items()]


def _percent_with_interval(share: Proportion) -> str:
    if share.figure is None:
        return "no votes"
    one = share.figure
    return f"{one.value:.1%} [{one.lo:.1%}, {one.hi:.1%}]"


def _model_rows(votes: Sequence[Vote]) -> list[tuple[str, str, int]]:
    runs = [vote.feedback.run for vote in votes]
    numbers = Counter((str(run.get("model")), str(run.get("prompt_version"))) for run in runs)
    return [
        (_inline_code(model), _inline_code(prompt), number)
        for (model, prompt), number in numbers.most_common()
    ]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def _inline_code(text: str) -> str:
    """Returns untrusted text as inline code, on one line. Nothing in it ends the code or the table cell."""
    return f"`{' '.join(text.replace('`', '’').replace('|', '¦').split()) or ' '}`"
