"""Votes onto a data set on the Hub, as they come in."""
