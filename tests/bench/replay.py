"""Drafters replayed over stored outputs, with no model: how many forward passes each would have taken.

`replay.py [--every N] [--plot FILE]`. The outputs are the embedded model's own on real cases (`record.py` made them,
in tests/data/replays.jsonl.gz), and answers made by rule from the same drafts (`edits.py`). A pass checks what was
proposed and adds one token of the model's. Deterministic. Prints Markdown.
"""

import argparse
import gzip
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import edits
import peers
from paths import DATA

from refiner import batch, pipeline
from refiner.decoding.constrained_writer import ConstrainedWriter, UnconstrainedWriter, Writer
from refiner.decoding.grammar import Grammar
from refiner.decoding.lookup_text import LookupText
from refiner.decoding.proposer import Proposer
from refiner.decoding.vocabulary import Vocabulary
from refiner.domain import Answer, Form
from refiner.engines.choose import local_engine
from refiner.engines.loaded_model import MIN_PROBABILITY
from refiner.engines.local import LocalEngine
from refiner.prompts.budget import Prompt
from refiner.prompts.prompt_file import PromptTemplate, shown
from refiner.settings import Settings

LEAST = {"cpu": MIN_PROBABILITY, "cuda": 0.03}
"""How probably right a proposal must be. The engine measures costs on a GPU; here a wide pass is cheap."""
STORED = DATA / "replays.jsonl.gz"
RUN = 4
"""Tokens in a row that the prompt has too, from which on they count as copied."""
COPIED = 0.6
"""The share of copied tokens that parts the outputs into two kinds."""
LOOKUPS = (3, 5, 10, 20)


@dataclass(frozen=True)
class Replay:
    """One output to be replayed: the tokens of prompt and output, and what our drafter is given."""

    kind: str
    form: Form
    prompt: list[int]
    output: list[int]
    messages: tuple[str, ...]
    draft: tuple[tuple[str, str], ...]
    ids: tuple[str, ...]
    budget: int

    @property
    def copied(self) -> float:
        """The share of the output's tokens in runs of at least `RUN` that the prompt has."""
        runs = {tuple(self.prompt[at : at + RUN]) for at in range(len(self.prompt) - RUN + 1)}
        inside = [False] * len(self.output)
        for at in range(len(self.output) - RUN + 1):
            if tuple(self.output[at : at + RUN]) in runs:
                inside[at : at + RUN] = [True] * RUN
        return sum(inside) / len(inside)


@dataclass(frozen=True)
class Took:
    """What a replay took."""

    passes: int
    proposed: int


