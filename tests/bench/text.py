"""The parts that need no model, on the sample cases: diff, prompt, quotes, lexical judge. Prints Markdown."""

import json
import random
import statistics
import time
from collections.abc import Callable, Sequence

from paths import DATA

from refiner.diff import compare
from refiner.domain import Check, Source
from refiner.formats import answer, sources
from refiner.judges.lexical.judge import LexicalJudge
from refiner.prompts import quotes
from refiner.render.changes.diff import diff_views
from refiner.render.citations.cards import CitationCards
from refiner.text import relevance

ROUNDS = 9


def main() -> None:
    """Print the table."""
    cases = [
        json.loads(line) for line in (DATA / "refine_cases_sample.jsonl").read_text("utf-8").splitlines()
    ]
    labels = [json.loads(line) for line in (DATA / "scifact_labels.jsonl").read_text("utf-8").splitlines()]
    words = " ".join(text for row in labels for text in row["evidence"]).split()[:3000]
    dice = random.Random(1)  # noqa: S311 - a repeatable edit, no secret
    edited = [word for word in words if dice.random() > 0.1]
    before = answer.parse(" ".join(words), expect_block=False)
    after = answer.parse(" ".join(edited), expect_block=False)
    found, _ = sources.from_objects(cases[0]["sources"])
    draft = answer.parse(cases[0]["draft"], [one.id for one in found], expect_block=False)
    texts = [text for row in labels for text in row["evidence"]]
    many = [sentence for text in texts for sentence in text.split(". ")][:500]
    checks = [
        Check("support", "", "", row["claim"], (Source("0", f"{row['evidence'][0]} {n}"),))
        for n in range(14)
        for row in labels
    ][:1000]
    judge = LexicalJudge()
    print("| what | milliseconds, median (range) |")
    print("|---|---:|")
    row(f"diff, {len(words):,} words against {len(edited):,}", lambda: compare(before, after))
    changes = compare(before, after)
    row("its three views as HTML", lambda: diff_views(changes, after, CitationCards(())))
    row("an answer of 3,000 words read", lambda: answer.parse(before.raw, expect_block=False))
    row(f"relevance of {len(many)} sentences", lambda: relevance.rank(labels[0]["claim"], many))
    row("quotes of a real case", lambda: quotes.groups(draft, found, count, 1000))
    row("lexical judge, 1,000 checks", lambda: list(judge.judge(checks)))


def count(texts: Sequence[str]) -> list[int]:
    """Words stand for tokens."""
    return [len(text.split()) for text in texts]


def row(name: str, work: Callable[[], object]) -> None:
    """One line of the table."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    print(f"| {name} | {statistics.median(times):.1f} ({min(times):.1f}–{max(times):.1f}) |")


if __name__ == "__main__":
    main()
