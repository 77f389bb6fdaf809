"""``refiner judge-eval``: a judge measured on human labels."""

import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from refiner.cli.common import JUDGE, judge_of, settings_with
from refiner.errors import InputError, RefinerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from refiner.judges.evaluation import Measured
    from refiner.judges.protocol import Judge
    from refiner.scoring.metrics import Evaluation, Figure
    from refiner.settings import Settings


@click.command("judge-eval")
@click.argument("data", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--judge", type=JUDGE, help="Which judge.  [default: by settings and hardware]")
@click.option("--model", help="What the logits or hosted judge asks.  [default: REFINER_JUDGE_MODEL]")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first claims of each file.")
@click.option("--json", "as_json", is_flag=True, help="The figures as JSON.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Reliability diagrams, as SVG.")
def judge_eval(
    *,
    data: tuple[Path, ...],
    judge: str | None,
    model: str | None,
    limit: int | None,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Measure a judge on human labels: JSON lines with claim, evidence, supported, and perhaps question.

    AUROC, balanced accuracy and calibration error, each with its 95% interval by bootstrap over questions. They
    are kept, and the page shows them beside a judge that does not bring figures of its own.
    """
    from tqdm import tqdm  # noqa: PLC0415 - `refiner --help` is instant

    from refiner.judges import evaluation  # noqa: PLC0415 - the same
    from refiner.render.scores import judge_quality as drawn  # noqa: PLC0415 - the same

    try:
        settings = settings_with(judge=judge, judge_model=model)
        measured = judge_of(settings)
        found: dict[str, Evaluation] = {}
        every = {file.stem: evaluation.read(file)[:limit] for file in data}  # all, before any time is spent
        if len(every) < len(data):
            raise InputError("Two of the files have the same name; their figures could not be told apart.")
        for name, rows in every.items():
            with tqdm(total=len(rows), desc=name, unit="claim", file=sys.stderr) as bar:
                done = evaluation.measure(measured, rows, bar.update)
            found[name] = done.evaluation
            _warn(done)
        click.echo(_json(measured, data, found) if as_json else _figures(measured, found))
        _keep(settings, measured, {name: one for name, one in found.items() if limit is None and one.auroc})
    except RefinerError as error:
        raise click.ClickException(str(error)) from error
    if plot is not None:
        try:
            plot.write_text(drawn.reliability_plot(found), encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"{plot} cannot be written: {error}.") from error


def _warn(done: "Measured") -> None:
    """Say why claims were not scored, the commonest reasons first."""
    reasons = Counter(verdict.reason for verdict in done.verdicts if verdict.value is None)
    for reason, times in reasons.most_common(3):
        click.echo(f"{times} not scored: {reason}", err=True)


def _keep(settings: "Settings", judge: "Judge", found: "Mapping[str, Evaluation]") -> None:
    if not found:
        return
    from datetime import UTC, datetime  # noqa: PLC0415 - `refiner --help` is instant

    from refiner.judges import quality  # noqa: PLC0415 - the same

    date = datetime.now(UTC).date().isoformat()
    quality.keep(settings.cache_dir, quality.Quality(judge.name, judge.version, date, found))


def _json(judge: "Judge", files: "Sequence[Path]", found: "Mapping[str, Evaluation]") -> str:
    """One object a file: each figure with its interval beside it, null where it could not be had."""

    def row(file: Path, one: "Evaluation") -> dict[str, object]:
        figures = {"auroc": one.auroc, "balanced_accuracy": one.balanced_accuracy, "ece": one.ece}
        flat: dict[str, object] = {}
        for name, figure in figures.items():
            flat[name] = figure.value if figure else None
            flat[f"{name}_interval"] = [figure.lo, figure.hi] if figure else None
        said = {
            "file": str(file),
            "judge": judge.name,
            "version": judge.version,
            "n": one.n,
            "scored": one.scored,
        }
        return {**said, **flat, "bins": [asdict(place) for place in one.bins]}

    return json.dumps([row(file, one) for file, one in zip(files, found.values(), strict=True)], indent=2)


def _figures(judge: "Judge", found: "Mapping[str, Evaluation]") -> str:
    """The figures as a Markdown table."""

    def cell(figure: "Figure | None") -> str:
        return f"{figure.value:.3f} [{figure.lo:.3f}, {figure.hi:.3f}]" if figure else "not scored"

    head = "| file | claims | scored | AUROC | balanced accuracy | calibration error |"
    lines = [
        f"| {name} | {one.n} | {one.scored} | {cell(one.auroc)} | {cell(one.balanced_accuracy)} | {cell(one.ece)} |"
        for name, one in found.items()
    ]
    return "\n".join(
        (f"{judge.name}, {judge.version}; 95% intervals.\n", head, "|---|" + "---:|" * 5, *lines)
    )
