"""``refiner feedback``: the ratings that DATABASE_URL names."""

from contextlib import closing
from typing import TYPE_CHECKING

import click

from refiner.cli.common import settings_with
from refiner.errors import RefinerError

if TYPE_CHECKING:
    from refiner.feedback.store import Store


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
    """Wipe a rating and its run's texts by the number that its rater was given."""
    try:
        with closing(_store()) as store:
            found = store.delete(event_id.strip())
    except RefinerError as error:
        raise click.ClickException(str(error)) from error
    if not found:
        raise click.ClickException(
            f"There is no rating with the number {event_id}, or it is deleted already."
        )
    click.echo("Deleted.")


def _store() -> "Store":
    from refiner.feedback.store import Store  # noqa: PLC0415 - `refiner --help` is instant

    return Store(settings_with().database_url)
