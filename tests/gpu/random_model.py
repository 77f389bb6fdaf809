"""A Qwen3 with random weights in the refiner's exact shape, or a tiny one, and plain token sequences for it.

Speed does not depend on the weights. No tokenizer and no network are needed.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

from refiner.decoding.constrained_writer import UnconstrainedWriter
from refiner.decoding.kv_cache import KVCache
from refiner.engines.static_passes import StaticPasses

CONTEXT = 40_960
BYTES_PER_GIGABYTE = 1e9


def random_model(device: str, dtype: torch.dtype, *, small: bool, vocabulary: int = 512) -> Any:
    """The model, ready to run. 4.02 billion parameters; with ``small`` a few thousand beside those of the vocabulary."""
    shape = (
        {
            "vocab_size": vocabulary,
            "hidden_size": 64,
            "num_hidden_layers": 2,
            "intermediate_size": 128,
            "head_dim": 16,
        }
        if small
        else {
            "vocab_size": 151_936,
            "hidden_size": 2560,
            "num_hidden_layers": 36,
            "intermediate_size": 9728,
            "head_dim": 128,
        }
    )
    heads = (
        {"num_attention_heads": 4, "num_key_value_heads": 2}
        if small
        else {"num_attention_heads": 32, "num_key_value_heads": 8}
    )
    config = Qwen3Config(
        **shape, **heads, max_position_embeddings=CONTEXT, tie_word_embeddings=True, rope_theta=1e6
    )  # type: ignore[arg-type]  # numbers by name
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            return Qwen3ForCausalLM(config).eval()
    finally:
        torch.set_default_dtype(before)


def random_tokens(model: Any, count: int, seed: int = 0) -> list[int]:
    """Tokens that mean nothing."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, no secret
    return [dice.randrange(model.config.vocab_size) for _ in range(count)]


def filled_cache(passes: StaticPasses | None, model: Any, tokens: Sequence[int], capacity: int) -> KVCache:
    """A cache that has read ``tokens``, of static shape where there are ``passes``."""
    cache = passes.cache(capacity) if passes else KVCache(model, capacity, full_attention=True)
    for start in range(0, len(tokens), 1024):
        cache.forward(list(tokens[start : start + 1024]), [0])
    return cache


class TokenBytes:
    """A vocabulary for a writer without a grammar: nothing is spelled."""

    def token_bytes(self, token: int) -> bytes:
        del token
        return b"x"


def plain_writer(budget: int) -> UnconstrainedWriter:
    """A writer that takes any token."""
    return UnconstrainedWriter(TokenBytes(), budget, frozenset())  # type: ignore[arg-type]  # all that it asks for


def relative_error(found: torch.Tensor, true: torch.Tensor) -> float:
    """The root mean square of the error over that of the true values."""
    return float((found.double() - true.double()).norm() / true.double().norm())


def wait_for(device: str) -> Callable[[], None]:
    """What waits until the device has computed everything."""
    return torch.cuda.synchronize if device == "cuda" else lambda: None
