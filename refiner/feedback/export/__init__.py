"""Votes as a data set: rows, formats, the card, and what is scrubbed out of texts that leave."""
