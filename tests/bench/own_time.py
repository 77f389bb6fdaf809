"""What a decoding pass takes beside the model: guessing and grammar, in milliseconds, on Qwen's vocabulary.

`own_time.py [CASES] [--limit N]`. Answers made by rule from the drafts (`edits.py`) are written as a model that wants
their words would write them. No model runs. Prints Markdown.
"""

import argparse
import gc
import statistics
import time
from pathlib import Path

import edits
import tiny
from paths import SAMPLE_CASES

from refiner import batch
from refiner.decoding.constrained_writer import ConstrainedWriter
from refiner.decoding.grammar import Grammar
from refiner.decoding.lookup_text import LookupText
from refiner.decoding.proposer import MAX_DRAFT_TOKENS, Proposer
from refiner.decoding.vocabulary import Vocabulary
from refiner.domain import Request
from refiner.formats.answer import parse
from refiner.prompts.prompt_file import shown

GUESSES_ON_A_GPU = 0.03
"""How probable a guess must be where wide passes are cheap."""
MILLISECONDS = 1000


def passes(vocabulary: Vocabulary, masks: dict[object, object], request: Request, kind: str) -> list[float]:
    """The seconds of each pass of one answer."""
    ids = tuple(source.id for source in request.sources)
    draft = parse(request.draft, ids)
    answer = edits.answer_of(kind, draft, request.sources, "own time").encode()
    if not answer:
        return []
    natural = vocabulary.encode(answer)
    grammar = Grammar(vocabulary, "free", ids, (), masks)  # type: ignore[arg-type]  # one for all cases
    writer = ConstrainedWriter(grammar, len(natural) + 200)
    texts = [request.question, *(source.text for source in request.sources)]
    proposer = Proposer(
        LookupText(shown(draft, request.sources), texts), ids, vocabulary, min_probability=GUESSES_ON_A_GPU
    )
    at, seconds = len(writer.start()), []
    while not writer.finished:
        began = time.perf_counter()
        proposal, accepted = proposer.propose(writer, MAX_DRAFT_TOKENS), 0
        while not writer.finished:
            writer.allowed()
            if accepted == len(proposal) or natural[at] != proposal[accepted].tokens[0]:
                break
            writer = proposal[accepted].writer
            at += len(proposal[accepted].tokens)
            accepted += 1
        proposer.update(writer, proposal, accepted)
        if not writer.finished:
            at += len(writer.accept(natural[at]))
        seconds.append(time.perf_counter() - began)
    return seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="?", type=Path, default=SAMPLE_CASES)
    parser.add_argument("--limit", type=int, default=0)
    arguments = parser.parse_args()
    cases = list(batch.read_cases(arguments.cases))[: arguments.limit or None]
    vocabulary, masks = Vocabulary(tiny.qwen_tokenizer(), tiny.WIDTH), {}
    print("| edits | passes | ms a pass, mean | median | 95th percentile |\n|---|---:|---:|---:|---:|")
    for kind in ("light", "heavy"):
        for _ in range(2):  # the first time makes the masks
            gc.collect()
            found = [one for case in cases for one in passes(vocabulary, masks, batch.request_of(case), kind)]
        found = [one * MILLISECONDS for one in found]
        figures = (statistics.mean(found), statistics.median(found), statistics.quantiles(found, n=20)[-1])
        print(f"| {kind} | {len(found)} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")


if __name__ == "__main__":
    main()
