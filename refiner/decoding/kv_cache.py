"""The tokens that a model has read, and its keys and values of them, in buffers that do not move.

transformers' growing cache copies all of itself at every pass. Here the buffers are allocated once. A pass writes into
them, the model sees the part that is filled, and cropping changes a number. With ``static_width`` set the shapes do
not change either: each short pass has that many tokens, padded behind, and the model sees the whole buffer under its
mask. A compiler can then make one graph of it (`torch.compile`, on CUDA with CUDA graphs).
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import Cache, StaticLayer

PREFILL_CHUNK = 1024
"""The most tokens that one pass over a prompt reads, so that reading a long prompt can be stopped."""

STATIC_WIDTH = 32
"""Tokens in a pass of static shape: as many as a GPU reads in about the time of one."""

CAPACITY_STEP = 1024
"""A buffer's capacity is a multiple of this: few shapes, and few new allocations."""

MIN_STATIC_CAPACITY = 4096
"""Buffers of static shape hold this many tokens, or twice, four times … as many. Each size is compiled anew."""


class KVCache:
    """The tokens that ``model`` has read, with their keys and values.

    ``full_attention`` says that every layer of the model sees all tokens. Only then can the cache be cropped, which
    speculative decoding and prefix reuse need. Other models get transformers' own cache. ``forward`` is the model's
    own or a compiled one, for passes of ``static_width`` tokens or fewer.
    """

    def __init__(
        self,
        model: Any,
        capacity: int,
        *,
        full_attention: bool,
        static_width: int = 0,
        forward: Callable[..., Any] | None = None,
    ) -> None:
        self.model, self.full_attention, self.static_width = model, full_attention, static_width
        self.capacity = -(-(capacity + static_width) // CAPACITY_STEP) * CAPACITY_STEP
        if static_width:
            self.capacity = max(MIN_STATIC_CAPACITY, 1 << (self.capacity - 1).bit_length())
        self.tokens: list[int] = []
        self._forward = forward or model
        self._argument = cache_argument(model)
        config = model.config.get_text_config()
        self._context = getattr(config, "max_position_embeddings", None) or self.capacity
        self._start = torch.zeros((), dtype=torch.long, device=model.device)
        if static_width:
            torch._dynamo.mark_static_address(self._start)  # noqa: SLF001 - CUDA graphs want buffers that stay
        count = config.num_hidden_layers if full_attention else 0
        self._layers = [_Layer(self.capacity, self._start, stays=static_width > 0) for _ in range(count)]
        self._cache = (
            Cache(layers=list(self._layers)) if full_attention else DynamicCache(config=model.config)
        )

    def empty_copy(self) -> "KVCache":
        """A cache for the same model that has read nothing, for passes of any shape."""
        return KVCache(self.model, self.capacity, full_attention=self.full_attention)

    def for_any_shape(self) -> "KVCache":
        """A cache that has read the same and takes passes of any shape: itself, or a copy if its shapes are static."""
        if not self.static_width:
            return self
        other = self.empty_copy()
        for number, layer in enumerate(self._layers if self.tokens else ()):
            other._cache.update(*layer.view(len(self.tokens)), number)  # noqa: SLF001 - one of our own kind
        other.tokens = list(self.tokens)
        return other

    def reuse_prefix(self, tokens: Sequence[int]) -> int:
        """Crop to what the cache and ``tokens`` begin with, and return how many tokens that is.

        The last of ``tokens`` never counts, because it must be read for its logits.
        """
        if not self.full_attention and self.tokens:
            raise ValueError("this model's cache cannot be cropped")
        most = min(len(self.tokens), len(tokens) - 1)
        pairs = zip(self.tokens, tokens[:-1], strict=False)
        self.crop(next((n for n, (one, other) in enumerate(pairs) if one != other), most))
        return len(self.tokens)

    def crop(self, length: int) -> None:
        """Keep the first ``length`` tokens only."""
        if not self.full_attention and length < len(self.tokens):
            raise ValueError("this model's cache cannot be cropped")
        del self.tokens[length:]

    def forward(self, tokens: list[int], rows: list[int], **model_inputs: Any) -> torch.Tensor:
        """One forward pass over ``tokens``: the logits (rows, vocabulary) of what follows each of ``rows``.

        ``model_inputs`` are passed to the model: position ids and an attention mask.
        """
        padding_fits = len(tokens) <= self.static_width <= self._context - len(self.tokens)
        static = self.full_attention and padding_fits and bool(self.tokens) and not model_inputs
        for layer in self._layers:
            layer.static, layer.filled = static, len(self.tokens)
        if static:
            self._start.fill_(len(self.tokens))
        padding = self.static_width - len(tokens) if static else 0
        device = self.model.device
        keep = {} if static else {"logits_to_keep": torch.tensor(rows, device=device)}
        with torch.inference_mode():
            ids = torch.tensor([[*tokens, *tokens[-1:] * padding]], device=device)
            run = self._forward if static else self.model
            output = run(
                input_ids=ids, use_cache=True, **{self._argument: self._cache}, **keep, **model_inputs
            )
            logits: torch.Tensor = output.logits[0]
        self.tokens += tokens
        return logits[rows] if static else logits


def cache_argument(model: Any) -> str:
    """The name of the model's argument for its cache: ``cache`` since transformers 5.24."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


class _Layer(StaticLayer):
    """One layer's keys and values, each of shape (1, heads, capacity, head size).

    The model sees the part that is ``filled``. If ``static``, it sees all of it and writes at ``start``, a number on
    the device.
    """

    def __init__(self, capacity: int, start: torch.Tensor, *, stays: bool) -> None:
        super().__init__(capacity)  # type: ignore[no-untyped-call]  # transformers leaves it untyped
        self.static, self._stays = False, stays
        self.filled = 0
        self._start = start

    def view(self, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of the first ``length`` tokens, where they are kept: no copy."""
        assert self.keys is not None  # noqa: S101 - for the type checker: a pass has allocated them
        assert self.values is not None  # noqa: S101 - the same
        return self.keys[:, :, :length], self.values[:, :, :length]

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        shape = (*key_states.shape[:2], self.max_cache_len)
        self.keys = key_states.new_zeros((*shape, key_states.shape[-1]))
        self.values = value_states.new_zeros((*shape, value_states.shape[-1]))
        for buffer in (self.keys, self.values) if self._stays else ():
            torch._dynamo.mark_static_address(buffer)  # noqa: SLF001 - CUDA graphs want buffers that stay
        self.is_initialized = True

    @property
    def is_compileable(self) -> bool:  # type: ignore[override]  # an attribute there
        return self.static

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        size = key_states.shape[-2]
        if self.static:
            keys, values = self.view(self.max_cache_len)
            places = torch.arange(size, device=self._start.device) + self._start
            keys.index_copy_(2, places, key_states)
            values.index_copy_(2, places, value_states)
            return keys, values
        end = self.filled + size
        if end > self.max_cache_len:
            self._grow(-(-end // CAPACITY_STEP) * CAPACITY_STEP)
        keys, values = self.view(end)
        keys[:, :, self.filled :] = key_states
        values[:, :, self.filled :] = value_states
        self.filled = end
        return keys, values

    def get_seq_length(self) -> int | torch.Tensor:  # type: ignore[override]  # as transformers' own static layer
        return self._start if self.static else self.filled

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return (self.max_cache_len if self.static else self.filled + query_length), 0

    def _grow(self, capacity: int) -> None:
        more = capacity - self.max_cache_len
        self.max_cache_len = capacity
        for name in ("keys", "values"):
            grown = torch.nn.functional.pad(getattr(self, name), (0, 0, 0, more))
            setattr(self, name, grown)
