"""The Space's entry, and what `make run` starts."""

from refiner.settings import Settings
from refiner.ui.serve import build_app, serve

app = build_app(Settings.from_environment())
demo = app.page  # a Space looks for this name

if __name__ == "__main__":
    serve(app)
