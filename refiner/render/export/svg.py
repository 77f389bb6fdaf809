"""Texts in an SVG: escaped, in a direction of their own, and cut off at their box. Sizes are in pixels."""

from typing import Literal

from refiner.render.html_text import Html, escape, html

_ANCHORS = {"left": ("start", "end"), "right": ("end", "start"), "middle": ("middle", "middle")}


def words(text: str) -> Html:
    """Text as the content of an element, in one line."""
    return escape(" ".join(text.split()))


def isolated(text: str) -> Html:
    """Text within a line that it cannot turn around.

    It stands between FSI and PDI (Unicode Standard Annex 9): a ``direction`` on its own element would
    move anchors.
    """
    return html("\u2068{text}\u2069", text=words(text))


def line(
    x: float,
    y: float,
    inner: Html,
    ink: str,
    side: Literal["left", "right", "middle"] = "left",
    *,
    size: int = 12,
    bold: bool = False,
    rtl: bool = False,
) -> Html:
    """A line of text whose ``side`` is at ``x``, whichever way it runs."""
    weight = Html(' font-weight="600"') if bold else ""
    way = Html(' direction="rtl"') if rtl else ""
    return html(
        '<text x="{x:g}" y="{y:g}" fill="{ink}" text-anchor="{anchor}" '
        'font-size="{size}"{weight}{way}>{inner}</text>',
        x=x,
        y=y,
        ink=ink,
        anchor=_ANCHORS[side][rtl],
        size=size,
        weight=weight,
        way=way,
        inner=inner,
    )


def box(x: float, y: float, width: float, height: float, inner: Html) -> Html:
    """A box that cuts off what is beyond its edges."""
    return html(
        '<svg x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}">{inner}</svg>',
        x=x,
        y=y,
        width=width,
        height=height,
        inner=inner,
    )
