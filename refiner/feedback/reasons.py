"""What may be said for or against an answer, in a word each: what a rating stores, and what the page shows."""

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "supported": "Well supported",
    "complete": "Complete",
    "clear": "Clear",
    "concise": "To the point",
    "false": "Says something false",
    "miscited": "Cites wrongly",
    "missing": "Leaves something out",
    "padded": "Padded",
}
"""Code → words. A code is never used for anything else again: ratings are kept with it."""
