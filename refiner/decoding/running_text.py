"""Running text in an answer, character by character: what the grammar must know of it, and what may not stand in it."""

import re
from functools import lru_cache

from refiner.decoding.states import InText
from refiner.decoding.utf8 import character_length, may_continue

_ENDS_SENTENCE = frozenset(".!?。！？…")
_MAY_FOLLOW_THE_END = frozenset("\"'”’)]» ")
_PLAIN_ASCII = re.compile(rb"[\n\t -;=-~]+")  # no control characters and no `<`
_PLAIN_ENDS = tuple(one.encode() for one in sorted(_ENDS_SENTENCE) if one.isascii())
_PLAIN_MAY_FOLLOW = "".join(one for one in sorted(_MAY_FOLLOW_THE_END) if one.isascii()).encode()
ASCII_END = 0x80
"""Bytes from here on belong to characters beyond ASCII."""
_DIGITS = b"0123456789"
_LESS_THAN = (  # what may follow a `<` that begins no tag; after a blank, anything but the letters of tag names
    *(bytes([byte]) for byte in b"=" + _DIGITS),
    *(bytes([ord("-"), byte]) for byte in _DIGITS),
    *(bytes([ord(" "), byte]) for byte in range(0x21, 0x7F) if chr(byte).lower() not in "/<asct"),
)


def after_byte_beyond_ascii(state: InText, byte: int) -> InText | None:
    """One byte of a character beyond ASCII."""
    if not may_continue(state.pending, byte):
        return None
    character = state.pending + bytes([byte])
    if len(character) < character_length(character[0]):
        return InText(state.claim, character, state.filled, state.sentence_ended)
    return after_character(state, character.decode())


def after_character(state: InText, character: str) -> InText:
    """One whole character."""
    goes_on = state.sentence_ended and character in _MAY_FOLLOW_THE_END
    ended = character in _ENDS_SENTENCE or goes_on
    return InText(state.claim, b"", state.filled or not character.isspace(), ended)


def after_plain_ascii(state: InText, data: bytes) -> InText | None:
    """Many plain characters at once, as `Grammar.advance` takes them one by one; None where it must do that."""
    if state.pending or not _PLAIN_ASCII.fullmatch(data):
        return None
    if state.claim and not state.filled and data[:1].isspace():
        return None
    rest = data.rstrip(_PLAIN_MAY_FOLLOW)
    ended = rest.endswith(_PLAIN_ENDS) if rest else state.sentence_ended
    return InText(state.claim, b"", state.filled or not data.isspace(), ended)


@lru_cache
def less_than_signs(state: InText) -> tuple[tuple[bytes, InText], ...]:
    """What may follow a ``<`` that begins no tag."""
    return tuple((sign, after_character(state, chr(sign[-1]))) for sign in _LESS_THAN)
