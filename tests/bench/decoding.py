"""Decoding live on the embedded model: ours beside transformers' `generate`, plain and with prompt lookup.

`decoding.py [SAMPLE_CASES.jsonl] [--limit N] [--only PART…]`: greedy unless it is said, two threads, the ways in turn case by
case in one process. Equal tokens are a gate: a difference in fp32 ends the run. Prints Markdown.
"""

import argparse
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import judging
import torch
from paths import SAMPLE_CASES

from refiner import batch, pipeline
from refiner.decoding.kv_cache import KVCache
from refiner.domain import Form, GenerationProgress, Message, Options, Usage
from refiner.engines.choose import local_engine
from refiner.engines.loaded_model import LoadedModel
from refiner.engines.local import LocalEngine
from refiner.engines.protocol import GenerationRequest
from refiner.judges.logits import prompts as judge_prompts
from refiner.prompts.prompt_file import PromptTemplate
from refiner.settings import Settings

TOKENS, THREADS, ROUNDS = 120, 2, 3
WIDTHS = (1, 2, 4, 8, 16, 32, 48)
STORIES = (
    "Tell a story about a lighthouse.",
    "Describe a market in the morning.",
    "Invent a recipe and praise it.",
)


@dataclass(frozen=True, slots=True)
class Run:
    """What one way did: the text or tokens, passes, and seconds after the prompt was read."""

    said: Any
    tokens: int
    passes: int
    seconds: float
    own: float = 0.0
    guessing: float = 0.0


def main() -> None:
    """Print every part, or those asked for."""
    parts = {
        "forwards": forwards,
        "live": live,
        "novel": novel,
        "halves": halves,
        "growth": growth,
        "whole": whole,
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", type=Path, nargs="?", default=SAMPLE_CASES)
    parser.add_argument("--limit", type=int, default=12)
    parser.add_argument("--only", nargs="*", choices=parts, default=list(parts))
    given = parser.parse_args()
    engine = local_engine(replace(Settings.from_environment({}), device="cpu", threads=THREADS))
    engine.load()
    print(f"{engine.info.name}, {engine.info.detail.split(', loaded')[0]}, {THREADS} threads\n")
    jobs = [job_of(engine, case) for case in list(batch.read_cases(given.cases))[: given.limit]]
    for name in given.only:
        parts[name](engine, jobs)
        print()


def job_of(engine: LocalEngine, case: batch.Case, tokens: int = TOKENS) -> GenerationRequest:
    """What is to be written, in the strict form."""
    draft, prompt = pipeline.read_and_prompt(batch.request_of(case), engine, PromptTemplate.from_file())
    return pipeline.generation_request(prompt, draft, engine, Options(tokens, "strict"))


# --- ways to write ------------------------------------------------------------------------------------


@contextmanager
def forward_seconds() -> Iterator[list[float]]:
    """The seconds of each forward pass while it lasts."""
    times: list[float] = []
    read = KVCache.forward

    def timed(self: KVCache, *args: Any, **more: Any) -> torch.Tensor:
        began = time.perf_counter()
        logits = read(self, *args, **more)
        times.append(time.perf_counter() - began)
        return logits

    KVCache.forward = timed  # type: ignore[method-assign]
    try:
        yield times
    finally:
        KVCache.forward = read  # type: ignore[method-assign]


def ours(engine: LocalEngine, job: GenerationRequest, *, guess: bool = True) -> Run:
    """Our loop, from an empty memory."""
    engine.release()
    drafter = LoadedModel.proposer
    if not guess:
        LoadedModel.proposer = lambda *_: None  # type: ignore[method-assign]
    try:
        with forward_seconds() as times:
            first, last = None, GenerationProgress("", Usage())
            for last in engine.stream(job, threading.Event()):
                first = first or (last, len(times))
    finally:
        LoadedModel.proposer = drafter  # type: ignore[method-assign]
    assert first is not None
    usage = last.usage
    seconds = usage.seconds - usage.prefill_seconds
    passes = len(times) - first[1]
    own = (seconds - sum(times[first[1] :])) / max(1, passes)
    return Run(last.text, usage.completion_tokens, usage.forward_passes, seconds, own, usage.drafting_seconds)


def generate(engine: LocalEngine, job: GenerationRequest, **more: Any) -> Run:
    """The library's own, greedy, with no grammar; seconds after the first token."""
    loaded = engine.loaded()
    prompt = torch.tensor([loaded.prompt_tokens(job.messages)])
    passes: list[float] = []
    forward = loaded.model.forward

    def counted(*args: Any, **kwargs: Any) -> Any:
        output = forward(*args, **kwargs)
        passes.append(time.perf_counter())
        return output

    loaded.model.forward = counted
    try:
        with torch.inference_mode():
            found = loaded.model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=job.max_new_tokens,
                do_sample=False,
                repetition_penalty=1.0,
                **more,
            )
        seconds = time.perf_counter() - passes[0]
    finally:
        loaded.model.forward = forward
    written = found[0, prompt.shape[1] :].tolist()
    return Run(loaded.vocabulary.decode(written).decode(errors="ignore"), len(written), len(passes), seconds)


