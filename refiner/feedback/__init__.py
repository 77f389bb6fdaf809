"""Ratings: the record, and where it is kept."""
