"""Refiner: a draft answer in, a cited answer out, and what each change earned."""

__version__ = "0.1.0"