# --- parts --------------------------------------------------------------------------------------------


def forwards(engine: LocalEngine, jobs: Sequence[GenerationRequest]) -> None:
    """What a pass over more tokens costs."""
    loaded = engine.loaded()
    prompt = loaded.prompt_tokens(jobs[0].messages)
    memory = loaded.cache(len(prompt) + 64)
    memory.forward(prompt[:-50], [0])
    times: dict[int, list[float]] = {width: [] for width in WIDTHS}
    for _ in range(12):
        for width in WIDTHS:
            began = time.perf_counter()
            memory.forward(prompt[-50 : width - 50 or None], list(range(width)))
            times[width].append(time.perf_counter() - began)
            memory.crop(len(prompt) - 50)
    print("| tokens in a pass | " + " | ".join(map(str, WIDTHS)) + " |")
    print("|---|" + "---:|" * len(WIDTHS))
    print(
        "| milliseconds, median | "
        + " | ".join(f"{1000 * statistics.median(times[w]):.1f}" for w in WIDTHS)
        + " |"
    )
    alone = times[WIDTHS[0]]
    ratios = [statistics.median([b / a for a, b in zip(alone, times[w], strict=True)]) for w in WIDTHS]
    print("| of a pass over one | " + " | ".join(f"{one:.2f}" for one in ratios) + " |")


def live(engine: LocalEngine, jobs: Sequence[GenerationRequest]) -> None:
    """Refining, in the strict form and with no form at all."""

    def form(job: GenerationRequest, name: Form) -> GenerationRequest:
        return replace(job, form=name)

    ways: dict[str, Callable[[GenerationRequest], Run]] = {
        "generate": lambda job: generate(engine, job),
        "generate, prompt lookup 10": lambda job: generate(engine, job, prompt_lookup_num_tokens=10),
        "generate, prompt lookup 20": lambda job: generate(engine, job, prompt_lookup_num_tokens=20),
        "ours, no form, no guesses": lambda job: ours(engine, form(job, "off"), guess=False),
        "ours, no form": lambda job: ours(engine, form(job, "off")),
        "ours, strict, no guesses": lambda job: ours(engine, job, guess=False),
        "ours, strict": lambda job: ours(engine, job),
    }
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    for job in jobs:
        for name, way in ways.items():
            runs[name].append(way(job))
    for names in ([*ways][:5], [*ways][5:]):
        for name in names[1:]:
            for one, other in zip(runs[names[0]], runs[name], strict=True):
                assert one.said == other.said, f"{name} differs:\n{one.said}\n{other.said}"
    print("| way | tokens a pass | ms a token, median (range) | own ms a pass | guessing, of the time |")
    print("|---|---:|---:|---:|---:|")
    for name, found in runs.items():
        rate = sum(one.tokens for one in found) / sum(one.passes for one in found)
        cost = spread([1000 * one.seconds / one.tokens for one in found])
        own = f"{1000 * statistics.median(one.own for one in found):.2f}" if name.startswith("ours") else ""
        share = sum(one.guessing for one in found) / sum(one.seconds for one in found)
        print(f"| {name} | {rate:.2f} | {cost} | {own} | {share:.1%} |")
    print()
    print("| wall, case by case | median (range) | all together |")
    print("|---|---:|---:|")
    for slow, fast in (
        ("generate", "ours, no form"),
        ("generate, prompt lookup 20", "ours, no form"),
        ("ours, no form, no guesses", "ours, no form"),
        ("ours, strict, no guesses", "ours, strict"),
    ):
        compare(f"{slow} ÷ {fast}", runs[slow], runs[fast])


