"""A tokenizer's tokens as bytes.

The grammar walks on these bytes, and forced text becomes tokens through them. Works for byte-level BPE (Qwen, SmolLM,
Llama 3, …) and for SentencePiece-like vocabularies (``▁`` for a blank, ``<0xNN>`` for bytes). Knows nothing of the
answer format.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refiner.decoding.utf8 import is_continuation

_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_CONTROL = frozenset(range(0x20)) - {0x09, 0x0A} | {0x7F}

_MAX_BREAK_TOKENS = 3
"""Tokens that a line break and the blank before it take at most."""

_MAX_CACHED_BYTES, _MAX_CACHED_TEXTS = 24, 4096
"""The tokens of short texts are cached: the format's tags come again and again."""


def _byte_level_alphabet() -> dict[str, int]:
    """GPT-2's printable stand-ins for the 256 bytes."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode  # noqa: PLC0415 - transformers is heavy

    return {character: byte for byte, character in bytes_to_unicode().items()}  # type: ignore[no-untyped-call]  # transformers leaves it untyped


def _token_bytes(tokenizer: Any) -> dict[int, bytes]:
    """Every ordinary token's bytes by id. Special tokens are left out, because no text is made of them."""
    backend = json.loads(tokenizer.backend_tokenizer.to_str())
    byte_level = '"ByteLevel"' in json.dumps(backend.get("decoder"))
    alphabet = _byte_level_alphabet() if byte_level else {}
    special = set(tokenizer.all_special_ids)
    added = {token["id"]: token for token in backend.get("added_tokens", ())}
    found = {}
    for token, token_id in tokenizer.get_vocab().items():
        if token_id in special or (token_id in added and added[token_id]["special"]):
            continue
        byte = _BYTE_TOKEN.fullmatch(token)
        if token_id in added:
            data = token.encode()
        elif byte_level:
            data = bytes(alphabet[char] for char in token) if all(c in alphabet for c in token) else b""
        else:
            data = bytes([int(byte[1], 16)]) if byte else token.replace("▁", " ").encode()
        if data:
            found[token_id] = data
    return found


def _is_context_free(data: bytes) -> bool:
    """Whether ``data`` is whole characters only, with no control character and no ``<`` that could begin a tag."""
    if b"<" in data or not _CONTROL.isdisjoint(data):
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class AllowedTokens:
    """What may come next: a ``mask`` over the whole vocabulary, or a short list of ``tokens``."""

    mask: NDArray[np.bool_] | None = None
    tokens: tuple[int, ...] = ()


class Vocabulary:
    """The tokens of one tokenizer. ``size`` is the width of the model's logits, padding included."""

    def __init__(self, tokenizer: Any, size: int) -> None:
        self.size = size
        self._tokenizer = tokenizer
        self._encoded: dict[bytes, tuple[int, ...]] = {}
        self._bytes = {n: data for n, data in _token_bytes(tokenizer).items() if n < size}

    def token_bytes(self, token: int) -> bytes:
        """The token's bytes; empty for special tokens and padding."""
        return self._bytes.get(token, b"")

    @cached_property
    def token_by_bytes(self) -> dict[bytes, int]:
        """The token of each byte string. The highest id counts: a SentencePiece model's ``<0x30>`` comes before ``0``."""
        return {data: max(tokens) for data, tokens in self.tokens_by_bytes.items()}

    @cached_property
    def tokens_by_bytes(self) -> dict[bytes, list[int]]:
        """All tokens of each byte string."""
        found: dict[bytes, list[int]] = {}
        for token, data in self._bytes.items():
            found.setdefault(data, []).append(token)
        return found

    @cached_property
    def _in_order(self) -> list[tuple[bytes, int]]:
        return sorted((data, n) for n, data in self._bytes.items())

    def beginning_with(self, prefix: bytes) -> list[tuple[bytes, int]]:
        """The bytes and ids of all tokens that begin with ``prefix``, itself among them."""
        start = bisect_left(self._in_order, (prefix, -1))
        end = start
        while end < len(self._in_order) and self._in_order[end][0].startswith(prefix):
            end += 1
        return self._in_order[start:end]

    @cached_property
    def longest_token(self) -> int:
        """The length in bytes of the longest token."""
        return max(map(len, self._bytes.values()))

    @cached_property
    def context_free(self) -> NDArray[np.bool_]:
        """(size,) True for tokens that may stand anywhere in text."""
        mask = np.zeros(self.size, dtype=np.bool_)
        mask[[n for n, data in self._bytes.items() if _is_context_free(data)]] = True
        return mask

    @cached_property
    def context_dependent(self) -> tuple[tuple[int, bytes], ...]:
        """Tokens with ``<`` or with part of a character. The grammar walks through them one by one."""
        return tuple((n, data) for n, data in self._bytes.items() if not self.context_free[n])

    @cached_property
    def without_leading_space(self) -> NDArray[np.bool_]:
        """(size,) True for tokens that begin with no white space."""
        mask = np.zeros(self.size, dtype=np.bool_)
        mask[[n for n, data in self._bytes.items() if not data[:1].isspace()]] = True
        return mask

    def encode(self, text: bytes) -> list[int]:
        """Tokens that spell exactly ``text``: the tokenizer's own choice wherever that spells the text exactly.

        ``text`` may begin or end within a character. Raises `ValueError` for a byte that has no token.
        """
        known = self._encoded.get(text)
        if known is None:
            known = tuple(self._encode(text))
            if len(text) <= _MAX_CACHED_BYTES and len(self._encoded) < _MAX_CACHED_TEXTS:
                self._encoded[text] = known
        return list(known)

    def decode(self, tokens: Sequence[int]) -> bytes:
        """The bytes that the tokens make together."""
        return b"".join(map(self.token_bytes, tokens))

    def _encode(self, text: bytes) -> list[int]:
        """The tokenizer's tokens: of the text alone, else behind a line break, else greedy ones.

        Some tokenizers add a blank where a text begins (SentencePiece). Behind a line break they do not.
        """
        whole = text.decode(errors="ignore")
        tokens = self._tokenize(whole)
        if self.decode(tokens) == text:
            return tokens
        begun = next((n for n, byte in enumerate(text) if not is_continuation(byte)), len(text))
        if 0 < begun < len(text):
            return self._longest_match(text[:begun]) + self._encode(text[begun:])
        tokens = self._tokenize(f"\n{whole}")
        for start in range(1, min(len(tokens), _MAX_BREAK_TOKENS + 1)):
            if self.decode(tokens[start:]) == text:
                return tokens[start:]
        return self._longest_match(text)

    def _tokenize(self, text: str) -> list[int]:
        tokens: list[int] = self._tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
        return tokens

    def _longest_match(self, text: bytes) -> list[int]:
        """Greedy tokens, for tokenizers that add blanks or fold characters."""
        tokens, at = [], 0
        while at < len(text):
            for end in range(min(len(text), at + self.longest_token), at, -1):
                token = self.token_by_bytes.get(text[at:end])
                if token is not None:
                    tokens.append(token)
                    at = end
                    break
            else:
                raise ValueError(f"the tokenizer has no token for byte {text[at]:#x}")
        return tokens
