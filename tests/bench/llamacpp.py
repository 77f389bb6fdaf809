"""A peer for the embedded model's speed: llama.cpp on the same GGUF, beside transformers' plain `generate`.

`llamacpp.py [SAMPLE_CASES.jsonl]`: the prompts that the engine builds for the cases, as the same tokens to both; greedy,
no grammar, no end before the last token. Both ways run in turn, case by case, in one process, and take turns at being
first; prints Markdown. llama.cpp is not among the dependencies: `pip install --group peers` builds it. What GCC 12.2
builds on a processor with AMX ends in a segmentation fault at the first token (the compiler drops the tiles' setup:
llama.cpp's issue 20824, pull request 26954) unless it is told `CXXFLAGS="-fno-tree-dse -fno-dse"`.
"""

import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

from paths import SAMPLE_CASES

try:
    import llama_cpp
except ModuleNotFoundError as error:
    raise SystemExit(
        f"{error}: llama.cpp is not installed. `pip install --group peers` builds it, with cmake and a C++ compiler."
    ) from error

import torch
import transformers
from gguf import GGUFReader
from transformers.generation.streamers import BaseStreamer

from refiner import batch, pipeline
from refiner.engines.choose import EMBEDDED, embedded_file, local_engine
from refiner.engines.local import LocalEngine
from refiner.prompts.prompt_file import PromptTemplate
from refiner.settings import Settings

THREADS, TOKENS, ROUNDS = 2, 120, 3


@dataclass(frozen=True, slots=True)
class Run:
    """What one way did with one prompt; ``times`` are the seconds at which each token was there."""

    read: int
    written: tuple[int, ...]
    times: tuple[float, ...]

    @property
    def prefill(self) -> float:
        """Tokens of the prompt read in a second, up to the first token written."""
        return self.read / self.times[0]

    @property
    def decode(self) -> float:
        """Tokens written in a second, after the first."""
        return (len(self.times) - 1) / (self.times[-1] - self.times[0])

    @property
    def cost(self) -> float:
        """Milliseconds a token written, after the first."""
        return 1000 / self.decode


