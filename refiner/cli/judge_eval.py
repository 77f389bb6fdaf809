"""``refiner judge-eval``: measures a judge on human labels."""

import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from refiner.cli.common import JUDGE_CHOICE, choose_judge, settings_with
from refiner.errors import InputError, RefinerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from refiner.judges.evaluation import JudgeMeasurement
    from refiner.judges.protocol import Judge
    from refiner.scoring.metrics import Evaluation, Figure
    from refiner.settings import Settings


_MAX_REASONS = 3
"""Reasons that are printed for claims that were not scored."""


@click.command("judge-eval")
@click.argument("data", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--judge", type=JUDGE_CHOICE, help="The judge to measure.  [default: by settings and hardware]")
@click.option(
    "--model", help="The model that the logits or hosted judge asks.  [default: REFINER_JUDGE_MODEL]"
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="Use only this many claims of each file, the first ones."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON instead of a table.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write reliability diagrams to this file, as SVG.",
)
def judge_eval(
    *,
    data: tuple[Path, ...],
    judge: str | None,
    model: str | None,
    limit: int | None,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Measure a judge on human labels.

    Each DATA file holds JSON lines with claim, evidence, supported, and perhaps question. The figures are
    AUROC, balanced accuracy and calibration error, each with its 95% interval by bootstrap over questions.

    Without --limit the figures are also kept in the cache folder. The page then shows them, unless the judge
    brings figures of its own.
    """
    from tqdm import tqdm  # noqa: PLC0415 - `refiner --help` is instant

    from refiner.judges import evaluation  # noqa: PLC0415 - the same
    from refiner.render.scores import judge_quality  # noqa: PLC0415 - the same

    try:
        settings = settings_with(judge=judge, judge_model=model)
        measured = choose_judge(settings)
        evaluations: dict[str, Evaluation] = {}
        labels = {
            file.stem: evaluation.read_labels(file)[:limit] for file in data
        }  # read all before any time is spent
        if len(labels) < len(data):
            raise InputError("Two of the files have the same name; their figures could not be told apart.")
        for name, rows in labels.items():
            with tqdm(total=len(rows), desc=name, unit="claim", file=sys.stderr) as bar:
                done = evaluation.measure_judge(measured, rows, bar.update)
            evaluations[name] = done.evaluation
            _report_unscored(done)
        click.echo(_as_json(measured, data, evaluations) if as_json else _as_table(measured, evaluations))
        if limit is None:
            _keep_figures(settings, measured, {name: one for name, one in evaluations.items() if one.auroc})
    except RefinerError as error:
        raise click.ClickException(str(error)) from error
    if plot is not None:
        try:
            plot.write_text(judge_quality.reliability_plot(evaluations), encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"{plot} cannot be written: {error}.") from error


def _report_unscored(measured: "JudgeMeasurement") -> None:
    """Print the commonest reasons why claims were not scored, with how many they are."""
    reasons = Counter(verdict.reason for verdict in measured.verdicts if verdict.value is None)
    for reason, times in reasons.most_common(_MAX_REASONS):
        click.echo(f"{times} not scored: {reason}", err=True)


def _keep_figures(settings: "Settings", judge: "Judge", evaluations: "Mapping[str, Evaluation]") -> None:
    if not evaluations:
        return
    from datetime import UTC, datetime  # noqa: PLC0415 - `refiner --help` is instant

    from refiner.judges import quality  # noqa: PLC0415 - the same

    date = datetime.now(UTC).date().isoformat()
    quality.save_quality(settings.cache_dir, quality.Quality(judge.name, judge.version, date, evaluations))


def _as_json(judge: "Judge", files: "Sequence[Path]", evaluations: "Mapping[str, Evaluation]") -> str:
    """Write one object a file. A figure that could not be had is null, and so is its interval."""

    def row(file: Path, evaluation: "Evaluation") -> dict[str, object]:
        figures = {
            "auroc": evaluation.auroc,
            "balanced_accuracy": evaluation.balanced_accuracy,
            "ece": evaluation.ece,
        }
        flat: dict[str, object] = {}
        for name, figure in figures.items():
            flat[name] = figure.value if figure else None
            flat[f"{name}_interval"] = [figure.lo, figure.hi] if figure else None
        return {
            "file": str(file),
            "judge": judge.name,
            "version": judge.version,
            "n": evaluation.n,
            "scored": evaluation.scored,
            **flat,
            "bins": [asdict(bin_) for bin_ in evaluation.bins],
        }

    rows = [row(file, evaluation) for file, evaluation in zip(files, evaluations.values(), strict=True)]
    return json.dumps(rows, indent=2)


def _as_table(judge: "Judge", evaluations: "Mapping[str, Evaluation]") -> str:
    """Write the figures as a Markdown table."""

    def cell(figure: "Figure | None") -> str:
        return f"{figure.value:.3f} [{figure.lo:.3f}, {figure.hi:.3f}]" if figure else "not scored"

    head = "| file | claims | scored | AUROC | balanced accuracy | calibration error |"
    lines = [
        f"| {name} | {one.n} | {one.scored} | {cell(one.auroc)} | {cell(one.balanced_accuracy)} | {cell(one.ece)} |"
        for name, one in evaluations.items()
    ]
    return "\n".join(
        (f"{judge.name}, {judge.version}; 95% intervals.\n", head, "|---|" + "---:|" * 5, *lines)
    )
