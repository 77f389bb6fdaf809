"""The decoding loop: a causal language model, a prompt and a writer; one forward pass at a time.

Not transformers' `generate`: here forced tokens go through the model together with the next token's pass, what
`decoding.proposer` guesses is checked in the same pass, a stop takes effect between two passes, and the time that
is not the model's is measured. What is written does not depend on the guesses: each token is chosen from the
model's own logits after all tokens before it, and the first that differs from its guess ends the pass
(speculative decoding, Leviathan et al. 2023, with a guess that is certain of itself: section 2.3 with q = 1). In
half precision a pass of another width rounds otherwise, and where two tokens are as likely the other may win.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import torch

from refiner.decoding.constrained_writer import Writer
from refiner.decoding.grammar import Allowed
from refiner.decoding.kv_cache import PREFILL, Memory
from refiner.decoding.proposer import MOST, Drafter, Step
from refiner.domain import Usage, Writing


class Picker:
    """Chooses a token from logits: the likeliest, or at ``temperature`` > 0 one drawn with ``seed``."""

    def __init__(self, temperature: float, seed: int | None) -> None:
        self._temperature = temperature
        self._random = torch.Generator()
        if seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(seed)

    def __call__(self, logits: torch.Tensor, allowed: Allowed | None) -> int:
        """A token id; ``logits`` are float32 of shape (vocabulary,), on the CPU."""
        if allowed is not None and allowed.mask is None:
            return allowed.tokens[self._draw(logits[torch.tensor(allowed.tokens)])]
        if allowed is not None:
            logits = logits.masked_fill(~torch.from_numpy(allowed.mask), -torch.inf)
        return self._draw(logits)

    def ready(self, logits: torch.Tensor) -> tuple[list[int | None], torch.Tensor]:
        """Rows of ``logits`` (rows, vocabulary), and the token of each to be taken if it is allowed; None: draw one.

        Waits for the device, so that times are true. What is drawn is drawn on the CPU.
        """
        if self._temperature > 0:
            return [None] * len(logits), logits.float().cpu()
        return logits.argmax(dim=-1).tolist(), logits

    def _draw(self, logits: torch.Tensor) -> int:
        if self._temperature <= 0:
            return int(logits.argmax())
        chances = torch.softmax(logits / self._temperature, dim=-1)
        return int(torch.multinomial(chances, 1, generator=self._random))


def decode(
    memory: Memory,
    prompt: Sequence[int],
    writer: Writer,
    pick: Picker,
    stopped: Callable[[], bool],
    *,
    drafter: Drafter | None = None,
) -> Iterator[Writing]:
    """Write until the writer is done or ``stopped``; yields after every pass, ends with ``usage.ended``.

    ``memory`` may hold what the prompt begins with; a ``drafter`` needs one that can go back.
    """
    began = time.perf_counter()
    prefill = grammar = drafting = 0.0
    passes = guessed = 0
    reused = memory.begin(prompt)
    waiting = [*prompt[reused:], *writer.begin()]
    steps: list[Step] = []

    def writing(ended: Literal["", "end", "budget", "stopped"] = "") -> Writing:
        usage = Usage(
            prompt_tokens=len(prompt),
            completion_tokens=writer.spent,
            forward_passes=passes,
            prefill_seconds=prefill,
            seconds=time.perf_counter() - began,
            grammar_seconds=grammar,
            drafting_seconds=drafting,
            guessed_tokens=guessed,
            reused_tokens=reused,
            ended=ended,
        )
        return Writing(writer.text, usage)

    while not writer.done and not stopped():
        if len(waiting) > PREFILL:
            memory.read(waiting[:PREFILL], [0])
            passes, waiting = passes + 1, waiting[PREFILL:]
            continue
        if drafter is not None:
            drafting -= time.perf_counter()
            steps = drafter.guess(writer, (memory.width or MOST) - len(waiting))
            drafting += time.perf_counter()
        rows, fed = [len(waiting) - 1], list(waiting)
        for step in steps:
            fed += step.tokens
            rows.append(len(fed) - 1)
        likeliest, logits = pick.ready(memory.read(fed, rows))
        passes += 1
        prefill = prefill or time.perf_counter() - began
        grammar -= time.perf_counter()
        right, token = 0, -1
        while not writer.done:
            token = _chosen(likeliest[right], logits[right], writer.allowed(), pick)
            if right == len(steps) or token != steps[right].tokens[0]:
                break
            writer = steps[right].writer
            right += 1
        grammar += time.perf_counter()
        if drafter is not None:
            drafting -= time.perf_counter()
            drafter.saw(writer, steps, right)
            drafting += time.perf_counter()
            guessed += right
            memory.back(len(memory.tokens) - len(fed) + rows[right] + 1)
        if not writer.done:
            grammar -= time.perf_counter()
            waiting = writer.take(token)
            grammar += time.perf_counter()
        yield writing()
    halted = not writer.done
    writer.finish(whole=halted)
    yield writing("stopped" if halted else "budget" if writer.cut else "end")


def _chosen(likeliest: int | None, logits: torch.Tensor, allowed: Allowed | None, pick: Picker) -> int:
    """The model's token: the likeliest of all where that is allowed, else picked from those that are."""
    if likeliest is not None:
        if allowed is None or (allowed.mask is None and likeliest in allowed.tokens):
            return likeliest
        if allowed.mask is not None and allowed.mask[likeliest]:
            return likeliest
    return pick(logits.float().cpu(), allowed)
