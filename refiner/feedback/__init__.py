"""Ratings: what of a run is kept, and where."""