def novel(engine: LocalEngine, _: Sequence[GenerationRequest]) -> None:
    """Text in which nothing is to be copied: stories, drawn with a seed so that both ways write the same."""
    slow, fast = [], []
    for number in range(ROUNDS):
        for story in STORIES:
            job = GenerationRequest(
                (Message("user", story),), "off", (), max_new_tokens=TOKENS, temperature=1.0, seed=number
            )
            pair = [
                ours(engine, job, guess=guess) for guess in ((False, True) if number % 2 else (True, False))
            ]
            pair = pair if number % 2 else pair[::-1]
            assert pair[0].said == pair[1].said
            slow.append(pair[0])
            fast.append(pair[1])
    print("| nothing to copy, wall | median (range) | all together |")
    print("|---|---:|---:|")
    compare("no guesses ÷ guesses", slow, fast)
    rate = sum(one.tokens for one in fast) / sum(one.passes for one in fast)
    print(f"\nTokens a pass: {rate:.2f}.")


def halves(engine: LocalEngine, jobs: Sequence[GenerationRequest]) -> None:
    """The same in bfloat16: where texts part, by how little the two tokens' logits differ in float32."""
    loaded = engine.loaded()
    loaded.model.to(torch.bfloat16)
    slow, fast, parted = [], [], []
    try:
        for job in jobs[:6]:
            slow.append(ours(engine, job, guess=False))
            one = list(engine._cache.tokens)
            fast.append(ours(engine, job))
            other = list(engine._cache.tokens)
            if slow[-1].said != fast[-1].said:
                at = next(n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1])
                parted.append((one[:at], one[at], other[at]))
    finally:
        loaded.model.to(torch.float32)
    margins = []
    for tokens, first, second in parted:
        with torch.inference_mode():
            logits = loaded.model(torch.tensor([tokens]), logits_to_keep=1).logits[0, -1]
        margins.append(abs(float(logits[first] - logits[second])))
    print("| bfloat16, wall | median (range) | all together |")
    print("|---|---:|---:|")
    compare("strict, no guesses ÷ strict", slow, fast)
    told = (
        f"; where they part, the two tokens' logits differ by {spread(margins)} in float32" if margins else ""
    )
    print(f"\nEqual texts: {len(slow) - len(margins)} of {len(slow)}{told}.")


def growth(engine: LocalEngine, jobs: Sequence[GenerationRequest]) -> None:
    """What guessing costs as the draft grows; only the drafter sees the longer draft."""
    words = " ".join(text for job in jobs for _, text in job.draft).split()
    print("| words in the draft | guessing, ms a pass | of the time of writing |")
    print("|---:|---:|---:|")
    for size in (200, 400, 800, 1600, 3200):
        text = " ".join((words * (1 + size // len(words)))[:size])
        found = [ours(engine, replace(jobs[0], draft=(*jobs[0].draft, ("", text)))) for _ in range(ROUNDS)]
        each = [1000 * one.guessing / one.passes for one in found]
        share = [one.guessing / one.seconds for one in found]
        print(f"| {size:,} | {spread(each)} | {statistics.median(share):.1%} |")


def whole(engine: LocalEngine, jobs: Sequence[GenerationRequest]) -> None:
    """A whole request: 200 tokens written and 24 checks judged by the same model."""
    checks = judging.case(engine)
    case = next(
        case
        for case in batch.read_cases(SAMPLE_CASES)
        if case.row and case.row["question"] == checks[0].question
    )
    job, chats = job_of(engine, case, 200), judge_prompts(checks)
    del jobs
    naive, fast = [], []
    for _ in range(2):
        began = time.perf_counter()
        generate(engine, job, min_new_tokens=200)
        judging.one_by_one(engine, chats)
        naive.append(time.perf_counter() - began)
        engine.release()
        began = time.perf_counter()
        for _writing in engine.stream(job, threading.Event()):
            pass
        wrote = time.perf_counter() - began
        _, read, _ = judging.at_once(engine, chats)
        fast.append(time.perf_counter() - began)
    print("| a whole request, 200 tokens and 24 checks | seconds, median (range) |")
    print("|---|---:|")
    print(f"| generate, then a prompt a check | {spread(naive)} |")
    print(
        f"| ours (of it the last time {wrote:.1f} s writing; {read:,} tokens read for judging) | {spread(fast)} |"
    )
    print(f"| ratio | {spread([a / b for a, b in zip(naive, fast, strict=True)])} |")


def compare(name: str, slow: Sequence[Run], fast: Sequence[Run]) -> None:
    """A line with the ratio of the wall times."""
    ratios = [a.seconds / b.seconds for a, b in zip(slow, fast, strict=True)]
    together = sum(one.seconds for one in slow) / sum(one.seconds for one in fast)
    print(f"| {name} | {spread(ratios)} | {together:.2f} |")


def spread(values: Sequence[float]) -> str:
    """Median and range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


if __name__ == "__main__":
    main()
