"""The tokens that a model has read, and its keys and values of them, in buffers that do not move.

transformers' growing cache copies all of itself at every pass. Here the buffers are allocated once. A pass writes into
them, the model sees the part that is filled, and cropping changes a number.

Passes of static shape are for GPUs, where starting a kernel takes longer than a small kernel runs. Such a
pass is padded to one of a few widths, and sees the first slots of the buffers under a mask, in steps. So
there are few shapes, and each can be captured as one graph (`decoding.cuda_graphs`).
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import Cache, StaticLayer

PREFILL_CHUNK = 1024
"""The most tokens that one pass over a prompt reads, so that reading a long prompt can be stopped."""

STATIC_WIDTHS = (8, 32, 64)
"""Tokens in a pass of static shape, padding included.

A GPU reads 8 in the time of one, and 64 in hardly more, so few widths do (docs/decoding.md, "On a GPU"). Each width
costs seconds of compiling at the first start, and a capture for every step of visible slots.
"""

VISIBLE_STEP = 1024
"""A pass of static shape sees a multiple of this many slots.

A smaller step wastes less attention on empty slots, but has more shapes to capture. At 1,024 half a step is
wasted on average, and an answer of 1,024 tokens takes two shapes a width.
"""

CAPACITY_STEP = 1024
"""A buffer's capacity is a multiple of this: few new allocations."""

MIN_STATIC_CAPACITY = 4096
"""Buffers of static shape hold this many tokens, or twice, four times … as many."""

Pass = Callable[[], torch.Tensor]
"""A forward pass over inputs that stay in their place: the logits (width, vocabulary)."""
RunPass = Callable[[tuple[int, int], Pass], torch.Tensor]
"""Runs the pass of one shape (width, visible slots). What it gives is used up before the next."""


