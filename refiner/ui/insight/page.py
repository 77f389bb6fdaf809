"""The owner's page at ``/insight``. Nothing of a vote leaves the server before the owner is checked."""

from collections.abc import Iterator

import gradio as gr

from refiner.feedback.storage.store import Store
from refiner.render import insight as html
from refiner.settings import Settings
from refiner.ui.assets import read_asset
from refiner.ui.events import QUIET, Updates
from refiner.ui.insight.owner_auth import TOKEN_FIELD_ID, OwnerAuth
from refiner.ui.insight.panel import add_html, add_panel, show_votes

_MAX_TOKEN_LENGTH = 1000
_CONCURRENT_READS = 2


def add_insight(page: gr.Blocks, store: Store, settings: Settings) -> None:
    """Add the route to a finished page. Without a token and owners it only says how to open it."""
    with page.route("Votes", "/insight", show_in_navbar=False):
        _add_header()
        sign_in = bool(settings.owners) and settings.sign_in
        if settings.owner_token or sign_in:
            auth = OwnerAuth(settings.owner_token, settings.owners)
            _add_body(store, auth, token=bool(settings.owner_token), sign_in=sign_in)
        else:
            gr.HTML(html.CLOSED, elem_id="insight", apply_default_css=False, padding=False)


def _add_header() -> None:
    mark = read_asset("favicon.svg")
    with gr.Row(elem_id="bar"):
        gr.HTML(
            f'<div class="brand"><span class="mark" aria-hidden="true">{mark}</span><h1>What the votes tell</h1></div>',
            apply_default_css=False,
        )
        gr.HTML('<p class="muted small"><a href="./">Back to Refiner</a></p>', apply_default_css=False)


def _add_body(store: Store, auth: OwnerAuth, *, token: bool, sign_in: bool) -> None:
    """Add the panel, and above it the ways to prove that one is an owner: ``token``, ``sign_in`` or both."""
    with gr.Row(elem_id="insight", equal_height=False):
        with gr.Column(scale=2, min_width=300):
            token_field = gr.Textbox(
                label="Owner’s token",
                type="password",
                elem_id=TOKEN_FIELD_ID,
                max_length=_MAX_TOKEN_LENGTH,
                visible=token,
            )
            with gr.Row():
                button = gr.Button("Show the votes", variant="primary", elem_id="show-votes", min_width=140)
                if sign_in:
                    gr.LoginButton(size="md", min_width=200)
        with gr.Column(scale=3, min_width=300):
            add_html(html.guarded(token=token, sign_in=sign_in))
    panel = add_panel()

    def show(typed: str, profile: gr.OAuthProfile | None) -> Iterator[Updates]:
        username = profile.username if profile is not None else ""
        yield from show_votes(panel, store, auth, typed, username)

    gr.on(
        [button.click, token_field.submit],
        show,
        token_field,
        panel.all(),
        concurrency_limit=_CONCURRENT_READS,
        **QUIET,
    )
