"""The figures of the owner's page: their components, and the updates that fill or hide them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import gradio as gr
import pandas as pd

from refiner.errors import InputError, RefinerError
from refiner.feedback.insight.win_rates import VoteGroup, VotesOfDay, insight
from refiner.feedback.storage.store import Store, Vote
from refiner.render import insight as html
from refiner.render import result
from refiner.render.html_text import count
from refiner.ui.events import Updates
from refiner.ui.insight.owner_auth import OwnerAuth

_CHOICE_COLOURS = {"refined": "#3e7bd0", "draft": "#c77414", "tie": "#7f8790", "both bad": "#b5508a"}
"""Each has a contrast of at least 3:1 on white and on the sheets of the dark theme."""
_BLIND_COLOURS = {"blind": "#3e7bd0", "sides named": "#7f8790"}
_PLOT_HEIGHT = 260
_PLOT_ROWS = [str(row) for row in range(1, 13)]
"""Rows of the table of groups that the chart shows. They are text, so that each row has a bar of its own."""


@dataclass(frozen=True, slots=True)
class InsightPanel:
    """The components that show the votes. ``body`` holds all but ``status``. It is hidden at first."""

    status: gr.HTML
    body: gr.Column
    overview: gr.HTML
    votes_over_time: gr.BarPlot
    days: gr.HTML
    win_rates: gr.BarPlot
    groups: gr.HTML
    agreement: gr.HTML
    events: gr.HTML

    def all(self) -> list[Any]:
        """List every component."""
        return [getattr(self, field.name) for field in fields(self)]

    def emptied(self, status: str) -> Updates:
        """Show a status alone, and take the figures of an earlier look out of the page."""
        updates: Updates = dict.fromkeys(self.all())
        return {**updates, self.status: status, self.body: gr.Column(visible=False)}

    def filled(self, votes: Sequence[Vote]) -> Updates:
        """Show the figures of all votes."""
        figures = insight(votes)
        return {
            self.status: result.status(f"{count(figures.total.n, 'vote')} read.", "good"),
            self.body: gr.Column(visible=True),
            self.overview: html.overview(figures),
            self.votes_over_time: votes_by_day(figures.days),
            self.days: html.days(figures.days),
            self.win_rates: rates_by_row(figures.groups),
            self.groups: html.groups(figures.groups),
            self.agreement: html.agreement(figures.agreements),
            self.events: html.events(votes),
        }


def show_votes(
    panel: InsightPanel, store: Store, auth: OwnerAuth, token: str, username: str
) -> Iterator[Updates]:
    """Check the owner, read the votes, and yield the panel's updates. Anyone else gets no vote."""
    try:
        auth.check(token, username)
        yield {panel.status: result.status("Reading the votes", "busy")}
        votes = store.votes()
    except RefinerError as error:
        field = error.field if isinstance(error, InputError) else ""
        yield panel.emptied(result.status(str(error), "error", field))
        return
    yield panel.filled(votes) if votes else panel.emptied(html.EMPTY)


def votes_by_day(days: Sequence[VotesOfDay]) -> pd.DataFrame:
    """Make the chart of votes: a row for each day and choice, with columns day, votes, choice."""
    rows = [
        (pd.Timestamp(day.day, tz="UTC"), day.counts[choice], words)
        for choice, words in html.CHOICES.items()
        for day in days
        if choice in day.counts
    ]
    return pd.DataFrame(rows, columns=["day", "votes", "choice"])


def rates_by_row(groups: Sequence[VoteGroup]) -> pd.DataFrame:
    """Make the chart of win rates, with columns row, rate, how. A group without a decided vote has no bar.

    ``row`` is the group's row in the table, and ``rate`` is in [0, 1].
    """
    rows = [
        (row, group.tally.refined.figure.value, "blind" if group.blind else "sides named")
        for row, group in zip(_PLOT_ROWS, groups, strict=False)
        if group.tally.refined.figure is not None
    ]
    return pd.DataFrame(rows, columns=["row", "rate", "how"])


def add_panel() -> InsightPanel:
    """Add the components to the open Blocks."""
    status = gr.HTML("", elem_id="status", apply_default_css=False)
    with gr.Column(visible=False, elem_id="figures") as body:
        with gr.Column(elem_classes="sheet"):
            overview = add_html()
        with gr.Column(elem_classes="sheet"):
            add_html('<div class="result"><h2>Votes over time</h2></div>')
            time = gr.BarPlot(
                x="day", y="votes", color="choice", x_bin="1d", x_title="Day", y_title="Votes", color_title="Choice",
                color_map=_CHOICE_COLOURS, height=_PLOT_HEIGHT, container=False,
            )  # fmt: skip
            days = add_html()
        with gr.Column(elem_classes="sheet"):
            add_html('<div class="result"><h2>By model and prompt version</h2></div>')
            rates = gr.BarPlot(
                x="row", y="rate", color="how", y_lim=[0, 1], x_title="Row of the table below", y_title="Refined won",
                y_axis_format=".0%", color_title="Votes", color_map=_BLIND_COLOURS, sort=_PLOT_ROWS,
                height=_PLOT_HEIGHT, container=False,
            )  # fmt: skip
            groups = add_html()
        with gr.Column(elem_classes="sheet"):
            agreement = add_html()
        with gr.Column(elem_classes="sheet"):
            events = add_html()
    return InsightPanel(status, body, overview, time, days, rates, groups, agreement, events)


def add_html(text: str = "") -> gr.HTML:
    """Add HTML without Gradio's padding and styles."""
    return gr.HTML(text, padding=False, apply_default_css=False)
