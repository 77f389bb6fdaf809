"""What a model has read: tokens, and its keys and values of them, in buffers that do not move.

transformers' growing cache copies all of itself at every pass. Here the buffers are set aside once; a pass writes
into them, the model sees the part that is filled, and going back is a matter of a number. With ``width`` set the
shapes do not change either: each short pass has that many tokens, padded behind, and the model sees the whole
buffer under its mask, so that a compiler can make one graph of it (`torch.compile`, on CUDA with CUDA graphs).
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import Cache, StaticLayer

PREFILL = 1024
"""The most tokens that one pass over a prompt reads, so that a long one can be stopped on the way."""

WIDTH = 32
"""Tokens in a pass of fixed shape: as many as a GPU reads in about the time of one."""

ROUND = 1024
"""Buffers hold a multiple of so many tokens: few shapes, and little to set aside anew."""

FEW_ROOMS = 4096
"""Rooms of fixed shape are this or twice, four times… as large: each other size is compiled anew."""


class Memory:
    """The tokens that ``model`` has read, and its cache of them.

    ``whole`` says that every layer of the model sees all tokens. Only then can it go back to what it had read
    before (`back`), which guessing and starting from a shared beginning need; other models get transformers' own
    cache. ``forward`` is the model's own or a compiled one, used for passes of ``width`` tokens or fewer.
    """

    def __init__(
        self, model: Any, room: int, *, whole: bool, width: int = 0, forward: Callable[..., Any] | None = None
    ) -> None:
        self.model, self.whole, self.width = model, whole, width
        self.room = -(-(room + width) // ROUND) * ROUND
        if width:
            self.room = max(FEW_ROOMS, 1 << (self.room - 1).bit_length())
        self.tokens: list[int] = []
        self._forward = forward or model
        self._name = cache_name(model)
        config = model.config.get_text_config()
        self._context = getattr(config, "max_position_embeddings", None) or self.room
        self._start = torch.zeros((), dtype=torch.long, device=model.device)
        if width:
            torch._dynamo.mark_static_address(self._start)  # noqa: SLF001 - CUDA graphs want buffers that stay
        count = config.num_hidden_layers if whole else 0
        self._layers = [_Layer(self.room, self._start, stays=width > 0) for _ in range(count)]
        self._cache = Cache(layers=list(self._layers)) if whole else DynamicCache(config=model.config)

    def anew(self) -> "Memory":
        """One that has read nothing."""
        return Memory(self.model, self.room, whole=self.whole)

    def growing(self) -> "Memory":
        """One that has read the same and takes passes of any shape: itself, or a copy if its shapes are fixed."""
        if not self.width:
            return self
        other = self.anew()
        for number, layer in enumerate(self._layers if self.tokens else ()):
            other._cache.update(*layer.seen(len(self.tokens)), number)  # noqa: SLF001 - one of our own kind
        other.tokens = list(self.tokens)
        return other

    def begin(self, tokens: Sequence[int]) -> int:
        """Go back to what ``tokens`` begin with, never all of them: the last is to be read. Returns how many stay."""
        if not self.whole and self.tokens:
            raise ValueError("this model's cache cannot go back")
        pairs = zip(self.tokens, tokens[:-1], strict=False)
        most = min(len(self.tokens), len(tokens) - 1)
        self.back(next((n for n, (one, other) in enumerate(pairs) if one != other), most))
        return len(self.tokens)

    def back(self, length: int) -> None:
        """Keep the first ``length`` tokens only."""
        if not self.whole and length < len(self.tokens):
            raise ValueError("this model's cache cannot go back")
        del self.tokens[length:]

    def read(self, tokens: list[int], rows: list[int], **more: Any) -> torch.Tensor:
        """One forward pass over ``tokens``: the logits (rows, vocabulary) of what follows each of ``rows``.

        ``more`` is passed to the model: positions and a mask.
        """
        fits = len(tokens) <= self.width <= self._context - len(self.tokens)  # padding has places too
        fixed = self.whole and fits and bool(self.tokens) and not more
        for layer in self._layers:
            layer.fixed, layer.filled = fixed, len(self.tokens)
        if fixed:
            self._start.fill_(len(self.tokens))
        padding = self.width - len(tokens) if fixed else 0
        device = self.model.device
        keep = {} if fixed else {"logits_to_keep": torch.tensor(rows, device=device)}
        with torch.inference_mode():
            ids = torch.tensor([[*tokens, *tokens[-1:] * padding]], device=device)
            run = self._forward if fixed else self.model
            output = run(input_ids=ids, use_cache=True, **{self._name: self._cache}, **keep, **more)
            logits: torch.Tensor = output.logits[0]
        self.tokens += tokens
        return logits[rows] if fixed else logits


def cache_name(model: Any) -> str:
    """What the model calls its cache: ``cache`` since transformers 5.24."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


class _Layer(StaticLayer):
    """One layer's keys and values (1, heads, room, head size).

    The model sees what is ``filled``; or if ``fixed`` all of it, and writes at ``start``, a number on the device.
    """

    def __init__(self, room: int, start: torch.Tensor, *, stays: bool) -> None:
        super().__init__(room)  # type: ignore[no-untyped-call]  # transformers leaves it untyped
        self.fixed, self._stays = False, stays
        self.filled = 0
        self._start = start

    def seen(self, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of the first ``length`` tokens; they are where they are kept, no copy."""
        assert self.keys is not None  # noqa: S101 - for the type checker: a pass has set them aside
        assert self.values is not None  # noqa: S101 - the same
        return self.keys[:, :, :length], self.values[:, :, :length]

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        shape = (*key_states.shape[:2], self.max_cache_len)
        self.keys = key_states.new_zeros((*shape, key_states.shape[-1]))
        self.values = value_states.new_zeros((*shape, value_states.shape[-1]))
        for buffer in (self.keys, self.values) if self._stays else ():
            torch._dynamo.mark_static_address(buffer)  # noqa: SLF001 - the same
        self.is_initialized = True

    @property
    def is_compileable(self) -> bool:  # type: ignore[override]  # an attribute there
        return self.fixed

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        size = key_states.shape[-2]
        if self.fixed:
            keys, values = self.seen(self.max_cache_len)
            places = torch.arange(size, device=self._start.device) + self._start
            keys.index_copy_(2, places, key_states)
            values.index_copy_(2, places, value_states)
            return keys, values
        end = self.filled + size
        if end > self.max_cache_len:
            self._grow(-(-end // ROUND) * ROUND)
        keys, values = self.seen(end)
        keys[:, :, self.filled :] = key_states
        values[:, :, self.filled :] = value_states
        self.filled = end
        return keys, values

    def get_seq_length(self) -> int | torch.Tensor:  # type: ignore[override]  # as transformers' own static layer
        return self._start if self.fixed else self.filled

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return (self.max_cache_len if self.fixed else self.filled + query_length), 0

    def _grow(self, room: int) -> None:
        more = room - self.max_cache_len
        self.max_cache_len = room
        for name in ("keys", "values"):
            grown = torch.nn.functional.pad(getattr(self, name), (0, 0, 0, more))
            setattr(self, name, grown)
