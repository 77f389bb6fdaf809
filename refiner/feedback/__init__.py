"""Ratings: consent and reasons, storage, export and publishing, and the statistics over all votes."""
