"""The command line: parse, call, render, exit.  Every command only calls what Python callers call too."""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import TYPE_CHECKING, TypeVar

import click

from diagnose.errors import DiagnoseError, InputError
from diagnose.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.report import Report, Suite

# The products here are of 64 frames by 80 bands: threads cost more to wake than they save.  Measured: a
# comparison takes 3 times as long with two BLAS threads.  OpenBLAS reads this when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

EXIT_FAULT = 4
EXIT_INTERRUPTED = 130
T = TypeVar("T")
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(VERSION, prog_name="diagnose")
def cli() -> None:
    """Find out what broke in a neural-audio pipeline.

    \b
    diagnose demo                               a synthesised note, broken and compared
    diagnose compare violin.wav generated.wav   a verdict, a table in words, a report
    diagnose check suite.toml                   the gate for CI
    diagnose sensitivity suite.toml             which faults would the gate's limits not see?

    Exit codes: 0 passed; 1 a verdict FAIL; 2 wrong usage or unreadable input; 3 not comparable, or nothing
    was compared; 4 a fault of the program itself.
    """


def _outputs(*formats: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Options --json F, --html F, ... for the formats named; F is a file, or - for stdout."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for name in reversed(formats):
            option = click.option(f"--{name}", metavar="FILE", help=f"Write {name.upper()} to FILE, or - for stdout.")
            command = option(command)
        return command

    return add


@cli.command()
@click.argument("reference")
@click.argument("generated")
@click.option("--profile", metavar="FILE", help="Limits from a TOML file instead of the built-in ones.")
@click.option(
    "--all", "every_metric", is_flag=True, help="Show every metric in the terminal, not only what is over a limit."
)
@_outputs("json", "html", "junit", "markdown")
def compare(reference: str, generated: str, profile: str | None, every_metric: bool, **outputs: str | None) -> None:
    """Compare GENERATED with REFERENCE and judge it.

    \b
    diagnose compare violin.wav generated.wav --html report.html
    diagnose compare violin.wav generated.wav --json - | jq .verdict

    Both are any format libsndfile reads.  Exits 1 where a metric FAILs, 3 where nothing can be compared.
    """
    _check_outputs(outputs, reference, generated)
    from diagnose.comparison import compare as run

    report = run(reference, generated, profile=profile)
    _write_report(report, outputs)
    if "-" not in outputs.values():
        from diagnose.render.terminal import print_report

        print_report(report, every_metric)
    _finish(report.verdict)


@cli.command()
@click.option(
    "--out", metavar="DIR", default="diagnose-demo", show_default=True, help="Folder to write to; made where missing."
)
def demo(out: str) -> None:
    """Synthesise a bowed string, break it as a misfed vocoder does, and compare the two.

    \b
    diagnose demo --out /tmp/demo

    Writes reference.wav, generated.wav, report.html and report.json.  Exits 0: the FAIL it shows is its purpose.
    """
    from diagnose import audio, example
    from diagnose.comparison import compare as run
    from diagnose.render.terminal import print_report

    _make_folder(out)
    paths = [os.path.join(out, name) for name in ("reference.wav", "generated.wav", "report.html", "report.json")]
    string = example.bowed_string()
    audio.write(paths[0], string)
    audio.write(paths[1], example.misfed_vocoder(string))
    report = run(paths[0], paths[1])
    _write_report(report, {"html": paths[2], "json": paths[3]})
    print_report(report)
    click.echo(f"\nThe report with players and pictures is {paths[2]}")


@cli.command()
@click.argument("suite")
def record(suite: str) -> None:
    """Measure the cases of SUITE that have no golden yet, and write one for each.

    \b
    diagnose record tests/audio/suite.toml

    Existing goldens are never touched; `diagnose accept` changes them, with a reason.
    """
    from diagnose import golden

    recorded, kept = golden.record(suite)
    for case in recorded:
        click.echo(f"recorded {case}")
    if kept:
        click.echo(f"kept {len(kept)} existing: {', '.join(kept)} (change one with `diagnose accept`)", err=True)
    if recorded:
        click.echo("read them before you commit them: from now on they are what is right", err=True)


@cli.command()
@click.argument("suite")
@_outputs("junit", "markdown")
def check(suite: str, **outputs: str | None) -> None:
    """Hold every case of SUITE against its golden; the gate for CI.

    \b
    diagnose check tests/audio/suite.toml --junit report.xml --markdown "$GITHUB_STEP_SUMMARY"

    Exits 1 where a case fails (a missing baseline, a vanished metric and an unused golden fail too), 3 where
    nothing was compared.  It writes no golden.
    """
    _check_outputs(outputs, suite)
    from diagnose import golden

    result = golden.check(suite)
    _write_suite(result, outputs)
    if "-" not in outputs.values():
        from diagnose.render.terminal import print_suite

        print_suite(result)
    _finish(result.verdict)


@cli.command()
@click.argument("suite")
@click.argument("case")
@click.option("--reason", required=True, help="Why the new value is right; kept beside both values.")
@click.option("--who", help="Who accepts it; git's user.name by default.")
def accept(suite: str, case: str, reason: str, who: str | None) -> None:
    """Make what CASE, or CASE::METRIC, measures now its golden.

    \b
    diagnose accept tests/audio/suite.toml violin::rms_ratio --reason "the new model is 1 dB louder"

    Only what `check` would not pass is changed; who, when, why and both values are kept in the golden.
    """
    from diagnose import golden
    from diagnose.render.words import number, printable

    name, separator, metric = case.partition("::")
    if separator and not metric:
        raise click.UsageError(f"{case}: no metric after '::'")
    for entry in golden.accept(suite, name, metric or None, reason, who):
        old, new = (v if isinstance(v, str) or v is None else number(v, "ratio") for v in (entry.old, entry.new))
        click.echo(printable(f"accepted {name}::{entry.metric}: {old} -> {new}"))


@cli.command()
@click.argument("suite")
@click.option(
    "--fault", "faults", metavar="NAME", multiple=True, help="Ask for this known fault alone; may be repeated."
)
@_outputs("json")
def sensitivity(suite: str, faults: tuple[str, ...], **outputs: str | None) -> None:
    """Inject known faults into the references of SUITE: from what strength on do its limits catch each?

    \b
    diagnose sensitivity tests/audio/suite.toml
    diagnose sensitivity tests/audio/suite.toml --fault polarity --fault clicks --json - | jq .faults

    Limits are the warn and fail levels of the suite's profile and of its cases; the goldens that `check` holds
    besides are not asked.  Of a long reference 10 s are used.  A fault that passes is shown with the limit that
    would catch it.  Exits 0 whatever is caught, 3 where no reference could be probed.  It writes no golden.
    """
    _check_outputs(outputs, suite)
    from diagnose.sensitivity import probe

    found = _with_progress(lambda progress: probe(suite, faults or None, progress))
    if outputs["json"] is not None:
        from diagnose.render.sensitivity import to_json

        _write(outputs["json"], to_json(found))
    if outputs["json"] != "-":
        from diagnose.render.terminal import print_sensitivity

        print_sensitivity(found)
    _finish("PASS" if found.probed else "ERROR")


def _with_progress(work: Callable[[Callable[[int, int, str], None] | None], T]) -> T:
    """work(progress) with a bar on stderr, where that is a terminal; it is gone when the work is done."""
    if not sys.stderr.isatty():
        return work(None)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        return work(lambda done, total, what: bar.update(task, completed=done, total=total, description=what))


def _check_outputs(outputs: dict[str, str | None], *inputs: str) -> None:
    """Every output has a place of its own, and none is an input."""
    taken = {os.path.realpath(path): "is also an input; give another file" for path in inputs}
    for name, target in outputs.items():
        if target is None:
            continue
        if not target:
            raise click.UsageError(f"--{name}: no file name given")
        place = target if target == "-" else os.path.realpath(target)
        if place in taken:
            raise click.UsageError(f"--{name} {target}: {taken[place]}")
        if place == "-" or os.path.isfile(place) or not os.path.exists(place):
            taken[place] = "only one output can go to stdout (-)" if place == "-" else "another output goes there"


def _write_report(report: Report, outputs: dict[str, str | None]) -> None:
    for name, target in outputs.items():
        if target is not None:
            _write(target, _rendered(report, name))


def _rendered(report: Report, form: str) -> str:
    if form == "json":
        from diagnose.render.json import to_json

        return to_json(report)
    if form == "html":
        from diagnose.render.html import to_html

        return to_html(report)
    from diagnose.render.words import as_suite

    return _rendered_suite(as_suite(report), form)


def _rendered_suite(suite: Suite, form: str) -> str:
    if form == "junit":
        from diagnose.render.junit import to_junit

        return to_junit(suite)
    from diagnose.render.markdown import to_markdown

    return to_markdown(suite)


def _write_suite(suite: Suite, outputs: dict[str, str | None]) -> None:
    for name, target in outputs.items():
        if target is not None:
            _write(target, _rendered_suite(suite, name))


def _write(target: str, text: str) -> None:
    data = text.encode("utf-8", "backslashreplace")
    if target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    from diagnose.files import write_whole

    write_whole(target, data)


def _make_folder(path: str) -> None:
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be made ({error.strerror})") from None


def _finish(verdict: str) -> None:
    from diagnose.render.words import EXIT_CODES

    sys.exit(EXIT_CODES[verdict])


def main() -> None:
    """Entry point of the console script: every way out is an exit code of the contract and at most one line."""
    if hasattr(signal, "SIGPIPE"):  # a reader that goes away ends the program as it ends any other, and is no verdict
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal's encoding lacks is shown escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        cli.main(standalone_mode=False, prog_name="diagnose")
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.format_message(), err=True)
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        _die("interrupted; nothing was written half", EXIT_INTERRUPTED)
    except Exception as error:
        if os.environ.get("DIAGNOSE_DEBUG"):
            raise
        _die(*_explained(error))


def _explained(error: Exception) -> tuple[str, int]:
    """One line and an exit code for an error."""
    if isinstance(error, DiagnoseError):
        return str(error), error.exit_code
    if isinstance(error, click.ClickException):
        return f"{error.format_message()} (see `{_command(error)} --help`)", 2
    if isinstance(error, OSError):
        return f"cannot write the output ({error.strerror or error})", 2
    if isinstance(error, MemoryError):
        return "out of memory; compare shorter files", EXIT_FAULT
    return f"a fault of diagnose itself: {type(error).__name__}: {error} (DIAGNOSE_DEBUG=1 shows where)", EXIT_FAULT


def _command(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context else "diagnose"


def _die(message: str, code: int) -> None:
    from diagnose.render.words import printable

    sys.stderr.write(f"diagnose: {printable(message)}\n")
    sys.exit(code)
