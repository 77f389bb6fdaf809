"""A tiny Qwen3 with random weights, the real Qwen vocabulary and a Qwen3-style chat template, as a folder."""

import base64
import importlib.util
import shutil
import sys
from pathlib import Path

import torch
from transformers import LlamaTokenizerFast, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM
from transformers.convert_slow_tokenizer import TikTokenConverter

WIDTH = 151_936
"""The width of Qwen3's logits: its 151,669 tokens and padding."""

OTHER_TOKENIZERS = Path(sys.prefix) / "share/tokenizers"
"""Where `make` puts packages for their vocabularies alone. Nobody can import them, so nothing changes for their sake."""

_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"
    "{% endif %}"
)


class _Converter(TikTokenConverter):  # type: ignore[misc]  # transformers does not type it
    @staticmethod
    def load_tiktoken_bpe(tiktoken_url: str) -> dict[bytes, int]:
        lines = Path(tiktoken_url).read_bytes().splitlines()
        return {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, lines)}


def qwen_tokenizer() -> PreTrainedTokenizerFast:
    """Qwen's tokenizer, from the vocabulary that the package dashscope ships (Apache-2.0)."""
    spec = importlib.util.find_spec("dashscope")
    assert spec is not None
    assert spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / "resources/qwen.tiktoken"
    backend = _Converter(
        str(file), pattern=_PATTERN, extra_special_tokens=dict.fromkeys(_SPECIAL)
    ).converted()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=["<|im_start|>"],
    )
    tokenizer.add_tokens(["<think>", "</think>"])  # ordinary added tokens, as in Qwen3
    tokenizer.chat_template = _TEMPLATE
    return tokenizer


def llama3_tokenizer() -> PreTrainedTokenizerFast:
    """Llama 3's tokenizer, from the vocabulary that the package llama-models ships."""
    file = OTHER_TOKENIZERS / "llama_models/llama3/tokenizer.model"
    pattern = _PATTERN.replace(r"\p{N}|", r"\p{N}{1,3}|")
    converter = _Converter(str(file), pattern=pattern, extra_special_tokens={"<|eot_id|>": None})
    return PreTrainedTokenizerFast(tokenizer_object=converter.converted(), eos_token="<|eot_id|>")


def mistral_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Mistral 7B's tokenizer, a SentencePiece model that the package mistral-common ships. ``folder`` is empty."""
    shutil.copy(OTHER_TOKENIZERS / "mistral_common/data/tokenizer.model.v1", folder / "tokenizer.model")
    return LlamaTokenizerFast.from_pretrained(folder, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def make(folder: Path, *, seed: int = 0, scores: bool = False, restless: bool = False) -> Path:
    """Write the model to ``folder``: two layers, hidden size 16.

    With ``scores`` it answers 0, 1 or 2 to everything. With ``restless`` its output depends on every token before.
    """
    tokenizer = qwen_tokenizer()
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=WIDTH,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=32_768,
        tie_word_embeddings=not (scores or restless),
        eos_token_id=tokenizer.convert_tokens_to_ids("<|im_end|>"),
        pad_token_id=tokenizer.convert_tokens_to_ids("<|endoftext|>"),
        bos_token_id=None,
    )
    model = Qwen3ForCausalLM(config)
    if scores:
        _say_scores(model, tokenizer.convert_tokens_to_ids(["0", "1", "2"]))
    if restless:
        _unsettle(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@torch.no_grad()
def _unsettle(model: Qwen3ForCausalLM) -> None:
    """Enlarge the weights. With the initial weights the model writes much the same whatever it has read."""
    for weight, size in (
        (model.get_output_embeddings().weight, 0.8),
        (model.get_input_embeddings().weight, 1.0),
    ):
        weight.copy_(torch.randn_like(weight) * size)
    for layer in model.model.layers:
        for projection in (layer.self_attn.v_proj, layer.self_attn.o_proj):
            projection.weight.copy_(torch.randn_like(projection.weight) * 0.6)
        layer.self_attn.q_norm.weight *= 2


@torch.no_grad()
def _say_scores(model: Qwen3ForCausalLM, digits: list[int]) -> None:
    """Make the model answer with a digit.

    The prompt decides which digit. A unit that is on at every token makes it a digit.
    """
    for layer in model.model.layers:
        for projection in (layer.self_attn.v_proj, layer.self_attn.o_proj):
            projection.weight *= 4
        layer.self_attn.q_norm.weight *= 8  # attention to a few tokens, not the mean of all
        layer.self_attn.o_proj.weight[0] = 0.0
        layer.mlp.down_proj.weight[0] = 0.0
    model.get_input_embeddings().weight[:, 0] = 0.1
    head = model.get_output_embeddings().weight
    head[digits] *= 20
    head[digits, 0] = 18.0
