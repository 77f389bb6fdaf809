"""Reads sources from what people paste. `reading` holds what is common to all shapes."""

from refiner.formats.sources.reading import from_objects, from_rows, parse, split_draft

__all__ = ["from_objects", "from_rows", "parse", "split_draft"]
