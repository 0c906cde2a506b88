"""diagnose batch: many pairs."""

from __future__ import annotations

import re
import shlex
import sys

import click

from diagnose.cli.output import finish, with_progress
from diagnose.cli.shell import EXIT_INTERRUPTED

UNITS = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3}
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


class Size(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic from click 8.2 on
    """20MB, 500kB, 0: a number of bytes, in thousands."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = SIZE.fullmatch(str(value).strip().lower())
        if found is None or found[2] not in UNITS:
            self.fail(f"{value!r} is not a size; write 20MB, 500kB or 0", param, ctx)
        return int(float(found[1]) * UNITS[found[2]])


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="MANIFEST.csv|GLOB...")
@click.option("--out", metavar="DIR", required=True, help="Directory for results and summary; created if missing.")
@click.option("--reference", metavar="TEMPLATE", help="Path of a sound's reference, from its {name}, {stem}, {parent}.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Number of processes.  [default: one per CPU]")
@click.option("--dask", metavar="ADDRESS", help="Run on the Dask scheduler at this address, e.g. tcp://10.0.0.1:8786.")
@click.option("--resume", is_flag=True, help="Continue the run in DIR.")
@click.option("--profile", metavar="FILE", help="Read the limits from this TOML file, not from the built-in profile.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
    help="Format of the table of results.",
)
@click.option(
    "--pages",
    type=Size(),
    default="20MB",
    show_default=True,
    help="Size limit for the reports of the worst pairs; 0 for none.",
)
def batch(
    sources: tuple[str, ...],
    out: str,
    reference: str | None,
    jobs: int | None,
    dask: str | None,
    resume: bool,
    profile: str | None,
    form: str,
    pages: int,
) -> None:
    """Compare the pairs of a manifest, or the sounds that match GLOB.

    \b
    diagnose batch pairs.csv --out results --jobs 8
    diagnose batch 'out/*.wav' --reference 'ref/{name}' --out results
    diagnose batch pairs.csv --out results --resume

    MANIFEST.csv has the columns reference and generated, and optionally id; its paths are relative to the file.
    The results are DIR/results.csv (or .parquet), DIR/summary.html and the reports of the worst pairs in DIR/pages.
    A pair that cannot be compared is a row with the verdict ERROR.  --resume continues a run that was stopped or
    killed; it compares no pair again.

    Exit codes: 0 every pair passed; 1 a pair FAILs; 3 none FAILs, and a pair could not be compared.
    """
    if jobs is not None and dask is not None:
        raise click.UsageError("--jobs and --dask cannot be used together")
    if not out:
        raise click.UsageError("--out: the directory name is empty")
    from diagnose.batch import Options, run, source_of
    from diagnose.render.summary import print_batch, print_finished

    source = source_of(sources, reference)
    command = shlex.join(["diagnose", *(word for word in sys.argv[1:] if word != "--resume")])
    options = Options(jobs, dask, profile, form, pages, command)
    try:
        outcome = with_progress(
            lambda progress: run(source, out, options, resume=resume, progress=progress), unit="pairs"
        )
    except KeyboardInterrupt:
        click.echo("diagnose: interrupted; the finished pairs are saved; continue with --resume", err=True)
        sys.exit(EXIT_INTERRUPTED)
    if outcome.overview is None:
        print_finished(outcome.verdicts, out)
    else:
        print_batch(outcome.overview, out, outcome.resumed)
    finish(outcome.verdict)