def replays(engine: LocalEngine, every: int = 1) -> Iterator[Replay]:
    """Those of each ``every``-th case."""
    loaded, template = engine.loaded(), PromptTemplate.from_file()
    with gzip.open(STORED, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for number, row in enumerate(rows[::every]):
        request = batch.request_of(batch.Case(number, row["id"], row))
        draft, prompt = pipeline.read_and_prompt(request, engine, template)
        one = partial(
            Replay,
            prompt=loaded.prompt_tokens(prompt.messages),
            messages=tuple(message.content for message in prompt.messages),
            draft=shown(draft, prompt.sources),
            ids=tuple(source.id for source in prompt.sources),
        )
        for form, output in row["runs"].items():
            yield one(kind=form, form=form, output=output, budget=row["budget"])
        for kind in edits.KINDS:
            output = made(loaded.vocabulary, kind, draft, prompt, row["id"])
            if output:
                yield one(kind=kind, form="free", output=output, budget=8192)


def made(vocabulary: Vocabulary, kind: str, draft: Answer, prompt: Prompt, seed: str) -> list[int]:
    """The tokens of an edited answer, as a model that wants its words would write them under the grammar."""
    text = edits.answer_of(kind, draft, prompt.sources, seed).encode()
    writer = ConstrainedWriter(Grammar(vocabulary, "free", tuple(one.id for one in prompt.sources)), 8192)
    tokens = writer.start() if text else []
    while text and not writer.finished:
        rest = text[len(writer.written) :]
        tokens += writer.accept(vocabulary.encode(rest[:80])[0])
    return tokens


def writer_of(vocabulary: Vocabulary, case: Replay, seen: dict[object, object]) -> Writer:
    """A writer that has written nothing."""
    if case.form == "off":
        return UnconstrainedWriter(vocabulary, case.budget, frozenset())
    return ConstrainedWriter(Grammar(vocabulary, case.form, case.ids, (), seen), case.budget)  # type: ignore[arg-type]


def plain(case: Replay, drafter: peers.PeerProposer) -> Took:
    """A peer as it is: tokens only, every one of them decided by the model."""
    if isinstance(drafter, peers.OracleCopy):
        drafter.begin_with(case.prompt, case.output)
    else:
        drafter.start(case.prompt)
    at = passes = proposed = 0
    while at < len(case.output):
        guess = drafter.propose(case.output[:at])
        pairs = zip(guess, case.output[at:], strict=False)
        right = next((n for n, (one, other) in enumerate(pairs) if one != other), len(guess))
        at += right + 1
        passes, proposed = passes + 1, proposed + len(guess)
    return Took(passes, proposed)


def held(
    vocabulary: Vocabulary, case: Replay, drafter: peers.PeerProposer | None, seen: dict[object, object]
) -> Took:
    """A peer, or none, in our loop: what the grammar forces costs it nothing, and cuts what it proposes."""
    writer = writer_of(vocabulary, case, seen)
    at, passes, proposed = len(writer.start()), 0, 0
    if drafter is not None:
        drafter.start(case.prompt)
    while at < len(case.output) and not writer.finished:
        guess = drafter.propose(case.output[:at]) if drafter is not None else []
        passes += 1
        while guess and at < len(case.output) and guess[0] == case.output[at] and not writer.finished:
            group = writer.accept(guess[0])
            proposed += len(group)
            at += len(group)
            guess = guess[len(group) :] if guess[: len(group)] == group else []
        proposed += len(guess)
        if at < len(case.output) and not writer.finished:
            at += len(writer.accept(case.output[at]))
    return Took(passes, proposed)


def ours(vocabulary: Vocabulary, case: Replay, seen: dict[object, object], device: str = "cuda") -> Took:
    """Our drafter in our loop."""
    writer = writer_of(vocabulary, case, seen)
    drafter = Proposer(
        LookupText(case.draft, case.messages), case.ids, vocabulary, min_probability=LEAST[device]
    )
    at, passes, proposed = len(writer.start()), 0, 0
    while at < len(case.output) and not writer.finished:
        steps, right = drafter.propose(writer), 0
        passes, proposed = passes + 1, proposed + sum(len(step.tokens) for step in steps)
        for step in steps:
            if case.output[at : at + 1] != step.tokens[:1]:
                break
            writer, right, at = copy(step.writer), right + 1, at + len(step.tokens)
        drafter.update(writer, steps, right)
        if at < len(case.output) and not writer.finished:
            at += len(writer.accept(case.output[at]))
    return Took(passes, proposed)


def arms(vocabulary: Vocabulary) -> dict[str, Callable[[Replay], Took]]:
    """Every way to replay a case, by name."""
    seen: dict[object, object] = {}
    found: dict[str, Callable[[Replay], Took]] = {"plain": lambda case: Took(len(case.output), 0)}

    def add(name: str, drafter: peers.PeerProposer) -> None:
        found[name] = lambda case: plain(case, drafter)

    for size in LOOKUPS:
        add(f"prompt lookup {size}", peers.PromptLookup(size))
    for size in (5, 20):
        add(f"n-gram as in vLLM, {size}", peers.NGram(size))
    for depth in (24, 64):
        add(
            f"suffix decoding (own plain version), depth {depth}",
            peers.PlainSuffixDecoding(max_tree_depth=depth),
        )
    found["grammar alone"] = lambda case: held(vocabulary, case, None, seen)
    lookup, suffix = peers.PromptLookup(20), peers.PlainSuffixDecoding(max_tree_depth=64)
    found["grammar and prompt lookup 20"] = lambda case: held(vocabulary, case, lookup, seen)
    found["grammar and suffix decoding, depth 64"] = lambda case: held(vocabulary, case, suffix, seen)
    found["ours, as on a CPU"] = lambda case: ours(vocabulary, case, seen, "cpu")
    found["ours, as on a GPU"] = lambda case: ours(vocabulary, case, seen)
    add("oracle copy", peers.OracleCopy())
    return found


def main() -> None:
    """Print the tables; --plot writes a picture of passes by copy share."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    engine = local_engine(Settings.from_environment({}))
    cases = list(replays(engine, given.every))
    ways = arms(engine.loaded().vocabulary)
    took = {name: [way(case) for case in cases] for name, way in ways.items()}
    columns = columns_of(cases)
    print("| tokens a pass | " + " | ".join(columns) + " | proposed a pass |")
    print("|---|" + "---:|" * (len(columns) + 1))
    for name, found in took.items():
        cells = [f"{rate(cases, found, chosen):.2f}" for chosen in columns.values()]
        proposed = sum(one.proposed for one in found) / sum(one.passes for one in found)
        print(f"| {name} | {' | '.join(cells)} | {proposed:.1f} |")
    tokens = [sum(len(cases[number].output) for number in chosen) for chosen in columns.values()]
    print(
        f"| outputs / tokens | {' | '.join(f'{len(c)} / {n:,}' for c, n in zip(columns.values(), tokens, strict=True))} | |"
    )
    print()
    print("| passes, in proportion to ours as on a GPU | " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * len(columns))
    for name, names in COMPARED.items():
        ratios = [ratio(cases, took, names, chosen) for chosen in columns.values()]
        print(f"| {name} | {' | '.join(f'{one:.2f}' for one in ratios)} |")
    print()
    project(cases, took, columns)
    if given.plot:
        given.plot.write_text(picture(cases, took), encoding="utf-8")


COMPARED = {
    "plain": ("plain",),
    "prompt lookup, the best of its lengths": tuple(f"prompt lookup {size}" for size in LOOKUPS),
    "suffix decoding, the better depth": tuple(
        f"suffix decoding (own plain version), depth {depth}" for depth in (24, 64)
    ),
    "prompt lookup 20 in our grammar": ("grammar and prompt lookup 20",),
    "suffix decoding in our grammar": ("grammar and suffix decoding, depth 64",),
}
OURS = "ours, as on a GPU"


WEIGHTS, KV = 8.04e9, 147_456
"""Bytes that a pass of the refiner (Qwen3 4B, bfloat16) reads: its weights, and of keys and values a token."""
CONTEXT = 4096
EAGER = 0.025
"""Seconds that a pass of transformers takes at least without a graph, a usual figure, not measured by us."""
BANDWIDTHS = {"L4": 300e9, "A10G": 600e9, "A100 80 GB": 2039e9, "H100 SXM": 3350e9}
"""Bytes a second, from the makers' data sheets."""


def project(
    cases: Sequence[Replay], took: Mapping[str, Sequence[Took]], columns: Mapping[str, Sequence[int]]
) -> None:
    """What the counted passes would come to on GPUs, if a pass took as long as its bytes do (the roofline model)."""
    column = f"all but free, copied ≥ {COPIED}"
    print(f"| tokens a second, PROJECTED, {column} | " + " | ".join(BANDWIDTHS) + " |")
    print("|---|" + "---:|" * len(BANDWIDTHS))
    for how, floor in (("eager", EAGER), ("one graph", 0.0)):
        for name in ("plain", "prompt lookup 20", OURS):
            rates = [
                rate(cases, took[name], columns[column]) / max(floor, (WEIGHTS + KV * CONTEXT) / bandwidth)
                for bandwidth in BANDWIDTHS.values()
            ]
            print(f"| {name}, {how} | {' | '.join(f'{one:.0f}' for one in rates)} |")


def columns_of(cases: Sequence[Replay]) -> dict[str, list[int]]:
    """Kinds of outputs, and the cases of each: by how they were made, and by how much of them is copied."""
    much = [case.copied >= COPIED for case in cases]
    kinds = {
        kind: [n for n, case in enumerate(cases) if case.kind == kind]
        for kind in ("strict", "free", *edits.KINDS)
    }
    asked = [n for n, case in enumerate(cases) if case.kind != "free"]
    return {
        **{kind: chosen for kind, chosen in kinds.items() if chosen},
        f"all but free, copied ≥ {COPIED}": [n for n in asked if much[n]],
        f"all but free, copied < {COPIED}": [n for n in asked if not much[n]],
    }


def rate(cases: Sequence[Replay], took: Sequence[Took], chosen: Sequence[int]) -> float:
    """Tokens a pass over the ``chosen`` cases together; 0 where there is none."""
    return sum(len(cases[n].output) for n in chosen) / max(1, sum(took[n].passes for n in chosen))


def ratio(
    cases: Sequence[Replay], took: Mapping[str, Sequence[Took]], names: Sequence[str], chosen: Sequence[int]
) -> float:
    """Passes of the best of ``names`` for one of ours, over the ``chosen`` cases."""
    best = max(rate(cases, took[name], chosen) for name in names)
    return rate(cases, took[OURS], chosen) / best if best else 0.0


def picture(cases: Sequence[Replay], took: Mapping[str, Sequence[Took]]) -> str:
    """An SVG: tokens a pass (logarithmic) by the share that is copied, ours and the best prompt lookup."""
    width, height, edge = 640, 360, 44
    dots = []
    for name, colour in (("prompt lookup 20", "#b45309"), (OURS, "#1d4ed8")):
        for case, one in zip(cases, took[name], strict=True):
            x = edge + case.copied * (width - 2 * edge)
            y = height - edge - math.log2(max(1.0, len(case.output) / one.passes)) / 5 * (height - 2 * edge)
            dots.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}" fill-opacity=".6"/>')
    marks = []
    for step in range(6):
        y = height - edge - step / 5 * (height - 2 * edge)
        x = edge + step / 5 * (width - 2 * edge)
        marks.append(f'<path d="M{edge} {y:.1f}H{width - edge}" stroke="#ddd"/>')
        marks.append(f'<text x="{edge - 8}" y="{y + 4:.1f}" text-anchor="end">{2**step}</text>')
        marks.append(f'<text x="{x:.1f}" y="{height - edge + 18}" text-anchor="middle">{step * 20}%</text>')
    words = (
        f'<text x="{edge}" y="20">tokens a forward pass, by the share of the output that is copied: '
        '<tspan fill="#1d4ed8">ours</tspan>, <tspan fill="#b45309">prompt lookup 20</tspan></text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="#fff"/>{"".join((*marks, *dots))}{words}</svg>\n'
    )


if __name__ == "__main__":
    main()
