"""``refiner feedback``: counts, exports and deletes the ratings in the database that DATABASE_URL names."""

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
_NOT_TAKEN_BACK = (
    "The Hub cannot be reached, so what was published of it is still there. Run the same command again to take "
    "it back. A Refiner that publishes from this machine takes it back as well."
)


@click.group()
def feedback() -> None:
    """Count, export or delete the ratings that were stored."""


@feedback.command()
def count() -> None:
    """Print the number of votes. A run that was rated again counts once."""
    try:
        with closing(_open_store()) as store:
            click.echo(store.count())
    except RefinerError as error:
        raise click.ClickException(str(error)) from error


@feedback.command()
@click.argument("event_id")
def delete(event_id: str) -> None:
    """Delete a rating and the texts of its run.

    EVENT_ID is the number that the page gave to the rater. With REFINER_DATASET set, the rating is taken back
    from that data set too.
    """
    from refiner.feedback.publish.publisher import publisher_from_settings  # noqa: PLC0415 - the same
    from refiner.feedback.votes import VoteRecorder  # noqa: PLC0415 - `refiner --help` is instant

    publisher = publisher_from_settings(settings_with())
    try:
        with closing(_open_store()) as store:
            deleted = VoteRecorder(store, publisher).delete(event_id.strip())
    except RefinerError as error:
        raise click.ClickException(str(error)) from error
    finally:
        taken_back = publisher is None or publisher.close()
    if not deleted:
        raise click.ClickException(
            f"There is no rating with the number {event_id}, or it is deleted already."
        )
    click.echo("Deleted.")
    if not taken_back:
        click.echo(_NOT_TAKEN_BACK, err=True)


@feedback.command()
@click.option("--format", "kind", type=_FORMATS, required=True, help="The format of the rows.")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write. It must be new or empty.",
)
@click.option(
    "--license", "licence", default="cc-by-4.0", show_default=True, help="The licence, by its id on the Hub."
)
def export(*, kind: str, out: Path, licence: str) -> None:
    """Write the votes that may be published as a data set with a card.

    The formats: preference pairs (trl), desirable and undesirable answers (kto), records and settings
    (argilla), and all that is known of each vote (jsonl, parquet). E-mail addresses, phone numbers and keys
    are removed from the texts.
    """
    from refiner.feedback.export.dataset import describe_counts  # noqa: PLC0415 - the same
    from refiner.feedback.export.dataset import export as write  # noqa: PLC0415 - `refiner --help` is instant
    from refiner.feedback.export.scrub import Scrubber  # noqa: PLC0415 - the same

    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", licence):
        raise click.ClickException(f"{licence!r} is not the id of a licence. An example is cc-by-4.0.")
    try:
        with closing(_open_store()) as store:
            votes = store.votes()
        scrubber = Scrubber(settings_with().cache_dir / "scrub")
        counts = write(votes, cast("Format", kind), out, scrubber, licence)
    except RefinerError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{out}: {describe_counts(counts)}.")


def _open_store() -> "Store":
    from refiner.feedback.storage.store import Store  # noqa: PLC0415 - `refiner --help` is instant

    return Store(settings_with().database_url)
