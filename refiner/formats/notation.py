"""The refiner's notation, as it is written: the answer block, claims in it, and sources in a prompt.

``<answer>… <snippet id=ID1,ID2>claim</snippet> …</answer>`` is an answer with one claim. A source is a block of the same
tag. Reading is elsewhere (`formats.answer`, `formats.tool_output`). Nothing here escapes the texts it is given.
"""

OPEN_ANSWER, CLOSE_ANSWER = "<answer>", "</answer>"
OPEN_CLAIM, CLOSE_CLAIM = "<snippet id=", "</snippet>"
"""`OPEN_CLAIM` is followed by the ids, with commas between, and ``>``."""


def claim(ids: str, text: str) -> str:
    """A claim that cites ``ids``."""
    return f"{OPEN_CLAIM}{ids}>{text}{CLOSE_CLAIM}"


def source(source_id: str, lines: str) -> str:
    """A source, as the tool output that the refiner was trained on shows it, around `source_lines`."""
    return f"{OPEN_CLAIM}{source_id}>\n{lines}{CLOSE_CLAIM}"


def source_lines(text: str, title: str = "", url: str = "") -> str:
    """The lines inside a source's block. A title or URL that is empty has no line."""
    head = (f"{name}: {value}\n" for name, value in (("Title", title), ("URL", url)) if value)
    return f"{''.join(head)}Snippet: {text}\n"
