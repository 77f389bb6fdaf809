"""``refiner refine``: many cases from a file, one after the other."""

import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from refiner.cli.common import JUDGE, judge_of, settings_with
from refiner.domain import MAX_NEW_TOKENS, MIN_NEW_TOKENS, Options
from refiner.errors import RefinerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refiner import batch

TOKENS = click.IntRange(MIN_NEW_TOKENS, MAX_NEW_TOKENS)


@click.command()
@click.argument("cases", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="JSON lines."
)
@click.option("--max-new-tokens", type=TOKENS, help="The longest answer.  [default: 1024]")
@click.option("--model", help="A hub id, a folder or a .gguf file.  [default: by hardware]")
@click.option("--judge", type=JUDGE, help="Who scores.  [default: by settings and hardware]")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first cases.")
@click.option("--temperature", type=click.FloatRange(0, 2), default=0.0, help="0 takes the likeliest tokens.")
@click.option("--seed", type=int, help="Repeats a run with a temperature above 0.")
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
    """Refine every case of a JSON-lines file: id, question, draft, sources.

    A second run with the same output file does what is missing, and what failed.
    """
    from tqdm import tqdm  # noqa: PLC0415 - `refiner --help` is instant

    from refiner import batch  # noqa: PLC0415 - the same
    from refiner.engines.choose import choose  # noqa: PLC0415 - the same
    from refiner.prompts.template import PromptTemplate  # noqa: PLC0415 - the same

    try:
        settings = settings_with(model=model, judge=judge)
        engine = choose(settings)
        template = PromptTemplate.read(settings.prompt_file)
        options = Options(max_new_tokens or settings.max_new_tokens, settings.form, temperature, seed)
        wanted = list(batch.read_cases(cases))[:limit]
        work = batch.Batch(engine, judge_of(settings, engine), template, options, settings.mix)
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
        click.echo(f"Stopped. {out} keeps what is done; the same command goes on.", err=True)
        sys.exit(130)
    click.echo(table(wanted, batch.read_rows(out)))


def table(cases: "Sequence[batch.Case]", rows: "Sequence[batch.Row]") -> str:
    """What a run came to, in Markdown; memory is the peak of this process."""
    from refiner import batch  # noqa: PLC0415 - `refiner --help` is instant

    summary = batch.summarise(cases, rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 << 20 if sys.platform == "linux" else 1 << 30
    )
    head = "| rows | failed | parsed with no finding | invented ids | with a cited claim | median seconds | peak memory |"
    line = (
        f"| {summary.rows} | {summary.failed} | {summary.clean} | {summary.invented} | {summary.cited} "
        f"| {summary.seconds:.1f} | {peak:.2f} GB |"
    )
    return "\n".join((head, "|---:" * 7 + "|", line))
