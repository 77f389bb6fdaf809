"""The entry point of a Space. `make run` starts it too."""

from refiner.settings import Settings
from refiner.ui.serve import build_app, serve

app = build_app(Settings.from_environment())
demo = app.page  # Spaces look for a variable of this name

if __name__ == "__main__":
    serve(app)
