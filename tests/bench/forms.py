"""The forms of holding output to the answer format, compared on real cases: `forms.py CASES.jsonl [--out FOLDER]`.

The embedded model, greedy, 200 new tokens, the forms interleaved case by case. Support is the lexical judge's
estimate. With --out the answers are kept, so that they can be read. Run by `make bench`; prints Markdown.
"""

import argparse
import os
import statistics
from collections.abc import Sequence
from pathlib import Path

from refiner import batch
from refiner.domain import Form, Options
from refiner.engines.choose import local_engine
from refiner.judges.lexical.judge import PROBLEM, LexicalJudge
from refiner.prompts.prompt_file import PromptTemplate
from refiner.settings import Settings

FORMS: tuple[Form, ...] = ("off", "free", "strict", "extractive")
TOKENS = 200
ENDS = (".", "!", "?", "。", ")", "]", '"', "”")


def main() -> None:
    """Run all and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--limit", type=int)
    given = parser.parse_args()
    cases = list(batch.read_cases(given.cases))[: given.limit]
    settings = Settings.from_environment({**os.environ, "REFINER_DEVICE": "cpu", "REFINER_MODEL": ""})
    engine, judge, template = local_engine(settings), LexicalJudge(), PromptTemplate.from_file()
    engine.load()
    work = {form: batch.Batch(engine, judge, template, Options(TOKENS, form)) for form in FORMS}
    rows: dict[Form, list[batch.Row]] = {form: [] for form in FORMS}
    for case in cases:
        for form in FORMS:
            row = work[form].run(case)
            rows[form].append(row)
            if given.out:
                given.out.mkdir(parents=True, exist_ok=True)
                with (given.out / f"{form}.jsonl").open("a", encoding="utf-8") as out:
                    out.write(batch.line_of(row))
    print(f"{len(cases)} cases, {TOKENS} new tokens, {engine.info.name}, {engine.info.detail}")
    print()
    print(
        "| form | no finding | cites an invented id | a cited claim | claims, median | words, median | "
        "claims that end a sentence | estimated support | problem found | passes a token | seconds, median |"
    )
    print("|---|" + "---:|" * 10)
    for form in FORMS:
        print(line(form, cases, rows[form]))


def line(form: Form, cases: Sequence[batch.Case], rows: Sequence[batch.Row]) -> str:
    """One form's row of the table."""
    good = [row for row in rows if "error" not in row]
    summary = batch.summarise(cases, rows)
    claims = [claim for row in good for claim in row["claims"]]  # type: ignore[attr-defined]  # JSON
    supports = [one for row in good for one in row["reward"]["citation"]["supports"] if one["ids"]]  # type: ignore[index]  # JSON
    values = [one["value"] for one in supports if one["value"] is not None]
    whole = sum(claim["text"].rstrip().endswith(ENDS) for claim in claims)
    passes = sum(row["forward_passes"] for row in good) / sum(row["completion_tokens"] for row in good)  # type: ignore[misc]  # JSON
    counts = [len(row["claims"]) for row in good]  # type: ignore[arg-type]  # JSON
    words = [len(str(row["text"]).split()) for row in good]
    problems = sum(one["label"] == PROBLEM for one in supports)

    def share(part: float, of: Sequence[object]) -> str:
        return f"{part / len(of):.0%}" if of else "none"

    mean = f"{statistics.mean(values):.2f}" if values else "none"
    return (
        f"| {form} | {share(summary.clean, good)} | {summary.invented} | {share(summary.cited, good)} "
        f"| {statistics.median(counts):.0f} | {statistics.median(words):.0f} | {share(whole, claims)} "
        f"| {mean} | {share(problems, supports)} | {passes:.2f} | {summary.seconds:.1f} |"
    )


if __name__ == "__main__":
    main()
