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
            self.fail(f"{value!r} is no size; write 20MB, 500kB or 0", param, ctx)
        return int(float(found[1]) * UNITS[found[2]])


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="MANIFEST.csv|GLOB...")
@click.option("--out", metavar="DIR", required=True, help="Folder for results and summary; made where missing.")
@click.option("--reference", metavar="TEMPLATE", help="Where a sound's reference is: {name}, {stem}, {parent} of it.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes; one a processor by default.")
@click.option("--dask", metavar="ADDRESS", help="Use the Dask cluster of this scheduler, say tcp://10.0.0.1:8786.")
@click.option("--resume", is_flag=True, help="Go on with the run that DIR holds.")
@click.option("--profile", metavar="FILE", help="Limits from a TOML file instead of the built-in ones.")
@click.option("--format", "form", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@click.option(
    "--pages", type=Size(), default="20MB", show_default=True, help="Bytes for reports of the worst pairs; 0 for none."
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
    """Compare every pair of a manifest, or every sound that matches with its reference.

    \b
    diagnose batch pairs.csv --out results --jobs 8
    diagnose batch 'out/*.wav' --reference 'ref/{name}' --out results
    diagnose batch pairs.csv --out results --resume

    The manifest has a header with reference and generated, and an id where wanted; paths are relative to it.  DIR
    gets results.csv (or .parquet), summary.html and pages/ with the reports of the worst pairs.  A file that cannot
    be compared is an ERROR row.  A run that was stopped, even killed, goes on with --resume and repeats nothing.

    Exits 1 where a pair FAILs; 3 where none does and one could not be compared.
    """
    if jobs is not None and dask is not None:
        raise click.UsageError("--jobs and --dask: local processes or a cluster, not both")
    if not out:
        raise click.UsageError("--out: no folder name given")
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
        click.echo("diagnose: interrupted; the finished pairs are kept, and --resume goes on", err=True)
        sys.exit(EXIT_INTERRUPTED)
    if outcome.overview is None:
        print_finished(outcome.verdicts, out)
    else:
        print_batch(outcome.overview, out, outcome.resumed)
    finish(outcome.verdict)
