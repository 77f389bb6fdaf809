"""What the commands share: the settings with the command line's options in them, and the judge."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import click

from refiner.settings import JudgeKind, Settings

if TYPE_CHECKING:
    from refiner.engines.protocol import Engine
    from refiner.judges.protocol import Judge

JUDGE_CHOICE = click.Choice(get_args(JudgeKind))


def settings_with(**options: str | int | None) -> Settings:
    """Read the settings from the environment and replace those that have an option. None replaces nothing."""
    named: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    return replace(Settings.from_environment(), **named)


def choose_judge(settings: Settings, writer: "Engine | None" = None) -> "Judge":
    """Make the judge that the settings choose.

    ``writer`` is the engine that writes. The judge shares it where the writing model judges, so that the
    model is loaded once.
    """
    from refiner.engines.choose import choose as choose_engine  # noqa: PLC0415 - `refiner --help` is instant
    from refiner.judges.choose import choose  # noqa: PLC0415 - the same

    return choose(
        settings,
        writer or choose_engine(settings),
        lambda model: choose_engine(replace(settings, model=model)),
    )
