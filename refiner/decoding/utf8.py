"""UTF-8, byte by byte: which byte may come next, and how long a character is."""


def may_continue(pending: bytes, byte: int) -> bool:
    """Whether ``byte`` may follow ``pending`` in well-formed UTF-8 (The Unicode Standard, table 3-7).

    The standard library's incremental decoder would not do: it accepts bytes that no character can follow.
    """
    if not pending:
        return 0xC2 <= byte <= 0xF4  # noqa: PLR2004 - the table's leading bytes
    low, high = 0x80, 0xBF
    if len(pending) == 1:
        low = {0xE0: 0xA0, 0xF0: 0x90}.get(pending[0], low)
        high = {0xED: 0x9F, 0xF4: 0x8F}.get(pending[0], high)
    return low <= byte <= high


def character_length(lead: int) -> int:
    """How many bytes the character has that ``lead`` begins."""
    return 2 + (lead >= 0xE0) + (lead >= 0xF0)  # noqa: PLR2004 - UTF-8's borders


def is_continuation(byte: int) -> bool:
    """Whether a byte goes on with a character that another byte began."""
    return byte & 0xC0 == 0x80  # noqa: PLR2004 - UTF-8's mark of such bytes
