"""The reasons that a rater can tick for or against an answer: the stored codes and the words on the page."""

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
"""Maps each code to its words. Stored ratings hold the code, so a code never gets another meaning."""
