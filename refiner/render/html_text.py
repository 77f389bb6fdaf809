"""The one escape, the one rounding, and plurals. Everything else in `render` is built from these."""

import html
import re
import unicodedata
from urllib.parse import urlsplit

_BROKEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\ud800-\udfff\u202d\u202e\ufdd0-\ufdef\ufffe\uffff]"
)
"""Controls, lone surrogates (no UTF-8 holds them) and the two overrides that make text lie: seen as U+FFFD."""
_EMBEDDING = re.compile(r"[\u202a-\u202c\u2066-\u2069]")
"""Embeddings and isolates, which could reach past their end: dropped, as `bdi` isolates each text."""
_LONGEST_URL = 2000


def plain(text: str) -> str:
    """The text without what must not reach a page; not escaped yet."""
    return _EMBEDDING.sub("", _BROKEN.sub("\ufffd", text))


def show(text: str) -> str:
    """Text made safe for an element's content or a quoted attribute, and for Gradio's HTML templates.

    A brace is written as a reference, so that neither ``${…}`` nor ``{{…}}`` is there to be run.
    """
    return html.escape(plain(text), quote=True).replace("{", "&#123;").replace("`", "&#96;")


def isolate(text: str) -> str:
    """Text in its own direction, so that what it holds cannot turn its surroundings around."""
    return f"<bdi>{show(text)}</bdi>"


def direction(text: str) -> str:
    """A ``dir`` attribute for an element that holds this text: which way its first letter that has a way is read.

    ``dir="auto"`` would not do, as it does not look into `bdi`.
    """
    ways = (unicodedata.bidirectional(letter) for letter in plain(text))
    first = next((way for way in ways if way in {"L", "R", "AL"}), "L")
    return f' dir="{"ltr" if first == "L" else "rtl"}"'


def link(url: str, words: str) -> str:
    """``words`` linked to ``url`` when that is http or https with a host; else the words alone."""
    if not is_web(url):
        return isolate(words)
    return f'<a href="{show(url)}" target="_blank" rel="noopener noreferrer">{isolate(words)}</a>'


def is_web(url: str) -> bool:
    """Whether a link may be followed: http or https, with a host, and not absurdly long."""
    if len(url) > _LONGEST_URL or plain(url) != url or re.search(r"\s", url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def host(url: str) -> str:
    """The host of a link that may be followed, else nothing."""
    return (urlsplit(url).hostname or "") if is_web(url) else ""


def number(value: float) -> str:
    """A value in [0, 1] with two digits."""
    return f"{value:.2f}"


def percent(value: float) -> str:
    """A share in [0, 1] as whole per cent, as a CSS length or in words."""
    return f"{100 * value:.0f}%"


def seconds(value: float) -> str:
    """A duration: ``0.4 s``, ``12 s``, ``2 min 05 s``."""
    if value < 9.95:  # noqa: PLR2004 - from here on a tenth of a second says nothing
        return f"{value:.1f} s"
    whole = round(value)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"  # noqa: PLR2004 - a minute


def count(n: int, one: str, many: str = "") -> str:
    """``1 claim``, ``3 claims``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
