"""A tokenizer's tokens as bytes: what the grammar walks on, and how forced text becomes tokens.

Works for byte-level BPE (Qwen, SmolLM, Llama 3, …) and for SentencePiece-like vocabularies
(``▁`` for a blank, ``<0xNN>`` for bytes). Knows nothing of the answer format.
"""

import json
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_CONTROL = frozenset(range(0x20)) - {0x09, 0x0A} | {0x7F}


def _byte_level_alphabet() -> dict[str, int]:
    """GPT-2's printable stand-ins for the 256 bytes: the printable for themselves, others from U+0100 up."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(b): b for b in printable} | {chr(256 + n): b for n, b in enumerate(others)}


def _token_bytes(tokenizer: Any) -> dict[int, bytes]:
    """Every ordinary token's bytes by id. Special tokens are left out: no text is made of them."""
    backend = json.loads(tokenizer.backend_tokenizer.to_str())
    byte_level = '"ByteLevel"' in json.dumps(backend.get("decoder"))
    alphabet = _byte_level_alphabet()
    special = set(tokenizer.all_special_ids)
    added = {token["id"]: token for token in backend.get("added_tokens", ())}
    found = {}
    for token, number in tokenizer.get_vocab().items():
        if number in special or (number in added and added[number]["special"]):
            continue
        byte = _BYTE_TOKEN.fullmatch(token)
        if number in added:
            data = token.encode()
        elif byte_level:
            data = bytes(alphabet[char] for char in token) if all(c in alphabet for c in token) else b""
        else:
            data = bytes([int(byte[1], 16)]) if byte else token.replace("▁", " ").encode()
        if data:
            found[number] = data
    return found


def _is_plain(data: bytes) -> bool:
    """Whole characters only, no control characters, and nothing that could begin a tag."""
    if b"<" in data or not _CONTROL.isdisjoint(data):
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


_SHORT, _KEPT = 24, 4096
"""Bytes of a text whose tokens are kept, and how many such texts: the format's tags come again and again."""


class Vocabulary:
    """The tokens of one tokenizer. ``size`` is the width of the model's logits, padding included."""

    def __init__(self, tokenizer: Any, size: int) -> None:
        self.size = size
        self._tokenizer = tokenizer
        self._encoded: dict[bytes, tuple[int, ...]] = {}
        self._bytes = {n: data for n, data in _token_bytes(tokenizer).items() if n < size}

    def data(self, token: int) -> bytes:
        """The token's bytes; empty for special tokens and padding."""
        return self._bytes.get(token, b"")

    @cached_property
    def by_bytes(self) -> dict[bytes, int]:
        """The token of each byte string (the lowest id where two spell the same)."""
        return {data: n for n, data in sorted(self._bytes.items(), reverse=True)}

    @cached_property
    def longest(self) -> int:
        """The length in bytes of the longest token."""
        return max(map(len, self._bytes.values()))

    @cached_property
    def plain(self) -> NDArray[np.bool_]:
        """(size,) true for tokens that may stand anywhere in text."""
        mask = np.zeros(self.size, dtype=np.bool_)
        mask[[n for n, data in self._bytes.items() if _is_plain(data)]] = True
        return mask

    @cached_property
    def opens_word(self) -> NDArray[np.bool_]:
        """(size,) true for tokens that begin with no blank."""
        mask = np.zeros(self.size, dtype=np.bool_)
        mask[[n for n, data in self._bytes.items() if not data[:1].isspace()]] = True
        return mask

    @cached_property
    def hard(self) -> tuple[tuple[int, bytes], ...]:
        """Tokens that are not plain: with ``<``, or with part of a character. They are walked one by one."""
        return tuple((n, data) for n, data in self._bytes.items() if not self.plain[n])

    def encode(self, text: bytes) -> list[int]:
        """Tokens that spell exactly ``text``, the tokenizer's own choice wherever it keeps to that.

        ``text`` may begin or end within a character.
        """
        known = self._encoded.get(text)
        if known is None:
            known = tuple(self._tokens(text))
            if len(text) <= _SHORT and len(self._encoded) < _KEPT:
                self._encoded[text] = known
        return list(known)

    def _tokens(self, text: bytes) -> list[int]:
        read = self._tokenizer.backend_tokenizer.encode(
            text.decode(errors="ignore"), add_special_tokens=False
        )
        tokens: list[int] = read.ids
        return tokens if self.spell(tokens) == text else self._longest_match(text)

    def _longest_match(self, text: bytes) -> list[int]:
        """Greedy tokens for tokenizers that add blanks or fold characters."""
        tokens, at = [], 0
        while at < len(text):
            for end in range(min(len(text), at + self.longest), at, -1):
                token = self.by_bytes.get(text[at:end])
                if token is not None:
                    tokens.append(token)
                    at = end
                    break
            else:
                raise ValueError(f"the tokenizer has no token for byte {text[at]:#x}")
        return tokens

    def spell(self, tokens: Sequence[int]) -> bytes:
        """The bytes that the tokens make together."""
        return b"".join(map(self.data, tokens))
