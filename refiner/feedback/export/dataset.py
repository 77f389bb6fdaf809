"""Exports votes into a folder that `datasets.load_dataset` reads: a file of rows, and a card.

Exports only votes with consent to publish, and scrubs every text.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from refiner.errors import InputError
from refiner.feedback.export import argilla, rows
from refiner.feedback.export.card import ExportCounts, card
from refiner.feedback.export.formats import Format
from refiner.feedback.export.rows import FLAT_COLUMNS, ExclusionReason, Row
from refiner.feedback.export.scrub import Scrubber, SensitiveKind
from refiner.feedback.storage.store import Vote

LICENCE = "cc-by-4.0"


def export(
    votes: Sequence[Vote], kind: Format, folder: Path, scrubber: Scrubber, licence: str = LICENCE
) -> ExportCounts:
    """Writes the folder and returns the counts.

    Raises `InputError` if the folder is not empty, since consent to an earlier export may be withdrawn by
    now. Also raises it if no vote makes a row, if the folder cannot be written, or if Parquet lacks pyarrow.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not an empty folder. Name a new folder.")
    cleaned = [rows.scrub_vote(vote, scrubber) for vote in votes if vote.feedback.consent_publish]
    published = [vote for vote, _ in cleaned]
    output_rows, left_out = export_rows(cleaned, kind)
    scrubbed = sum((removed for _, removed in cleaned), Counter[SensitiveKind]())
    counts = ExportCounts(len(votes), len(votes) - len(published), len(output_rows), left_out, scrubbed)
    if not output_rows:
        raise InputError(f"There is nothing to export: {describe_counts(counts)}.")
    name = "records.json" if kind == "argilla" else f"data/train.{_file_extension(kind)}"
    file = folder / name
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(output_rows, kind, file)
        (folder / "README.md").write_text(card(kind, published, counts, licence, name), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error}.") from error
    return counts


def export_rows(
    cleaned: Sequence[tuple[Vote, Counter[SensitiveKind]]], kind: Format
) -> tuple[list[Row], Counter[ExclusionReason]]:
    """Returns the rows of scrubbed votes, and how many votes make no row, by reason."""
    if kind == "argilla":
        return [argilla.record(vote) for vote, _ in cleaned], Counter()
    if kind not in {"trl", "kto"}:
        return [rows.flat_row(vote, removed) for vote, removed in cleaned], Counter()
    exclusion = rows.exclusion_from_pairs if kind == "trl" else rows.exclusion_from_kto
    reasons = [(vote, exclusion(vote)) for vote, _ in cleaned]
    kept = [vote for vote, reason in reasons if reason is None]
    output_rows = [
        row
        for vote in kept
        for row in ((rows.preference_row(vote),) if kind == "trl" else rows.unpaired_rows(vote))
    ]
    return output_rows, Counter(reason for _, reason in reasons if reason is not None)


def describe_counts(counts: ExportCounts) -> str:
    """Returns the counts as one line of text."""
    parts = [f"{counts.votes} votes", f"{counts.withheld} without consent to publish"]
    parts += [f"{number} left out ({reason.replace('_', ' ')})" for reason, number in counts.left_out.items()]
    parts += [f"{number} {kind} strings taken out" for kind, number in counts.scrubbed.items()]
    return ", ".join((*parts, f"{counts.rows} rows"))


def _file_extension(kind: Format) -> str:
    return "parquet" if kind == "parquet" else "jsonl"


def _write(output_rows: Sequence[Row], kind: Format, file: Path) -> None:
    if kind == "parquet":
        _write_parquet(output_rows, file)
    elif kind == "argilla":
        file.write_text(json.dumps(output_rows, ensure_ascii=False, indent=1), encoding="utf-8")
        settings = json.dumps(argilla.settings(), ensure_ascii=False, indent=1)
        file.with_name("settings.json").write_text(settings, encoding="utf-8")
    else:
        file.write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in output_rows), encoding="utf-8"
        )


def _write_parquet(output_rows: Sequence[Row], file: Path) -> None:
    try:
        import pyarrow as pa  # noqa: PLC0415 - only this format needs it
        from pyarrow import parquet  # noqa: PLC0415 - the same
    except ImportError as error:
        raise InputError(
            "Parquet needs pyarrow: pip install pyarrow. The format jsonl holds the same."
        ) from error
    types = {str: pa.string(), int: pa.int64(), bool: pa.bool_()}
    schema = pa.schema([(name, types[of]) for name, of in FLAT_COLUMNS.items()])
    parquet.write_table(pa.Table.from_pylist(list(output_rows), schema), file)
