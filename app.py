"""The Space's entry, and `make run`'s: settings → engine, judge, store → page. No logic."""

from refiner.ui import theme, zerogpu  # isort: skip  # `spaces` must come before anything that may import torch
from refiner.engines.choose import choose
from refiner.feedback.store import Store
from refiner.judges.lexical import LexicalJudge
from refiner.settings import Settings
from refiner.ui.page import build

settings = Settings.from_environment()
engine = choose(settings)
demo = build(engine, LexicalJudge(), Store(settings.database_url), settings)

if __name__ == "__main__":
    zerogpu.warm(engine)
    demo.launch(**theme.launch_options(settings))
