"""Ratings: what of a run is kept, and where; and what leaves of it."""

from typing import Literal

Format = Literal["trl", "kto", "argilla", "jsonl", "parquet"]
"""What an export is for."""
