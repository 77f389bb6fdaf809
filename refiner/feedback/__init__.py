"""Ratings: the questions to raters, the storage, the export and publishing, and the statistics over all votes."""
