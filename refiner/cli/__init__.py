"""The command line. Commands import heavy packages when they run, so that ``refiner --help`` is instant."""

import click

from refiner import __version__
from refiner.cli.feedback import feedback
from refiner.cli.judge_eval import judge_eval
from refiner.cli.refine import refine
from refiner.cli.serve import serve


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Rewrite draft answers so that every claim cites a source."""


main.add_command(serve)
main.add_command(refine)
main.add_command(judge_eval)
main.add_command(feedback)
