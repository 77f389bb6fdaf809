"""A model in this process, through transformers: one request at a time, with the cache kept between two.

`engines.loading` brings the model into memory. `engines.loaded_model` is the model once it is there.
"""

import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from refiner.domain import (
    MIN_NEW_TOKENS,
    ChoiceProbabilities,
    Form,
    GenerationProgress,
    Message,
    ModelInfo,
    Usage,
)
from refiner.engines.loaded_model import LoadedModel
from refiner.engines.loading import load
from refiner.engines.protocol import GenerationRequest
from refiner.engines.quantization import quantize
from refiner.errors import EngineError, InputError
from refiner.settings import REFINER_MODEL, Device, Quantization

if TYPE_CHECKING:
    from refiner.decoding.kv_cache import KVCache

T = TypeVar("T")

_LESS_TO_WRITE = (
    "Ask for fewer new tokens (REFINER_MAX_NEW_TOKENS is the default), or shorten the draft or the sources."
)
_LESS_TO_JUDGE = "Shorten the sources, or choose a judge that needs no memory here (REFINER_JUDGE)."
_LEAN_CHUNK = 256
"""The most tokens of a pass, once the memory has run out."""
_LEAN_SEQUENCE = 4096
"""The most tokens of one sequence of packed prompts then."""
_LOOK_EVERY = 0.2
"""Seconds between two looks at a stop, while another request has the model."""