class Clock(BaseStreamer):
    """Notes each token that `generate` writes and when; what it is given first is the prompt."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.times: list[float] = []
        self._began = time.perf_counter()

    def put(self, value: torch.Tensor) -> None:
        """A token."""
        if value.ndim == 1:
            self.tokens.append(int(value))
            self.times.append(time.perf_counter() - self._began)

    def end(self) -> None:
        """Nothing is left to do."""


def main(file: str = str(SAMPLE_CASES)) -> None:
    """Print the table and what it compares."""
    settings = Settings.from_environment({})
    engine = local_engine(replace(settings, model=EMBEDDED, device="cpu", threads=THREADS))
    peer = llama_cpp.Llama(
        embedded_file(),
        n_ctx=engine.loaded().context,
        n_threads=THREADS,
        n_threads_batch=THREADS,
        verbose=False,
    )
    given = [prompt(engine, case) for case in batch.read_cases(Path(file))]
    ways: list[Callable[[list[int]], Run]] = [
        lambda tokens: with_transformers(engine, tokens),
        lambda tokens: with_llama(peer, tokens),
    ]
    for way in ways:  # what a first run alone costs is not counted
        way(given[0])
    pairs = []
    for number in range(ROUNDS * len(given)):
        first = number % 2
        tokens = given[number % len(given)]
        runs = [way(tokens) for way in (ways[first], ways[1 - first])]
        pairs.append((runs[first], runs[1 - first]))
    table(engine, given, pairs)
    notes(engine, peer, given, pairs)


def prompt(engine: LocalEngine, case: batch.Case) -> list[int]:
    """The case's prompt as the engine's tokens, chat template included."""
    _, built = pipeline.read_and_prompt(batch.request_of(case), engine, PromptTemplate.from_file())
    return engine.loaded().prompt_tokens(built.messages)


def with_transformers(engine: LocalEngine, tokens: list[int]) -> Run:
    """Plain `generate`."""
    ids, clock = torch.tensor([tokens]), Clock()
    engine.loaded().model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=TOKENS,
        eos_token_id=None,
        streamer=clock,
    )
    return Run(len(tokens), tuple(clock.tokens), tuple(clock.times))


def with_llama(peer: llama_cpp.Llama, tokens: list[int]) -> Run:
    """llama.cpp through its own generator, which does not stop of itself."""
    peer.reset()  # else it would not read again what this prompt shares with the last
    written, times = [], []
    began = time.perf_counter()
    for _, token in zip(range(TOKENS), peer.generate(tokens, temp=0.0), strict=False):
        times.append(time.perf_counter() - began)
        written.append(token)
    return Run(len(tokens), tuple(written), tuple(times))


def table(engine: LocalEngine, given: Sequence[list[int]], pairs: Sequence[tuple[Run, Run]]) -> None:
    """Both ways, and the second over the first, pair by pair."""
    sizes = sorted(map(len, given))
    print(
        f"{engine.info.name}, {len(given)} cases, {ROUNDS} rounds, prompts of {sizes[0]:,} to {sizes[-1]:,} tokens, "
        f"{TOKENS} new ones, greedy, {THREADS} threads; torch {torch.__version__}, transformers "
        f"{transformers.__version__}, llama-cpp-python {llama_cpp.__version__}\n"
    )
    print("| median (range) | prefill, tokens/s | decode, tokens/s | ms a token |\n|---|---:|---:|---:|")
    ours, peers = zip(*pairs, strict=True)
    for name, runs in (("transformers, fp32", ours), ("llama.cpp, the GGUF's own weights", peers)):
        cells = (spread([getattr(run, field) for run in runs], 1) for field in ("prefill", "decode", "cost"))
        print(f"| {name} | {' | '.join(cells)} |")
    ratios = (
        spread([getattr(b, field) / getattr(a, field) for a, b in pairs], 2)
        for field in ("prefill", "decode", "cost")
    )
    print(f"| llama.cpp ÷ transformers | {' | '.join(ratios)} |\n")


def notes(
    engine: LocalEngine,
    peer: llama_cpp.Llama,
    given: Sequence[list[int]],
    pairs: Sequence[tuple[Run, Run]],
) -> None:
    """What differs beside the speed."""
    loaded = engine.loaded()
    kinds = Counter(tensor.tensor_type.name for tensor in GGUFReader(embedded_file()).tensors).most_common()
    texts = [loaded.tokenizer.decode(tokens, clean_up_tokenization_spaces=False) for tokens in given]
    same = sum(
        peer.tokenize(text.encode(), add_bos=False, special=True) == tokens
        for text, tokens in zip(texts, given, strict=True)
    )
    agreed = [
        len(list(takewhile(lambda two: two[0] == two[1], zip(a.written, b.written, strict=True))))
        for a, b in pairs
    ]
    dtype = str(loaded.model.dtype).removeprefix("torch.")
    print(
        f"The GGUF is quantised (tensors: {', '.join(f'{count} {kind}' for kind, count in kinds)}): llama.cpp computes "
        f"with its quantised weights and an fp16 cache, transformers with the same weights widened to {dtype}, "
        "four bytes each, and a cache of that type. So the ratio is that of two ways to run one file, not of two "
        "programs doing the same sums.\n"
    )
    system = llama_cpp.llama_print_system_info().decode().replace(":", "|").split("|")
    built = ", ".join(one.split("=")[0].strip() for one in system if one.strip().endswith("= 1"))
    print(f"llama.cpp was built with {built}.\n")
    print(
        f"First tokens on which the two agree, of {TOKENS}: {spread(agreed, 0)}. Prompts that llama.cpp's own "
        f"tokenizer reads as the same tokens: {same} of {len(given)}."
    )


def spread(values: Sequence[float], digits: int) -> str:
    """Median and range."""
    middle, least, most = (
        f"{one:,.{digits}f}" for one in (statistics.median(values), min(values), max(values))
    )
    return f"{middle} ({least}–{most})"


if __name__ == "__main__":
    main(*sys.argv[1:])
