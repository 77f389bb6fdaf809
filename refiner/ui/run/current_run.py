"""The run that the page shows. Knows no Gradio.

In a blind rating the page names the answers left and right. Which is which was drawn with the run.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from refiner.domain import Choice, Refinement, Side

VoteButton = Literal["first", "second", "tie", "both_bad"]
"""A button of the rating. The first means the left answer of a blind rating, and else the refined answer."""


@dataclass(frozen=True, slots=True)
class CurrentRun:
    """The run that the page shows, kept in the server's memory of the visit. ``made`` is in UTC.

    An empty ``id`` means that the run was not made in this visit. It cannot be rated. ``choice`` is set by a
    vote. ``left`` counts only where ``blind`` is set.
    """

    id: str
    run: Refinement
    made: datetime
    blind: bool = False
    left: Side = "draft"
    choice: Choice | None = None

    @property
    def sides_hidden(self) -> bool:
        """Whether the page must not tell yet which answer is which."""
        return self.blind and self.choice is None

    @property
    def sides(self) -> tuple[Side, Side]:
        """The answers that the first and the second button stand for."""
        first: Side = self.left if self.blind else "refined"
        return (first, "draft" if first == "refined" else "refined")

    def choice_of(self, button: VoteButton) -> Choice:
        """Translate a button into the choice that it means for this run."""
        if button in {"first", "second"}:
            return self.sides[("first", "second").index(button)]
        return cast("Choice", button)
