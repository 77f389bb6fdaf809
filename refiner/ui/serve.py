"""Puts the program together and serves it: settings → engine, judge, store, publisher → page."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from refiner.ui import theme, zerogpu  # isort: skip  # `spaces` must come before anything that may import torch
from refiner.engines.choose import choose
from refiner.feedback.publish.publisher import publisher_from_settings
from refiner.feedback.storage.store import Store
from refiner.judges.choose import choose as choose_judge
from refiner.settings import Settings
from refiner.ui.page import build

if TYPE_CHECKING:
    import gradio as gr

    from refiner.engines.protocol import Engine
    from refiner.feedback.publish.publisher import Publisher


@dataclass(frozen=True, slots=True)
class App:
    """The page, and what stands behind it."""

    settings: Settings
    engine: "Engine"
    publisher: "Publisher | None"
    page: "gr.Blocks"


def build_app(settings: Settings) -> App:
    """Build everything that the settings name. Loads no model yet."""
    engine = choose(settings)
    judge = choose_judge(settings, engine, lambda model: choose(replace(settings, model=model)))
    publisher = publisher_from_settings(settings)
    page = build(engine, judge, Store(settings.database_url), settings, publisher)
    return App(settings, engine, publisher, page)


def serve(app: App) -> None:
    """Serve the page until the process is stopped, and load the model meanwhile."""
    zerogpu.warm(app.engine)
    if app.publisher is not None:
        app.publisher.serve()
    app.page.launch(**theme.launch_options(app.settings))
