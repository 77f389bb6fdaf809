"""What a rater agrees to, word by word, by version: a vote keeps the version it was given under."""

from collections.abc import Mapping

CONSENT_VERSION = "2026-1"
WORDS: Mapping[str, tuple[str, str]] = {
    "2026-1": (
        "Store this run’s texts with my rating. Without this tick nothing is stored.",
        "They may be published, as part of an open data set of preferences.",
    ),
}
"""Version → the words of the tick to store and of the tick to publish."""
