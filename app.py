"""The Space's entry, and `make run`'s: settings → engine, judge, store, publisher → page. No logic."""

from dataclasses import replace

from refiner.ui import theme, zerogpu  # isort: skip  # `spaces` must come before anything that may import torch
from refiner.engines.choose import choose
from refiner.feedback.publish import publisher_of
from refiner.feedback.store import Store
from refiner.judges.choose import choose as choose_judge
from refiner.settings import Settings
from refiner.ui.page import build

settings = Settings.from_environment()
engine = choose(settings)
judge = choose_judge(settings, engine, lambda model: choose(replace(settings, model=model)))
publisher = publisher_of(settings)
demo = build(engine, judge, Store(settings.database_url), settings, publisher)

if __name__ == "__main__":
    zerogpu.warm(engine)
    if publisher is not None:
        publisher.serve()
    demo.launch(**theme.launch_options(settings))
