"""How long texts and prompts are, in tokens: counted by the engine, or estimated where it cannot count."""

from collections.abc import Sequence
from typing import Protocol

from refiner.domain import Message

_BYTES_PER_TOKEN = 3
"""Low on purpose: English text has about four bytes a token, so that an estimate is rather too high."""
_TOKENS_PER_MESSAGE = 8
"""What a chat template adds to a message, generously."""


class TokenCounter(Protocol):
    """Counts tokens as a model reads them."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text alone, without special tokens."""

    def count_prompt(self, messages: Sequence[Message]) -> int:
        """The number of tokens of the whole prompt, chat template included."""


class EstimatedTokenCounter:
    """An upper estimate from the number of bytes, for engines that cannot count. No model was asked."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """One token for three bytes of UTF-8, rounded up."""
        return [-(-len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN) for text in texts]

    def count_prompt(self, messages: Sequence[Message]) -> int:
        """The messages' estimates, and a few tokens for the template around each."""
        return sum(self.count([message.content for message in messages])) + _TOKENS_PER_MESSAGE * len(
            messages
        )
