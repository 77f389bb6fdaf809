"""Small things that every event of the page shares."""

from typing import Any

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""Options of an event that is not in the public API and shows no progress bar."""

Updates = dict[Any, Any]
"""New values by component, as an event's function returns them. Gradio leaves other outputs alone."""
