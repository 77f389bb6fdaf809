"""``refiner feedback``: the ratings that DATABASE_URL names."""

import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import click

from refiner.cli.common import settings_with
from refiner.errors import RefinerError
from refiner.feedback.export.formats import Format

if TYPE_CHECKING:
    from refiner.feedback.storage.store import Store

_FORMATS = click.Choice(get_args(Format))
_NOT_SENT = (
    "The Hub cannot be reached: what was published of it is still there. It is taken back by the next Refiner "
    "that publishes from this machine, or by the same command again."
)


@click.group()
def feedback() -> None:
    """Look after the ratings that were stored."""


@feedback.command()
def count() -> None:
    """Print how many votes count: one a run."""
    try:
        with closing(_store()) as store:
            click.echo(store.count())
    except RefinerError as error:
        raise click.ClickException(str(error)) from error


@feedback.command()
@click.argument("event_id")
def delete(event_id: str) -> None:
    """Wipe a rating and its run's texts by the number that its rater was given.

    Where REFINER_DATASET is set it is taken back from there too.
    """
    from refiner.feedback.publish.publisher import publisher_from_settings  # noqa: PLC0415 - the same
    from refiner.feedback.votes import VoteRecorder  # noqa: PLC0415 - `refiner --help` is instant

    publisher = publisher_from_settings(settings_with())
    try:
        with closing(_store()) as store:
            found = VoteRecorder(store, publisher).delete(event_id.strip())
    except RefinerError as error:
        raise click.ClickException(str(error)) from error
    finally:
        sent = publisher is None or publisher.close()
    if not found:
        raise click.ClickException(
            f"There is no rating with the number {event_id}, or it is deleted already."
        )
    click.echo("Deleted.")
    if not sent:
        click.echo(_NOT_SENT, err=True)


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
    from refiner.feedback.export.dataset import describe_counts  # noqa: PLC0415 - the same
    from refiner.feedback.export.dataset import export as write  # noqa: PLC0415 - `refiner --help` is instant
    from refiner.feedback.export.scrub import Scrubber  # noqa: PLC0415 - the same

    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", licence):
        raise click.ClickException(f"{licence!r} is no licence's id. One is cc-by-4.0.")
    try:
        with closing(_store()) as store:
            votes = store.votes()
        scrubber = Scrubber(settings_with().cache_dir / "scrub")
        counts = write(votes, cast("Format", kind), out, scrubber, licence)
    except RefinerError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{out}: {describe_counts(counts)}.")


def _store() -> "Store":
    from refiner.feedback.storage.store import Store  # noqa: PLC0415 - `refiner --help` is instant

    return Store(settings_with().database_url)
