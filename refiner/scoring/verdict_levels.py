"""The bounds between the judge's three levels (0, 1, 2, halved). Each lies halfway between two levels."""

YES_FROM = 0.75
"""Values from here on count as the upper level: supported, or yes."""
NO_BELOW = 0.25
"""Values below this count as the lower level: not supported, or no. What is between counts as "partly"."""
