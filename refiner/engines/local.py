"""A model in this process, through transformers: one request at a time, what it has read kept between two.

`engines.loading` brings it into memory.
"""

import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refiner.decoding.constrained_writer import FreeWriter, HeldWriter, Writer
from refiner.decoding.grammar import Grammar
from refiner.decoding.lookup import Known
from refiner.decoding.proposer import Drafter
from refiner.decoding.vocabulary import Vocabulary
from refiner.domain import LEAST, Form, Message, ModelInfo, Odds, Usage, Writing
from refiner.engines.loading import load
from refiner.engines.protocol import Job
from refiner.errors import EngineError, InputError
from refiner.settings import REFINER_MODEL, Device

if TYPE_CHECKING:
    from refiner.decoding.kv_cache import Memory

LEAST_CHANCE = {"cuda": 0.03, "mps": 0.1, "cpu": 0.25}
"""How probably right a guess must be, by device: on a CPU a token more makes a pass dearer (BENCHMARKS.md,
"Decoding"), on a GPU the weights are read once however many tokens there are. Only the CPU's was measured."""


class LocalEngine:
    """Writes with one model, one request at a time; a second request waits for the first.

    ``model`` is a hub id, a folder or a ``.gguf`` file, or a function that finds one at loading; ``name`` is
    what people see (default: ``model``).
    ``compiled`` has short passes compiled at the first use, which takes a while.
    Dtype by device: cuda bfloat16, mps float16, cpu float32. Loading happens once, at `load` or first use.
    """

    def __init__(
        self,
        model: str | Callable[[], str],
        *,
        cache_dir: Path,
        name: str = "",
        device: Device = "auto",
        form: Form = "free",
        threads: int = 0,
        compiled: bool = False,
    ) -> None:
        self.default_form: Form = form
        self.problem = ""
        self._model, self._name = model, name or str(model)
        self._device_wanted, self._threads, self._cache_dir = device, threads, cache_dir
        self._compiled = compiled
        self._loading, self._busy = threading.Lock(), threading.Lock()
        self._loaded: _Loaded | None = None
        self._memory: Memory | None = None  # of the last job

    @property
    def info(self) -> ModelInfo:
        """Its name; whether these are the refiner's weights as far as the name of their place tells."""
        marks = {REFINER_MODEL, "models--" + REFINER_MODEL.replace("/", "--")}
        place = "" if callable(self._model) else self._model
        is_refiner = place in marks or not marks.isdisjoint(Path(place).parts)
        return ModelInfo(self._name, is_refiner, self._loaded.detail if self._loaded else "")

    @property
    def ready(self) -> bool:
        """Whether the model is in memory."""
        return self._loaded is not None

    def load(self) -> None:
        """Load now rather than at first use. `EngineError` says why it cannot be."""
        self._get()

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text alone."""
        if not texts:
            return []
        return [len(ids) for ids in self._get().tokenizer(list(texts), add_special_tokens=False)["input_ids"]]

    def prompt_tokens(self, messages: Sequence[Message]) -> int:
        """The number of tokens of the whole prompt."""
        return len(self._get().prompt(messages))

    def stream(self, job: Job, stop: threading.Event) -> Iterator[Writing]:
        """Write; see `Engine.stream`. No more than the model's context holds.

        `InputError` where that leaves no room to write; a failure of torch, such as no memory left, is an
        `EngineError`.
        """
        from refiner.decoding.loop import Picker, decode  # noqa: PLC0415 - torch is heavy

        loaded = self._get()
        with self._turn(stop.is_set) as ours:
            if not ours:
                yield Writing("", Usage(ended="stopped"))
                return
            prompt = loaded.prompt(job.messages)
            room = loaded.context - len(prompt)
            if room < LEAST:
                raise InputError(
                    f"The prompt takes {len(prompt):,} tokens; {self._name} holds {loaded.context:,} with its answer. "
                    "Shorten the draft or the sources."
                )
            budget = min(job.max_new_tokens, room)
            writer = loaded.writer(replace(job, max_new_tokens=budget))
            pick, drafter = Picker(job.temperature, job.seed), loaded.drafter(job)
            with self._failing("writing", "Try a shorter input or fewer new tokens."):
                memory = self._memory = loaded.memory(len(prompt) + budget, self._memory)
                yield from decode(memory, prompt, writer, pick, stop.is_set, drafter=drafter)

    def odds(
        self,
        prompts: Sequence[Sequence[Message]],
        choices: Sequence[str],
        stop: Callable[[], bool] = lambda: False,
    ) -> Generator[Odds]:
        """How likely each choice is the next thing that the model says after each prompt, pass by pass.

        A choice counts with a blank before it as well, where it is one token. What prompts share is read once. It
        ends where ``stop`` says so while another request has the model, or before a pass. Nothing is written.
        """
        from refiner.decoding.prefix_packing import read  # noqa: PLC0415 - torch is heavy

        loaded = self._get()
        tokens = [loaded.prompt(prompt) for prompt in prompts]
        long = dict.fromkeys(number for number, one in enumerate(tokens) if len(one) > loaded.context)
        fitting = [number for number in range(len(tokens)) if number not in long]
        if long:
            yield Odds(long)
        with self._turn(stop) as ours, self._failing("judging", "Try fewer sources."):
            if not ours:
                return
            passes = read(
                loaded.memory(0, self._memory).growing(),
                [tokens[number] for number in fitting],
                [loaded.spellings(choice) for choice in choices],
                shared=loaded.takes_mask,
            )
            with closing(passes):
                while not stop() and (odds := next(passes, None)) is not None:
                    yield Odds({fitting[n]: one for n, one in odds.chances.items()}, odds.tokens)

    def release(self) -> None:
        """Let go of what was read for the last job; a compiled model keeps the room.

        Where another request has the model by now, what it has read is its own.
        """
        if self._busy.acquire(blocking=False):
            try:
                if self._memory is not None and self._memory.width:
                    self._memory.back(0)
                else:
                    self._memory = None
            finally:
                self._busy.release()

    @contextmanager
    def _turn(self, stopped: Callable[[], bool]) -> Iterator[bool]:
        """Wait for the model and have it to oneself; False where ``stopped`` said so while waiting."""
        while not (ours := self._busy.acquire(timeout=0.2)) and not stopped():
            pass
        try:
            yield ours
        finally:
            if ours:
                self._busy.release()

    @contextmanager
    def _failing(self, doing: str, advice: str) -> Iterator[None]:
        """A failure of torch, such as no memory left, in words; what was read is let go."""
        try:
            yield
        except RuntimeError as error:  # torch's own errors, OutOfMemoryError among them, derive from it
            self._memory = None
            traceback.clear_frames(
                error.__traceback__
            )  # they hold what was read, which may be what filled it
            raise EngineError(f"{self._name} failed while {doing}: {_first_line(error)} {advice}") from error

    def _get(self) -> "_Loaded":
        with self._loading:
            if self._loaded is None:
                try:
                    place = self._model() if callable(self._model) else self._model
                    began = time.perf_counter()
                    found = load(place, self._device_wanted, self._threads, self._cache_dir)
                    self._loaded = _Loaded(*found, time.perf_counter() - began, compiled=self._compiled)
                except EngineError as error:
                    self.problem = str(error)
                    raise
                self.problem = ""
            return self._loaded


class _Loaded:
    """A model in memory with its tokenizer."""

    def __init__(
        self, model: Any, tokenizer: Any, device: str, seconds: float, *, compiled: bool = False
    ) -> None:
        self.model, self.tokenizer, self._compiled = model, tokenizer, compiled
        dtype = str(model.dtype).removeprefix("torch.")
        self.detail = f"{device}, {dtype}, loaded in {seconds:.1f} s"
        self.vocabulary = Vocabulary(tokenizer, model.get_output_embeddings().weight.shape[0])
        ends = model.generation_config.eos_token_id
        self._ends = frozenset(ends if isinstance(ends, list) else [ends, tokenizer.eos_token_id])
        self._seen: dict[Any, Any] = {}
        config = model.config.get_text_config()
        self.context = int(getattr(config, "max_position_embeddings", None) or 1 << 20)
        kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
        self.whole = kinds == {"full_attention"} and not getattr(config, "sliding_window", None)
        self.takes_mask = self.whole and model.config._attn_implementation == "sdpa"  # noqa: SLF001 - it has no other name
        """Whether mask and position alone tell what a token sees, and a mask of true and false is taken as one."""

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """The chat as tokens, up to where the answer begins; a template's thinking is switched off."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        if self.tokenizer.chat_template is None:
            text = "\n\n".join(turn["content"] for turn in turns) + "\n\n"
            return list(self.tokenizer.encode(text))
        text = self.tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def spellings(self, text: str) -> tuple[int, ...]:
        """The single tokens that spell ``text``, with a blank before it or without."""
        known = self.vocabulary.by_bytes
        return tuple(known[data] for data in (text.encode(), f" {text}".encode()) if data in known)

    def memory(self, room: int, before: "Memory | None" = None) -> "Memory":
        """With room for so many tokens: ``before``, if it can go back, or an empty one."""
        from refiner.decoding.kv_cache import WIDTH, Memory  # noqa: PLC0415 - torch is heavy

        if before is not None and before.whole and (not before.width or before.room >= room + before.width):
            return before
        if not self._compiled or not self.whole:
            return Memory(self.model, room, whole=self.whole)
        return Memory(self.model, room, whole=True, width=WIDTH, forward=self._forward)

    @cached_property
    def _forward(self) -> Any:
        """One graph for all passes of one width; on CUDA it is captured and replayed, by the thread that captured it."""
        import torch  # noqa: PLC0415 - heavy

        compiled: Any = torch.compile(
            self.model.forward, mode="reduce-overhead", dynamic=False, fullgraph=True
        )
        thread = ThreadPoolExecutor(1, "compiled")

        def run(inputs: dict[str, Any]) -> Any:
            with torch.inference_mode():
                return compiled(**inputs)

        return lambda **inputs: thread.submit(run, inputs).result()

    def drafter(self, job: Job) -> Drafter | None:
        """What guesses for a job; None where the model's cache cannot go back, or little is left to choose."""
        if not self.whole or job.form == "extractive":
            return None
        known = Known(job.draft, [message.content for message in job.messages])
        return Drafter(known, job.ids, self.vocabulary, least=LEAST_CHANCE.get(self.model.device.type, 0.1))

    def writer(self, job: Job) -> Writer:
        """The writer for a job: held to its form, or free."""
        if job.form == "off":
            return FreeWriter(self.vocabulary, job.max_new_tokens, self._ends)
        grammar = Grammar(self.vocabulary, job.form, job.ids, job.quotes, self._seen)
        return HeldWriter(grammar, job.max_new_tokens)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