class KVCache:
    """The tokens that ``model`` has read, with their keys and values.

    ``full_attention`` says that every layer of the model sees all tokens. Only then can the cache be cropped, which
    speculative decoding and prefix reuse need. Other models get transformers' own cache.

    With ``run_static`` short passes have static shapes, and ``run_static`` runs them. ``drop_static`` is
    called before the buffers move. The model must take positions and a boolean mask.
    """

    def __init__(
        self,
        model: Any,
        capacity: int,
        *,
        full_attention: bool,
        run_static: RunPass | None = None,
        drop_static: Callable[[], None] = lambda: None,
    ) -> None:
        self.model, self.full_attention = model, full_attention
        self.tokens: list[int] = []
        self._run_static, self._drop_static = run_static, drop_static
        self.capacity = self._capacity_for(capacity)
        self._argument = cache_argument(model)
        config = model.config.get_text_config()
        self.context: int = getattr(config, "max_position_embeddings", None) or self.capacity
        self._inputs = torch.zeros(1 + STATIC_WIDTHS[-1], dtype=torch.long, device=model.device)
        count = config.num_hidden_layers if full_attention else 0
        self._layers = [_Layer(self.capacity) for _ in range(count)]
        self._cache = (
            Cache(layers=list(self._layers)) if full_attention else DynamicCache(config=model.config)
        )

    @property
    def static(self) -> bool:
        """Whether short passes have static shapes."""
        return self._run_static is not None

    def empty_copy(self) -> "KVCache":
        """A cache for the same model that has read nothing, for passes of any shape."""
        return KVCache(self.model, self.capacity, full_attention=self.full_attention)

    def reserve(self, tokens: int) -> None:
        """Have room for ``tokens`` in all. The buffers grow where they have less."""
        if tokens > self.capacity and self.full_attention:
            self._drop_static()
            self.capacity = self._capacity_for(tokens)
            for layer in self._layers:
                layer.grow(self.capacity)

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
        width = 0 if model_inputs else self._static_width(len(tokens))
        self.reserve(len(self.tokens) + max(width, len(tokens)))
        with torch.inference_mode():
            if width:
                logits = self._static_pass(tokens, width)[rows]
            else:
                logits = self._eager_pass(tokens, rows, **model_inputs)
        self.tokens += tokens
        return logits

    def _capacity_for(self, tokens: int) -> int:
        if self._run_static:
            return max(MIN_STATIC_CAPACITY, 1 << (tokens + STATIC_WIDTHS[-1] - 1).bit_length())
        return -(-tokens // CAPACITY_STEP) * CAPACITY_STEP

    def _static_width(self, tokens: int) -> int:
        """The width of the pass of static shape that takes ``tokens`` more; 0 where none does.

        Passes of static shape need buffers that are there. Their padding, too, must lie within the model's
        context.
        """
        if not self._run_static or not self._layers[0].is_initialized:
            return 0
        width = next((width for width in STATIC_WIDTHS if width >= tokens), 0)
        return width if len(self.tokens) + width <= self.context else 0

    def _eager_pass(self, tokens: list[int], rows: list[int], **model_inputs: Any) -> torch.Tensor:
        for layer in self._layers:
            layer.places, layer.filled = None, len(self.tokens)
        device = self.model.device
        model_inputs["logits_to_keep"] = torch.tensor(rows, device=device)
        return self._logits(torch.tensor([tokens], device=device), **model_inputs)

    def _static_pass(self, tokens: list[int], width: int) -> torch.Tensor:
        """The logits after each token, and after the padding behind them: (width, vocabulary)."""
        start = len(self.tokens)
        visible = -(-(start + width) // VISIBLE_STEP) * VISIBLE_STEP
        padding = tokens[-1:] * (width - len(tokens))
        self._inputs[: 1 + width].copy_(torch.tensor([start, *tokens, *padding]))
        assert self._run_static is not None  # noqa: S101 - for the type checker: there is a width
        return self._run_static((width, visible), lambda: self._padded_pass(width, visible))

    def _padded_pass(self, width: int, visible: int) -> torch.Tensor:
        """What a pass of static shape computes, from ``_inputs`` and the buffers alone."""
        device = self._inputs.device
        places = self._inputs[0] + torch.arange(width, device=device)
        for layer in self._layers:
            layer.places, layer.visible = places, visible
        mask = torch.arange(visible, device=device) <= places[:, None]
        return self._logits(
            self._inputs[None, 1 : 1 + width], position_ids=places[None], attention_mask=mask[None, None]
        )

    def _logits(self, ids: torch.Tensor, **model_inputs: Any) -> torch.Tensor:
        output = self.model(input_ids=ids, use_cache=True, **{self._argument: self._cache}, **model_inputs)
        logits: torch.Tensor = output.logits[0]
        return logits


def cache_argument(model: Any) -> str:
    """The name of the model's argument for its cache: ``cache`` since transformers 5.24."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


class _Layer(StaticLayer):
    """One layer's keys and values, each of shape (1, heads, capacity, head size).

    The model sees the part that is ``filled``. In a pass of static shape it writes to ``places``, slots of
    the buffers as a tensor on the device, and sees the first ``visible`` slots.
    """

    is_compileable = False

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)  # type: ignore[no-untyped-call]  # transformers leaves it untyped
        self.filled = self.visible = 0
        self.places: torch.Tensor | None = None

    def view(self, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of the first ``length`` tokens, where they are kept: no copy."""
        assert self.keys is not None  # noqa: S101 - for the type checker: a pass has allocated them
        assert self.values is not None  # noqa: S101 - the same
        return self.keys[:, :, :length], self.values[:, :, :length]

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        shape = (*key_states.shape[:2], self.max_cache_len)
        self.keys = key_states.new_zeros((*shape, key_states.shape[-1]))
        self.values = value_states.new_zeros((*shape, value_states.shape[-1]))
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        if self.places is not None:
            keys, values = self.view(self.visible)
            keys.index_copy_(2, self.places, key_states)
            values.index_copy_(2, self.places, value_states)
            return keys, values
        end = self.filled + key_states.shape[-2]
        keys, values = self.view(end)
        keys[:, :, self.filled :] = key_states
        values[:, :, self.filled :] = value_states
        self.filled = end
        return keys, values

    def get_seq_length(self) -> int:
        return self.filled

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.filled + query_length, 0

    def grow(self, capacity: int) -> None:
        """Move to buffers of ``capacity``. Layers move one by one, so only one is in memory twice."""
        more = capacity - self.max_cache_len
        self.max_cache_len = capacity
        for name in ("keys", "values") if self.is_initialized else ():
            grown = torch.nn.functional.pad(getattr(self, name), (0, 0, 0, more))
            setattr(self, name, grown)
