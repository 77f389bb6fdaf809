"""The page's own files: scripts, stylesheet, icon, examples."""

from pathlib import Path

_INSTALLED = Path(__file__).parents[1] / "assets"
_CHECKOUT = Path(__file__).parents[2] / "assets"
FOLDER = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
"""A wheel carries the files inside the package; in a checkout, and on a Space, they stand beside it."""


def read_asset(name: str) -> str:
    """The text of one of the page's files."""
    return (FOLDER / name).read_text(encoding="utf-8")
