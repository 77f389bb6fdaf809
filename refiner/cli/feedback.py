"""``refiner feedback``: what is done with the ratings."""

import re
from pathlib import Path
from typing import cast, get_args

import click

from refiner.cli.common import settings_with
from refiner.errors import RefinerError
from refiner.feedback import Format

_FORMATS = click.Choice(get_args(Format))


@click.group()
def feedback() -> None:
    """Work with the ratings that are kept."""


@feedback.command()
@click.option("--format", "kind", type=_FORMATS, required=True, help="What the rows are for.")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="A folder that is new."
)
@click.option("--license", "licence", default="cc-by-4.0", show_default=True, help="By its id on the Hub.")
def export(*, kind: str, out: Path, licence: str) -> None:
    """Write the votes that may be published as a data set with its card.

    Preference pairs (trl), desirable and undesirable answers (kto), records and settings (argilla), or everything
    of each vote (jsonl, parquet). E-mail addresses, phone numbers and keys are taken out.
    """
    from refiner.feedback.export import export as write  # noqa: PLC0415 - `refiner --help` is instant
    from refiner.feedback.export import said  # noqa: PLC0415 - the same
    from refiner.feedback.scrub import Scrubber  # noqa: PLC0415 - the same
    from refiner.feedback.store import Store  # noqa: PLC0415 - the same

    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", licence):
        raise click.ClickException(f"{licence!r} is no licence's id. One is cc-by-4.0.")
    try:
        settings = settings_with()
        votes = Store(settings.database_url).votes()
        counts = write(votes, cast("Format", kind), out, Scrubber(settings.cache_dir / "scrub"), licence)
    except RefinerError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{out}: {said(counts)}.")
