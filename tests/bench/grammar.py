"""The grammar's share of decoding: live on the embedded model, and per token with Qwen3's vocabulary.

Both on real cases (tests/data). Run by `make bench`; prints Markdown.
"""

import json
import statistics
import tempfile
import threading
import time
from pathlib import Path

import tiny
import torch
from paths import SAMPLE_CASES

from refiner import pipeline
from refiner.decoding.constrained_writer import ConstrainedWriter
from refiner.decoding.grammar import Grammar
from refiner.decoding.sampler import Sampler
from refiner.decoding.vocabulary import Vocabulary
from refiner.domain import Form, Options, Request
from refiner.engines.choose import local_engine
from refiner.engines.local import LocalEngine
from refiner.formats import answer, sources
from refiner.prompts.prompt_file import PromptTemplate
from refiner.settings import Settings

FORMS: tuple[Form, ...] = ("free", "strict", "extractive")


def main() -> None:
    """Print both tables."""
    requests = [request(json.loads(line)) for line in SAMPLE_CASES.read_text(encoding="utf-8").splitlines()]
    print("| form | share of decoding time, median (range) | ms a token |")
    print("|---|---:|---:|")
    with tempfile.TemporaryDirectory() as cache:
        engine = local_engine(Settings(cache_dir=Path(cache), device="cpu"))
        for form in FORMS:
            shares, costs = zip(*(live(engine, one, form) for one in requests), strict=True)
            print(
                f"| {form}, embedded model | {statistics.median(shares):.1%} "
                f"({min(shares):.1%}–{max(shares):.1%}) | {statistics.median(costs):.2f} |"
            )
    vocabulary = Vocabulary(tiny.qwen_tokenizer(), tiny.WIDTH)
    first, later = zip(*(replay(vocabulary, one) for one in requests), strict=True)
    print()
    print("| Qwen3's vocabulary, 151,936 wide, drafts replayed | ms a token, median (range) |")
    print("|---|---:|")
    for name, values in (("first answer (masks are made)", first), ("later answers", later)):
        print(f"| {name} | {statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f}) |")


def request(row: dict[str, object]) -> Request:
    """A case as a request."""
    found, _ = sources.from_objects(row["sources"])  # type: ignore[arg-type]  # as in the file
    return pipeline.request(str(row["question"]), str(row["draft"]), found)


def live(engine: LocalEngine, one: Request, form: Form) -> tuple[float, float]:
    """The grammar's share of decoding time, prefill not counted, and its milliseconds a token."""
    draft, prompt = pipeline.read_and_prompt(one, engine, PromptTemplate.from_file())
    job = pipeline.generation_request(prompt, draft, engine, Options(120, form))
    *_, last = engine.stream(job, threading.Event())
    usage = last.usage
    return (
        usage.grammar_seconds / (usage.seconds - usage.prefill_seconds),
        1000 * usage.grammar_seconds / usage.completion_tokens,
    )


def replay(vocabulary: Vocabulary, one: Request) -> tuple[float, float]:
    """Milliseconds a token for the draft written as an answer, with no mask made before and with all."""
    draft = answer.parse(one.draft, [source.id for source in one.sources], expect_block=False)
    ids = tuple({name: None for claim in draft.claims for name in claim.ids})
    text = answer.write(draft).encode()
    grammar, pick = Grammar(vocabulary, "free", ids), Sampler(0.0, None)
    times = []
    for _ in range(2):
        writer, steps, spent = ConstrainedWriter(grammar, 8192), 0, 0.0
        written = vocabulary.decode(writer.start())
        while not writer.finished:
            assert text.startswith(written), "the grammar forced what the draft does not say"
            logits = torch.full((vocabulary.size,), -1.0)
            for size in range(1, vocabulary.longest_token + 1):  # the longest token that is allowed wins
                token = vocabulary.token_by_bytes.get(text[len(written) : len(written) + size])
                if token is not None:
                    logits[token] = float(size)
            began = time.perf_counter()
            tokens = writer.accept(pick(logits, writer.allowed()))
            spent += time.perf_counter() - began
            written += vocabulary.decode(tokens)
            steps += 1
        times.append(1000 * spent / steps)
    return times[0], times[1]


if __name__ == "__main__":
    main()
