"""A long case, made of real texts: sentences of real sources, cited, against a real draft; and criteria to go with it."""

import json
from dataclasses import dataclass
from itertools import cycle

from paths import ROOT

from refiner.text import sentences

WORDS, CLAIMS, CRITERIA = 1500, 30, 12
STANDING = 3
"""Criteria that every request has."""


@dataclass(frozen=True)
class Case:
    """What goes into the fields, and what the scripted engine writes."""

    question: str
    draft: str
    sources: str
    rubric: str
    answer: str


def long_case() -> Case:
    """`WORDS` words or a little more in `CLAIMS` claims and what stands between them, `CRITERIA` criteria in all."""
    rows = [
        json.loads(line)
        for line in (ROOT / "tests/data/refine_cases_sample.jsonl").read_text("utf-8").splitlines()
    ]
    texts = [source["text"] for row in rows for source in row["sources"]]
    blocks = [
        f"<snippet id={n}>\nTitle: Source {n}\nSnippet: {text}\n</snippet>" for n, text in enumerate(texts)
    ]
    parts, words, claims = [], 0, 0
    cited = cycle((n, sentence.text) for n, text in enumerate(texts) for sentence in sentences.split(text))
    for place, (n, text) in enumerate(cited):
        if claims < CLAIMS and place % 2 == 0:
            parts.append(f"<snippet id={n}>{text}</snippet>")
            claims += 1
        else:
            parts.append(text)
        words += len(text.split())
        if words >= WORDS and claims == CLAIMS:
            break
    criteria = [
        {"title": f"Point {n}", "description": f"The answer tells what source {n} found.", "weight": n}
        for n in range(1, CRITERIA - STANDING + 1)
    ]
    draft = "\n".join(row["draft"] for row in rows)
    return Case(
        rows[0]["question"],
        draft,
        "\n".join(blocks),
        json.dumps({"positive_rubrics": criteria}),
        f"<answer>{' '.join(parts)}</answer>",
    )
