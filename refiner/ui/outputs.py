"""The components that a run changes, and their updates for a view of the run."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from refiner.ui.events import Updates
from refiner.ui.rating.parts import RatingParts
from refiner.ui.run.current_run import CurrentRun
from refiner.ui.run.views import RunView


@dataclass(frozen=True, slots=True)
class RunOutputs:
    """The components that a run changes. ``current`` holds a `CurrentRun` or None."""

    status: gr.HTML
    result: gr.HTML
    start: gr.Button
    stop: gr.Button
    tools: gr.Row
    current: gr.State
    rating: RatingParts

    def all(self) -> list[Any]:
        """List every component."""
        return [*self.progress(), self.result, self.tools, self.current, *self.rating.outputs()]

    def progress(self) -> list[Any]:
        """List the components that change with every view."""
        return [self.status, self.start, self.stop]

    def updates(self, view: RunView, current: CurrentRun | None = None) -> Updates:
        """Show a view. ``current`` is the run whose result the view brings, if there is one.

        Tools and rating belong to the result on the page. They change only together with it.
        """
        updates: Updates = {
            self.status: view.status,
            self.start: gr.Button(interactive=not view.running),
            self.stop: gr.Button(interactive=view.running),
        }
        if view.result is None:
            return updates
        can_save = current is not None and not current.sides_hidden
        return {
            **updates,
            self.result: view.result,
            self.tools: gr.Row(visible=can_save),
            self.current: current,
            **(self.rating.opened(current) if current is not None and current.id else self.rating.hidden()),
        }
