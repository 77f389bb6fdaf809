"""Exports votes as a data set: the scrubbing of texts, the rows, the formats and the card."""
