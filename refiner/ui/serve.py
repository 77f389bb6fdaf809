"""Builds the engine, judge, store, publisher and page that the settings name, and serves the page."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from refiner.ui import theme, zerogpu  # isort: skip  # imports `spaces`, which must come before torch
from refiner.engines.choose import choose
from refiner.feedback.publish.publisher import publisher_from_settings
from refiner.feedback.storage.store import Store
from refiner.judges.choose import choose as choose_judge
from refiner.settings import Settings
from refiner.ui.page import build_page

if TYPE_CHECKING:
    import gradio as gr

    from refiner.engines.protocol import Engine
    from refiner.feedback.publish.publisher import Publisher


@dataclass(frozen=True, slots=True)
class App:
    """The page and the parts that serving it needs."""

    settings: Settings
    engine: "Engine"
    publisher: "Publisher | None"
    page: "gr.Blocks"


def build_app(settings: Settings) -> App:
    """Build everything that the settings name, without loading a model."""
    engine = choose(settings)
    judge = choose_judge(settings, engine, lambda model: choose(replace(settings, model=model)))
    publisher = publisher_from_settings(settings)
    page = build_page(engine, judge, Store(settings.database_url), settings, publisher)
    return App(settings, engine, publisher, page)


def serve(app: App) -> None:
    """Serve the page until the process is stopped. The model is loaded meanwhile."""
    zerogpu.warm_up(app.engine)
    if app.publisher is not None:
        app.publisher.serve()
    app.page.launch(**theme.launch_options(app.settings))
