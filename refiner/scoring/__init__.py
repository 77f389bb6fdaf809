"""Rubrics, and the pure functions that turn verdicts into rewards and labels into figures."""
