"""Decoding that knows the answer format: the grammar, and the loop that writes under it."""
