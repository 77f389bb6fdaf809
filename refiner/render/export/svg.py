"""Texts in an SVG: escaped, in their own direction, and cut at their box. Sizes in pixels."""

from typing import Literal

from refiner.render.html_text import show

_ANCHORS = {"left": ("start", "end"), "right": ("end", "start"), "middle": ("middle", "middle")}


def words(text: str) -> str:
    """Text as the content of an element, in one line."""
    return show(" ".join(text.split()))


def isolated(text: str) -> str:
    """Text within a line, which it cannot turn around: between FSI and PDI, as an element's direction moves anchors."""
    return f"\u2068{words(text)}\u2069"


def line(
    x: float,
    y: float,
    inner: str,
    ink: str,
    side: Literal["left", "right", "middle"] = "left",
    *,
    size: int = 12,
    bold: bool = False,
    rtl: bool = False,
) -> str:
    """A line of what is escaped already, whose ``side`` is at ``x``, whichever way it runs."""
    weight = ' font-weight="600"' if bold else ""
    way = ' direction="rtl"' if rtl else ""
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{ink}" text-anchor="{_ANCHORS[side][rtl]}" font-size="{size}"{weight}{way}>'
        f"{inner}</text>"
    )


def box(x: float, y: float, width: float, height: float, inner: str) -> str:
    """A place that shows nothing beyond its edges."""
    return f'<svg x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}">{inner}</svg>'
