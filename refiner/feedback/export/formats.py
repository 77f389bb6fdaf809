"""What an export is for."""

from typing import Literal

Format = Literal["trl", "kto", "argilla", "jsonl", "parquet"]
