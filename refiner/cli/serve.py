"""``refiner serve``: serves the page."""

import click

from refiner.cli.common import settings_with
from refiner.errors import RefinerError


@click.command()
@click.option("--host", help="The address to listen on.  [default: GRADIO_SERVER_NAME or 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="The port to listen on.  [default: GRADIO_SERVER_PORT or 7860]",
)
@click.option(
    "--model",
    help="The model that writes: a Hub id, a folder or a .gguf file.  [default: REFINER_MODEL or by hardware]",
)
def serve(*, host: str | None, port: int | None, model: str | None) -> None:
    """Serve the page for a browser until the command is stopped."""
    from refiner.ui.serve import build_app  # noqa: PLC0415 - `refiner --help` is instant
    from refiner.ui.serve import serve as serve_page  # noqa: PLC0415 - the same

    try:
        app = build_app(settings_with(host=host, port=port, model=model))
    except RefinerError as error:
        raise click.ClickException(str(error)) from error
    serve_page(app)
