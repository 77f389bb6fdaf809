"""The owner's page of what the votes tell, at ``/insight``. Nothing of a vote leaves the server before the door is passed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import pandas as pd

from refiner.errors import RefinerError
from refiner.feedback.insight.win_rates import Day, Group, insight
from refiner.feedback.storage.store import Store
from refiner.render import insight as shown
from refiner.render import result
from refiner.render.html_text import count
from refiner.settings import Settings
from refiner.ui.assets import read_asset
from refiner.ui.insight.owner_auth import FIELD, Door

_COLOURS = {"refined": "#3e7bd0", "draft": "#c77414", "tie": "#7f8790", "both bad": "#b5508a"}
"""Hold 3:1 on white and on the dark theme's sheet."""
_HOW = {"blind": "#3e7bd0", "sides named": "#7f8790"}
_HEIGHT = 260
_ROWS = [str(row) for row in range(1, 13)]
"""Of the table of groups, that the chart shows; as text, for a bar each."""

_Views = tuple[Any, ...]


def add_insight(page: gr.Blocks, store: Store, settings: Settings) -> None:
    """Add the route to a page that is otherwise built."""
    with page.route("Votes", "/insight", show_in_navbar=False):
        _header()
        sign_in = bool(settings.owners) and settings.sign_in
        if settings.owner_token or sign_in:
            door = Door(settings.owner_token, settings.owners)
            _open(Figures(store, door), token=bool(settings.owner_token), sign_in=sign_in)
        else:
            gr.HTML(shown.CLOSED, elem_id="insight", apply_default_css=False, padding=False)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the button acts on."""

    store: Store
    door: Door

    def views(self, token: str, name: str) -> Iterator[_Views]:
        """Updates of: status, what is shown or not, and its parts in their order; at last those of all votes."""
        try:
            self.door.enter(token, name)
            yield result.status("Reading the votes", "busy"), *(gr.skip(),) * 8
            votes = self.store.votes()
        except RefinerError as error:
            field = getattr(error, "field", "")
            yield result.status(str(error), "error", field), gr.Column(visible=False), *(None,) * 7
            return
        if not votes:
            yield shown.EMPTY, gr.Column(visible=False), *(None,) * 7
            return
        found = insight(votes)
        yield (
            result.status(f"{count(found.total.n, 'vote')} read.", "good"),
            gr.Column(visible=True),
            shown.overview(found),
            over_time(found.days),
            shown.days(found.days),
            rates(found.groups),
            shown.groups(found.groups),
            shown.agreement(found.agreements),
            shown.events(votes),
        )


def over_time(days: Sequence[Day]) -> pd.DataFrame:
    """The chart of votes by day and choice."""
    rows = [
        (pd.Timestamp(one.day, tz="UTC"), one.counts[choice], words)
        for choice, words in shown.CHOICES.items()
        for one in days
        if choice in one.counts
    ]
    return pd.DataFrame(rows, columns=["day", "votes", "choice"])


def rates(groups: Sequence[Group]) -> pd.DataFrame:
    """The chart of win rates, by row of the table; only groups with a decided vote have one."""
    rows = [
        (row, one.tally.refined.figure.value, "blind" if one.blind else "sides named")
        for row, one in zip(_ROWS, groups, strict=False)
        if one.tally.refined.figure is not None
    ]
    return pd.DataFrame(rows, columns=["row", "rate", "how"])


def _header() -> None:
    mark = read_asset("favicon.svg")
    with gr.Row(elem_id="bar"):
        gr.HTML(
            f'<div class="brand"><span class="mark" aria-hidden="true">{mark}</span><h1>What the votes tell</h1></div>',
            apply_default_css=False,
        )
        gr.HTML('<p class="muted small"><a href="./">Back to Refiner</a></p>', apply_default_css=False)


def _open(figures: Figures, *, token: bool, sign_in: bool) -> None:
    with gr.Row(elem_id="insight", equal_height=False):
        with gr.Column(scale=2, min_width=300):
            given = gr.Textbox(
                label="Owner’s token",
                type="password",
                elem_id=FIELD,
                max_length=1000,
                visible=token,
            )
            with gr.Row():
                button = gr.Button("Show the votes", variant="primary", elem_id="show-votes", min_width=140)
                if sign_in:
                    gr.LoginButton(size="md", min_width=200)
        with gr.Column(scale=3, min_width=300):
            _html(shown.guarded(token=token, sign_in=sign_in))
    status = gr.HTML("", elem_id="status", apply_default_css=False)
    with gr.Column(visible=False, elem_id="figures") as body:
        with gr.Column(elem_classes="sheet"):
            overview = _html()
        with gr.Column(elem_classes="sheet"):
            gr.HTML(
                '<div class="result"><h2>Votes over time</h2></div>', padding=False, apply_default_css=False
            )
            time = gr.BarPlot(
                x="day", y="votes", color="choice", x_bin="1d", x_title="Day", y_title="Votes", color_title="Choice",
                color_map=_COLOURS, height=_HEIGHT, container=False,
            )  # fmt: skip
            days = _html()
        with gr.Column(elem_classes="sheet"):
            _html('<div class="result"><h2>By model and prompt version</h2></div>')
            rate = gr.BarPlot(
                x="row", y="rate", color="how", y_lim=[0, 1], x_title="Row of the table below", y_title="Refined won",
                y_axis_format=".0%", color_title="Votes", color_map=_HOW, sort=_ROWS, height=_HEIGHT, container=False,
            )  # fmt: skip
            groups = _html()
        with gr.Column(elem_classes="sheet"):
            agreement = _html()
        with gr.Column(elem_classes="sheet"):
            events = _html()

    def show(token: str, profile: gr.OAuthProfile | None) -> Iterator[_Views]:
        yield from figures.views(token, profile.username if profile is not None else "")

    gr.on(
        [button.click, given.submit],
        show,
        given,
        [status, body, overview, time, days, rate, groups, agreement, events],
        api_visibility="private",
        show_progress="hidden",
        concurrency_limit=2,
    )


def _html(text: str = "") -> gr.HTML:
    return gr.HTML(text, padding=False, apply_default_css=False)
