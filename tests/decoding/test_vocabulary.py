"""Tokens as bytes: for Qwen's and SmolLM2's byte-level vocabularies and for a SentencePiece-like one."""

import json

import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from paths import SAMPLE_CASES
from tokenizers import Tokenizer, decoders, models, normalizers, trainers
from transformers import PreTrainedTokenizerFast

from refiner.decoding.vocabulary import Vocabulary

CASES = (SAMPLE_CASES).read_text(encoding="utf-8")
TEXTS = (
    "A claim with 3.5% and p < 0.05.",
    " leading blank",
    "Größe 测试 🧪 é",
    "<answer><snippet id=S_a1B9xQ2,0>",
    "tab\tand\nlines\n\n",
)


def sentencepiece_like() -> PreTrainedTokenizerFast:
    """``▁`` for blanks and ``<0xNN>`` for bytes, as Llama 2's and Gemma's, trained on the sample cases."""
    backend = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    backend.train_from_iterator(
        CASES.splitlines(), trainers.BpeTrainer(vocab_size=2000, special_tokens=special, show_progress=False)
    )
    kept = json.loads(backend.to_str())
    kept["added_tokens"] = kept["added_tokens"][:3]  # bytes are ordinary tokens there
    backend = Tokenizer.from_str(json.dumps(kept))
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="</s>", unk_token="<unk>")


@pytest.fixture(scope="module")
def spm() -> Vocabulary:
    return Vocabulary(sentencepiece_like(), 2048)


@pytest.mark.parametrize("text", TEXTS)
def test_forced_text_is_spelled_by_the_tokens_that_the_tokenizer_would_take(
    qwen_tokenizer: PreTrainedTokenizerFast, qwen_vocabulary: Vocabulary, text: str
) -> None:
    tokens = qwen_vocabulary.encode(text.encode())
    assert qwen_vocabulary.decode(tokens) == text.encode()
    assert tokens == qwen_tokenizer.encode(text, add_special_tokens=False)


@given(text=st.text())
def test_any_text_is_spelled_exactly_where_the_tokenizer_adds_a_blank(spm: Vocabulary, text: str) -> None:
    data = text.encode(errors="replace")
    assert spm.decode(spm.encode(data)) == data


def test_special_tokens_and_padding_make_no_text(
    qwen_tokenizer: PreTrainedTokenizerFast, qwen_vocabulary: Vocabulary
) -> None:
    for special in ("<|im_end|>", "<|im_start|>", "<|endoftext|>"):
        assert qwen_vocabulary.token_bytes(qwen_tokenizer.convert_tokens_to_ids(special)) == b""
    assert qwen_vocabulary.token_bytes(tiny.WIDTH - 1) == b""
    assert not qwen_vocabulary.context_free[tiny.WIDTH - 1]


def test_thinking_tags_are_text_that_the_grammar_sees(
    qwen_tokenizer: PreTrainedTokenizerFast, qwen_vocabulary: Vocabulary
) -> None:
    think = qwen_tokenizer.convert_tokens_to_ids("<think>")
    assert qwen_vocabulary.token_bytes(think) == b"<think>"
    assert not qwen_vocabulary.context_free[think]


def test_plain_tokens_hold_whole_characters_and_no_tag(qwen_vocabulary: Vocabulary) -> None:
    plain = [qwen_vocabulary.token_bytes(int(n)) for n in qwen_vocabulary.context_free.nonzero()[0]]
    assert len(plain) > 140_000
    assert not any(b"<" in data for data in plain)
    assert all(data.decode() for data in plain)