class LocalEngine:
    """Writes with one model, one request at a time. A second request waits for the first.

    ``model`` is a hub id, a folder or a ``.gguf`` file, or a function that finds one at loading. ``name`` is what
    people see (default: ``model``). ``form`` is the form that the model writes best in. ``compiled`` has
    small pieces of the model compiled at the first use; see `LoadedModel`. Dtype by device: cuda bfloat16,
    mps float16, cpu float32. ``quantization`` turns weights to 8 bits. Loading happens once, at `load` or
    first use.
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
        compiled: bool | None = None,
        quantization: Quantization = "off",
    ) -> None:
        self.forms: tuple[Form, ...] = (form, *(one for one in get_args(Form) if one != form))
        self.problem = ""
        self._model, self._name = model, name or str(model)
        self._device_wanted, self._threads, self._cache_dir = device, threads, cache_dir
        self._compiled, self._quantization = compiled, quantization
        self._loading, self._busy = threading.Lock(), threading.Lock()
        self._loaded: LoadedModel | None = None
        self._cache: KVCache | None = None  # of the last request

    @property
    def info(self) -> ModelInfo:
        """The model's name, and whether its place's name says that these are the refiner's weights."""
        marks = {REFINER_MODEL, "models--" + REFINER_MODEL.replace("/", "--")}
        place = "" if callable(self._model) else self._model
        is_refiner = place in marks or not marks.isdisjoint(Path(place).parts)
        return ModelInfo(self._name, is_refiner, self._loaded.detail if self._loaded else "")

    @property
    def ready(self) -> bool:
        """Whether the model is in memory."""
        return self._loaded is not None

    @property
    def token_counter(self) -> "LocalEngine":
        """The engine itself counts with the model's tokenizer."""
        return self

    def load(self) -> None:
        """Load now rather than at first use. `EngineError` says why the model cannot be loaded."""
        self.loaded()

    def loaded(self) -> LoadedModel:
        """The model in memory, loaded first where it is not there yet."""
        with self._loading:
            if self._loaded is None:
                try:
                    place = self._model() if callable(self._model) else self._model
                    began = time.perf_counter()
                    found = load(place, self._device_wanted, self._threads, self._cache_dir)
                    quantize(found[0], self._quantization, found[2])
                    seconds = time.perf_counter() - began
                    self._loaded = LoadedModel(
                        *found, seconds, compiled=self._compiled, quantization=self._quantization
                    )
                except EngineError as error:
                    self.problem = str(error)
                    raise
                self.problem = ""
            return self._loaded

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text alone."""
        if not texts:
            return []
        encoded = self.loaded().tokenizer(list(texts), add_special_tokens=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def count_prompt(self, messages: Sequence[Message]) -> int:
        """The number of tokens of the whole prompt."""
        return len(self.loaded().prompt_tokens(messages))

    def stream(self, request: GenerationRequest, stop: threading.Event) -> Iterator[GenerationProgress]:
        """Write, no more than the model's context holds; see `Engine.stream`.

        `InputError` if the context leaves no room to write. A failure of torch, such as no memory left, is an
        `EngineError`.
        """
        loaded = self.loaded()
        with self._turn(stop.is_set) as ours:
            if not ours:
                yield GenerationProgress("", Usage(ended="stopped"))
                return
            prompt = loaded.prompt_tokens(request.messages)
            room = loaded.context - len(prompt)
            if room < MIN_NEW_TOKENS:
                raise InputError(
                    f"The prompt takes {len(prompt):,} tokens; {self._name} holds {loaded.context:,} with its answer. "
                    "Shorten the draft or the sources."
                )
            budget = min(request.max_new_tokens, room)
            cut = replace(request, max_new_tokens=budget)
            with self._torch_failures("writing", len(prompt) + budget, _LESS_TO_WRITE):
                yield from self._twice(partial(self._write, loaded, prompt, cut, stop.is_set))

    def _write(
        self,
        loaded: LoadedModel,
        prompt: Sequence[int],
        request: GenerationRequest,
        stopped: Callable[[], bool],
        *,
        lean: bool,
    ) -> Iterator[GenerationProgress]:
        """Write from the beginning; ``lean``: with as little memory as can be."""
        from refiner.decoding.kv_cache import PREFILL_CHUNK  # noqa: PLC0415 - torch is heavy
        from refiner.decoding.loop import decode  # noqa: PLC0415 - torch is heavy
        from refiner.decoding.sampler import Sampler  # noqa: PLC0415 - torch is heavy

        capacity = len(prompt) + request.max_new_tokens
        self._cache = loaded.cache(capacity, self._cache, static=not lean)
        return decode(
            self._cache,
            prompt,
            loaded.writer(request),
            Sampler(request.temperature, request.seed),
            stopped,
            proposer=loaded.proposer(request),
            costs=None if lean else loaded.costs,
            prefill_chunk=_LEAN_CHUNK if lean else PREFILL_CHUNK,
        )

    def score_choices(
        self,
        prompts: Sequence[Sequence[Message]],
        choices: Sequence[str],
        stop: Callable[[], bool] = lambda: False,
    ) -> Generator[ChoiceProbabilities]:
        """How probable each choice is after each prompt; see `ChoiceScorer.score_choices`.

        A choice counts with a blank before it as well, where that is one token. What prompts share is read once.
        Nothing is written.
        """
        from refiner.decoding.prefix_packing import MAX_SEQUENCE_TOKENS  # noqa: PLC0415 - torch is heavy

        loaded = self.loaded()
        tokens = dict(enumerate(map(loaded.prompt_tokens, prompts)))
        too_long = [number for number, one in tokens.items() if len(one) > loaded.context]
        if too_long:
            yield ChoiceProbabilities(dict.fromkeys(too_long))
        unread = {number: one for number, one in tokens.items() if number not in too_long}
        if not unread:
            return
        most = min(sum(map(len, unread.values())), MAX_SEQUENCE_TOKENS)
        with self._turn(stop) as ours, self._torch_failures("judging", most, _LESS_TO_JUDGE):
            if ours:
                yield from self._twice(partial(self._score, loaded, unread, choices, stop))

    def _score(
        self,
        loaded: LoadedModel,
        unread: dict[int, list[int]],
        choices: Sequence[str],
        stopped: Callable[[], bool],
        *,
        lean: bool,
    ) -> Generator[ChoiceProbabilities]:
        """Read the prompts in ``unread``, from which those that are read go. ``lean``: with little memory."""
        from refiner.decoding import prefix_packing  # noqa: PLC0415 - torch is heavy

        limits = {"max_sequence_tokens": _LEAN_SEQUENCE, "max_pass_tokens": _LEAN_CHUNK} if lean else {}
        numbers = list(unread)
        passes = prefix_packing.score_choices(
            loaded.cache(0, self._cache, static=not lean),
            list(unread.values()),
            [loaded.choice_tokens(choice) for choice in choices],
            share_prefixes=loaded.takes_mask,
            **limits,
        )
        with closing(passes):
            while not stopped() and (scored := next(passes, None)) is not None:
                by_prompt = {numbers[n]: one for n, one in scored.probabilities.items()}
                for number in by_prompt:
                    del unread[number]
                yield ChoiceProbabilities(by_prompt, scored.tokens_read)

    def release(self) -> None:
        """Free what was read for the last request. Passes of static shape keep their buffers.

        Nothing is freed where another request has the model by now: what was read is that one's.
        """
        if self._busy.acquire(blocking=False):
            try:
                if self._cache is not None and self._cache.static:
                    self._cache.crop(0)
                else:
                    self._cache = None
            finally:
                self._busy.release()

    @contextmanager
    def _turn(self, stopped: Callable[[], bool]) -> Iterator[bool]:
        """Wait for the model and have it alone; False where ``stopped`` said so while waiting."""
        while not (ours := self._busy.acquire(timeout=_LOOK_EVERY)) and not stopped():
            pass
        try:
            yield ours
        finally:
            if ours:
                self._busy.release()

    def _twice(self, attempt: "Callable[..., Iterator[T]]") -> Iterator[T]:
        """What ``attempt`` gives. Where the memory runs out, all is freed and it begins again, ``lean``."""
        import torch  # noqa: PLC0415 - heavy

        try:
            yield from attempt(lean=False)
        except torch.OutOfMemoryError as error:
            self._free(error)
        else:
            return
        torch.cuda.empty_cache()
        yield from attempt(lean=True)

    def _free(self, error: Exception) -> None:
        """Drop what was read and captured, also what the frames of ``error`` hold of it."""
        self._cache = None
        if self._loaded and self._loaded.static_passes:
            self._loaded.static_passes.drop()
        traceback.clear_frames(error.__traceback__)

    @contextmanager
    def _torch_failures(self, doing: str, tokens: int, advice: str) -> Iterator[None]:
        """Turn a failure of torch into an `EngineError`, and free the cache.

        Where no memory is left, the error says what ``tokens`` take, and gives the ``advice``.
        """
        import torch  # noqa: PLC0415 - heavy

        try:
            yield
        except RuntimeError as error:  # torch's own errors, OutOfMemoryError among them, derive from it
            self._free(error)
            message = f"{self._name} failed while {doing}: {_first_line(error)}"
            if isinstance(error, torch.OutOfMemoryError):
                message += f" {self.loaded().memory(tokens)} {advice}"
            raise EngineError(message) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
