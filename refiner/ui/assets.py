"""Finds and reads the page's own files: scripts, stylesheet, icon, examples."""

from pathlib import Path

_INSTALLED = Path(__file__).parents[1] / "assets"
_CHECKOUT = Path(__file__).parents[2] / "assets"
ASSETS_FOLDER = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
"""The folder of the files: inside the package in a wheel, beside it in a checkout and on a Space."""


def read_asset(name: str) -> str:
    """Read one of the files as text."""
    return (ASSETS_FOLDER / name).read_text(encoding="utf-8")
