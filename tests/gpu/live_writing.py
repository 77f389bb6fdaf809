"""Live writing on a random model: ours beside transformers' `generate`, plain and with prompt lookup.

Answers made by rule from the sample cases' drafts (`edits.py`) are replayed: the model really runs, then its choice is
replaced by the replayed token, so each way writes the same tokens. The ways run in turn, case by case.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import edits
import tiny
import torch
from paths import SAMPLE_CASES
from random_model import wait_for

from refiner import batch
from refiner.decoding.constrained_writer import ConstrainedWriter
from refiner.decoding.grammar import Grammar
from refiner.decoding.lookup_text import LookupText
from refiner.decoding.loop import _Decoding
from refiner.decoding.pass_costs import PassCosts
from refiner.decoding.proposer import Proposer
from refiner.decoding.sampler import Sampler
from refiner.decoding.vocabulary import AllowedTokens, Vocabulary
from refiner.domain import Request, Usage
from refiner.engines.static_passes import StaticPasses
from refiner.formats.answer import parse
from refiner.prompts.prompt_file import shown

MAX_TOKENS = 300
LOOKUP = 20
PREFILL = 1024


class Replaying(Sampler):
    """Waits for the device as a sampler does, and then says what is replayed."""

    def __init__(self, tokens: list[int], place: Callable[[], int]) -> None:
        super().__init__(0.0, 0)
        self._tokens, self._place = tokens, place

    def choose(self, likeliest: int | None, logits: torch.Tensor, allowed: AllowedTokens | None) -> int:
        """The replayed token at the writer's place."""
        del likeliest, logits, allowed
        return self._tokens[self._place()]


class Case:
    """One answer to write: prompt and output as tokens, and what the proposer is given."""

    def __init__(self, vocabulary: Vocabulary, request: Request, kind: str) -> None:
        self.ids = tuple(source.id for source in request.sources)
        draft = parse(request.draft, self.ids)
        self.texts = [request.question, *(source.text for source in request.sources), request.draft]
        self.draft = shown(draft, request.sources)
        self.prompt = vocabulary.encode("\n".join(self.texts).encode())
        answer = edits.answer_of(kind, draft, request.sources, "live")
        self.output = vocabulary.encode(answer.encode()) if answer else []


def ours(
    static: StaticPasses, costs: PassCosts, vocabulary: Vocabulary, masks: dict[Any, Any], case: Case
) -> tuple[Usage, float]:
    """Usage, and seconds after the prompt was read."""
    grammar = Grammar(vocabulary, "free", case.ids, (), masks)
    writer = ConstrainedWriter(grammar, len(case.output) + 100)
    proposer = Proposer(LookupText(case.draft, case.texts), case.ids, vocabulary, min_probability=0.03)
    sampler = Replaying(case.output, lambda: decoding.writer.token_count)
    cache = static.cache(len(case.prompt) + len(case.output))
    decoding = _Decoding(cache, case.prompt, writer, sampler, proposer, costs=costs)
    while decoding.prefill(PREFILL):
        pass
    began = 0.0
    while not decoding.writer.finished and decoding.writer.token_count < min(
        MAX_TOKENS, len(case.output) - 20
    ):
        decoding.measure_passes(lambda: False)
        proposal = decoding.propose() if began else []
        decoding.verify(proposal, decoding.forward(proposal))
        began = began or time.perf_counter()
    return decoding.progress().usage, time.perf_counter() - began


@contextmanager
def told(model: Any, prompt: int, output: list[int]) -> Iterator[list[int]]:
    """Have the model's logits say the output. Yields the number of passes so far."""
    passes = [0]

    def hook(_: Any, __: Any, more: dict[str, Any], result: Any) -> Any:
        passes[0] += 1
        cache = more.get("past_key_values") or more["cache"]
        rows = result.logits.shape[1]
        first = int(cache.get_seq_length()) - rows - prompt + 1
        says = [output[min(max(first + row, 0), len(output) - 1)] for row in range(rows)]
        result.logits.zero_()
        result.logits[0, torch.arange(rows), torch.tensor(says, device=result.logits.device)] = 1.0
        return result

    handle = model.register_forward_hook(hook, with_kwargs=True)
    try:
        yield passes
    finally:
        handle.remove()


def generate(model: Any, case: Case, device: str, **options: Any) -> tuple[int, int, float]:
    """Tokens, passes, and seconds after the prompt was read, which is timed alone and taken off."""
    ids = torch.tensor([case.prompt], device=device)
    count = min(MAX_TOKENS, len(case.output) - 20)
    wait, seconds, passes = wait_for(device), [], 0
    for tokens in (1, count):
        with told(model, len(case.prompt), case.output) as counted:
            wait()
            began = time.perf_counter()
            model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=tokens,
                min_new_tokens=tokens,
                eos_token_id=None,
                pad_token_id=0,
                **options,
            )
            wait()
            seconds.append(time.perf_counter() - began)
            passes = counted[0]
    return count - 1, passes - 1, seconds[1] - seconds[0]


def main(model: Any, device: str, limit: int = 0) -> None:
    """Print the table."""
    vocabulary, masks = Vocabulary(tiny.qwen_tokenizer(), tiny.WIDTH), {}
    requests = [batch.request_of(case) for case in batch.read_cases(SAMPLE_CASES)][: limit or None]
    plain_attention = "sdpa"
    print(
        "\n| edits | way | tokens | tokens a pass | tokens a second | ms a pass | own ms a pass |\n|---|---|---:|---:|---:|---:|---:|"
    )
    for kind in ("light", "heavy"):
        totals: dict[str, list[float]] = {}
        static, costs = StaticPasses(model, device), PassCosts()
        for round_number in range(2):  # what is captured, compiled and measured at first use is not counted
            for request in requests:
                case = Case(vocabulary, request, kind)
                if len(case.output) < 60:
                    continue
                model.set_attn_implementation("grouped")
                usage, seconds = ours(static, costs, vocabulary, masks, case)
                own = usage.grammar_seconds + usage.drafting_seconds
                found = {"ours": (usage.completion_tokens, usage.forward_passes, seconds, own)}
                model.set_attn_implementation(plain_attention)
                found["generate"] = (*generate(model, case, device), 0.0)
                found[f"prompt lookup {LOOKUP}"] = (
                    *generate(model, case, device, prompt_lookup_num_tokens=LOOKUP),
                    0.0,
                )
                for way, figures in found.items() if round_number else ():
                    totals[way] = [a + b for a, b in zip(totals.get(way, [0.0] * 4), figures, strict=True)]
        for way, (tokens, passes, seconds, own) in totals.items():
            own_figure = f"{own / passes * 1000:.2f}" if own else ""
            print(
                f"| {kind} | {way} | {tokens:.0f} | {tokens / passes:.2f} | {tokens / seconds:.0f} | {seconds / passes * 1000:.1f} | {own_figure} |",
                flush=True,
            )
