"""HTML by type: the one escape, templates, the one rounding, and plurals. All of `render` is built on these.

`Html` is text that is HTML already, `str` is text that is not. Only this module turns the one into the other.
"""

import re
from collections.abc import Iterable
from html import escape as escape_marks
from typing import Any, Self
from urllib.parse import urlsplit

from markupsafe import Markup

from refiner.text.direction import runs_right_to_left

_UNSHOWABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\ud800-\udfff\u202d\u202e\ufdd0-\ufdef\ufffe\uffff]"
)
"""Control characters, lone surrogates (UTF-8 cannot hold them) and the two overrides that make text lie about
its order. U+FFFD takes their place."""
_EMBEDDING = re.compile(r"[\u202a-\u202c\u2066-\u2069]")
"""Embeddings and isolates could reach past the end of their text.

They are dropped: `bdi` isolates each text.
"""
_MAX_URL_LENGTH = 2000


class Html(Markup):
    """Escaped HTML. Plain text that is added to it, joined or formatted into it is escaped by `escape` first.

    markupsafe's own escape would leave braces, control characters and overrides of direction as they are.
    """

    __slots__ = ()

    @classmethod
    def escape(cls, s: Any, /) -> Self:
        """The value itself where it is HTML, else its text, escaped."""
        return cls(s if isinstance(s, Markup) else escape(str(s)))


def without_control_characters(text: str) -> str:
    """The text without what must not reach a page. It is not escaped yet."""
    return _EMBEDDING.sub("", _UNSHOWABLE.sub("\ufffd", text))


def escape(text: str) -> Html:
    """Text made safe for an element's content or a quoted attribute, and for Gradio's HTML templates.

    A brace becomes a reference, so that Gradio finds neither ``${…}`` nor ``{{…}}`` to run.
    """
    marks = escape_marks(without_control_characters(text), quote=True)
    return Html(marks.replace("{", "&#123;").replace("`", "&#96;"))


def html(template: str, /, **parts: str | float) -> Html:
    """The template with each ``{name}`` filled in: HTML as it is, any other text escaped.

    The template must be a literal: it is taken as HTML (a test reads the sources for this).
    """
    return Html(template.format_map({name: _part(part) for name, part in parts.items()}))


def _part(part: str | float) -> str | float:
    if isinstance(part, Markup):
        return str(part)
    return escape(part) if isinstance(part, str) else part


def join(parts: Iterable[Html], separator: str = "") -> Html:
    """Pieces of HTML behind one another."""
    return Html.escape(separator).join(parts)


def trusted(text: str) -> Html:
    """Text of the app's own that is HTML already, such as its stylesheet.

    Never for a text of a person or model.
    """
    return Html(text)


def isolate(text: str) -> Html:
    """Text in a direction of its own, so that it cannot turn the text around it."""
    return html("<bdi>{text}</bdi>", text=escape(text))


def direction(text: str) -> Html:
    """A ``dir`` attribute for an element that holds this text, by its first letter that has a direction.

    ``dir="auto"`` would not do: it does not look into `bdi`.
    """
    rtl = runs_right_to_left(without_control_characters(text))
    return Html(' dir="rtl"') if rtl else Html(' dir="ltr"')


def link(url: str, words: str) -> Html:
    """``words`` linked to ``url`` if that is http or https with a host, else the words alone."""
    if not is_web(url):
        return isolate(words)
    return html(
        '<a href="{url}" target="_blank" rel="noopener noreferrer">{words}</a>', url=url, words=isolate(words)
    )


def is_web(url: str) -> bool:
    """Whether a link may be followed: http or https, with a host, and of a sane length."""
    if len(url) > _MAX_URL_LENGTH or without_control_characters(url) != url or re.search(r"\s", url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def host(url: str) -> str:
    """The host of a link that may be followed, else nothing. Not escaped."""
    return (urlsplit(url).hostname or "") if is_web(url) else ""


def number(value: float) -> str:
    """A value in [0, 1] with two digits after the point."""
    return f"{value:.2f}"


def percent(value: float) -> str:
    """A share in [0, 1] in whole per cent, as a CSS length or in words."""
    return f"{100 * value:.0f}%"


def seconds(value: float) -> str:
    """A duration in seconds, as ``0.4 s``, ``12 s`` or ``2 min 05 s``."""
    if value < 9.95:  # noqa: PLR2004 - from here on a tenth of a second says nothing
        return f"{value:.1f} s"
    whole = round(value)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"  # noqa: PLR2004 - a minute


def count(n: int, singular: str, plural: str = "") -> str:
    """``1 claim``, ``3 claims``. Without ``plural`` it is the singular and an s."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"
