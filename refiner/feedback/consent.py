"""The words of consent that a rater agrees to, by version.

A version's words never change: new words are a new version.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Consent:
    """The words beside the two tick boxes: ``store`` a run's texts with its rating, and ``publish`` them."""

    store: str
    publish: str

    def __str__(self) -> str:
        return f"{self.store}\n{self.publish}"


VERSIONS = {
    "2026-1": Consent(
        "Store this run’s texts with my rating. Without this tick nothing is stored.",
        "They may be published, as part of an open data set of preferences.",
    ),
    "2026-2": Consent(
        "Store this run’s texts and my rating, under a pseudonym made from my name or this browser. "
        "Without this tick nothing is stored.",
        "They may be published, as part of an open data set of preferences.",
    ),
}
CURRENT = "2026-2"
"""The version that the page shows."""


def words(version: str) -> str:
    """Returns the words of both boxes, a line each, as a rating stores them.

    Returns "" for an unknown version.
    """
    return str(VERSIONS.get(version, ""))
