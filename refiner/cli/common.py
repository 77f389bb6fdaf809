"""What the commands share: options, and settings with what the command line names in place of theirs."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import click

from refiner.settings import JudgeKind, Settings

if TYPE_CHECKING:
    from refiner.engines.protocol import Engine
    from refiner.judges.protocol import Judge

JUDGE = click.Choice(get_args(JudgeKind))


def settings_with(**given: str | int | None) -> Settings:
    """The environment's settings; of those given, None leaves the environment's."""
    named: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return replace(Settings.from_environment(), **named)


def judge_of(settings: Settings, writer: "Engine | None" = None) -> "Judge":
    """The judge that the settings choose; where the writing model judges, ``writer`` is it, loaded once."""
    from refiner.engines.choose import choose  # noqa: PLC0415 - `refiner --help` is instant
    from refiner.judges.choose import choose as choose_judge  # noqa: PLC0415 - the same

    return choose_judge(
        settings, writer or choose(settings), lambda model: choose(replace(settings, model=model))
    )
