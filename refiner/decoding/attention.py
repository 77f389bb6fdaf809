"""Grouped-query attention over the cache as it lies, for the few rows of a decoding pass.

In grouped-query attention several query heads share one head of keys and values (Ainslie et al. 2023).
transformers copies the keys and values for each of them where a mask is given. Here the queries of a group
stand behind one another as rows of one matrix instead, so that keys and values are read once and copied
nowhere.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

GROUPED = "grouped"
"""The name of this attention in a model's config."""

MAX_GROUPED_ROWS = 64
"""Passes of more tokens than this are for SDPA, which never holds the scores of all rows at once."""

Attend = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None, float], torch.Tensor]
"""`attend`, or the same compiled."""


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float,
) -> torch.Tensor:
    """Attention of shape (batch, rows, heads, head size). Scores and softmax are in float32.

    ``query`` is (batch, heads, rows, head size); ``key`` and ``value`` are (batch, key-value heads, length,
    head size). ``mask`` is (batch or 1, 1, rows, length), True where the row sees the column; without it
    every row sees all.
    """
    batch, heads, rows, size = query.shape
    shared, length = key.shape[1], key.shape[2]
    groups = heads // shared
    scores = torch.matmul(query.reshape(batch, shared, groups * rows, size), key.transpose(2, 3))
    scores = scores.view(batch, shared, groups, rows, length).float() * scaling
    if mask is not None:
        scores = scores.masked_fill(~mask[:, :, None], -torch.inf)
    weights = torch.softmax(scores, dim=-1).to(value.dtype).view(batch, shared, groups * rows, length)
    return torch.matmul(weights, value).view(batch, heads, rows, -1).transpose(1, 2).contiguous()


def grouped_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    attend: Attend = attend,
    scaling: float | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """`attend` where it takes a pass, and transformers' own SDPA attention elsewhere. Shapes: see `attend`.

    Several rows without a mask are the beginning of a text, each row of which sees those before it. SDPA has
    a kernel for them that needs no mask.
    """
    rows = query.shape[2]
    if rows > MAX_GROUPED_ROWS or (attention_mask is None and rows > 1):
        output, _ = sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **more)
        return output, None
    return attend(query, key, value, attention_mask, scaling or query.shape[-1] ** -0.5), None


def use_grouped_attention(model: Any, attend: Attend = attend) -> None:
    """Have ``model``, which is on SDPA, attend by `grouped_attention`.

    transformers keeps one function a name for all models, so the last ``attend`` that is given holds for all.
    """
    AttentionInterface.register(GROUPED, partial(grouped_attention, attend=attend))
    AttentionMaskInterface.register(GROUPED, sdpa_mask)
    model.set_attn_implementation(GROUPED)
