"""``refiner refine``: refines the cases of a file, one after the other."""

import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from refiner.cli.common import JUDGE_CHOICE, choose_judge, settings_with
from refiner.domain import MAX_NEW_TOKENS, MIN_NEW_TOKENS, Options
from refiner.errors import RefinerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refiner import batch

_TOKEN_RANGE = click.IntRange(MIN_NEW_TOKENS, MAX_NEW_TOKENS)


@click.command()
@click.argument("cases", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The output file, as JSON lines.",
)
@click.option(
    "--max-new-tokens",
    type=_TOKEN_RANGE,
    help="The most tokens of an answer.  [default: REFINER_MAX_NEW_TOKENS or 1024]",
)
@click.option(
    "--model",
    help="The model that writes: a Hub id, a folder or a .gguf file.  [default: REFINER_MODEL or by hardware]",
)
@click.option(
    "--judge", type=JUDGE_CHOICE, help="The judge that scores.  [default: by settings and hardware]"
)
@click.option("--limit", type=click.IntRange(min=1), help="Refine only this many cases, the first ones.")
@click.option(
    "--temperature",
    type=click.FloatRange(0, 2),
    default=0.0,
    show_default=True,
    help="How random the answer is. 0 always takes the likeliest token.",
)
@click.option("--seed", type=int, help="Makes a run with a temperature above 0 repeatable.")
def refine(
    *,
    cases: Path,
    out: Path,
    max_new_tokens: int | None,
    model: str | None,
    judge: str | None,
    limit: int | None,
    temperature: float,
    seed: int | None,
) -> None:
    """Refine the cases of a file of JSON lines.

    Each line of CASES has an id, a question, a draft and sources. A second run with the same output file
    refines the cases that are missing from it or failed.
    """
    from tqdm import tqdm  # noqa: PLC0415 - `refiner --help` is instant

    from refiner import batch  # noqa: PLC0415 - the same
    from refiner.engines.choose import choose  # noqa: PLC0415 - the same
    from refiner.prompts.prompt_file import PromptTemplate  # noqa: PLC0415 - the same

    try:
        settings = settings_with(model=model, judge=judge)
        engine = choose(settings)
        template = PromptTemplate.from_file(settings.prompt_file)
        options = Options(max_new_tokens or settings.max_new_tokens, settings.form, temperature, seed)
        wanted = list(batch.read_cases(cases))[:limit]
        work = batch.Batch(engine, choose_judge(settings, engine), template, options, settings.mix)
        done = batch.resume(out, work)
        missing = [case for case in wanted if case.id not in done]
        if missing:
            engine.load()
        with tqdm(total=len(wanted), initial=len(wanted) - len(missing), unit="case", file=sys.stderr) as bar:
            for _ in batch.refine_all(missing, work, out):
                bar.update()
    except RefinerError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo(f"Stopped. {out} keeps the finished cases. The same command continues.", err=True)
        sys.exit(130)
    click.echo(_summary_table(wanted, batch.read_rows(out)))


def _summary_table(cases: "Sequence[batch.Case]", rows: "Sequence[batch.Row]") -> str:
    """Summarise a run as a Markdown table. Memory is the peak of this process."""
    from refiner import batch  # noqa: PLC0415 - `refiner --help` is instant

    summary = batch.summarise(cases, rows)
    # ru_maxrss is in kilobytes on Linux and in bytes on macOS
    units_per_gigabyte = 1 << 20 if sys.platform == "linux" else 1 << 30
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units_per_gigabyte
    head = "| rows | failed | parsed with no finding | invented ids | with a cited claim | median seconds | peak memory |"
    line = (
        f"| {summary.rows} | {summary.failed} | {summary.clean} | {summary.invented} | {summary.cited} "
        f"| {summary.seconds:.1f} | {peak:.2f} GB |"
    )
    return "\n".join((head, "|---:" * 7 + "|", line))
