"""The formats of an export."""

from typing import Literal

Format = Literal["trl", "kto", "argilla", "jsonl", "parquet"]
