"""Ratings: what people are asked, where ratings are kept, what leaves, and what all of them tell."""
