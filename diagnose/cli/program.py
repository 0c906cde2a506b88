"""The command line: parse, call, render, exit.  Every command only calls what Python callers call too."""

from __future__ import annotations

import io
import os
import signal
import sys

import click

from diagnose.cli import gate, image, mel, pair
from diagnose.errors import DiagnoseError
from diagnose.version import VERSION

# The products here are of 64 frames by 80 bands: threads cost more to wake than they save.  Measured: a
# comparison takes 3 times as long with two BLAS threads.  OpenBLAS reads this when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

EXIT_FAULT = 4
EXIT_INTERRUPTED = 130
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(VERSION, prog_name="diagnose")
def cli() -> None:
    """Find out what broke in a neural-audio pipeline.

    \b
    diagnose demo                               a synthesised note, broken and compared
    diagnose compare violin.wav generated.wav   a verdict, a table in words, a report
    diagnose mel mel.npy --for bigvgan          which mel convention is this in, and is it the vocoder's?
    diagnose image epoch_5000.png               what does this training picture show?
    diagnose check suite.toml                   the gate for CI
    diagnose sensitivity suite.toml             which faults would the gate's limits not see?

    Exit codes: 0 passed; 1 a verdict FAIL; 2 wrong usage or unreadable input; 3 not comparable, or nothing
    was compared; 4 a fault of the program itself.
    """


for command in (pair.compare, pair.demo, mel.mel, mel.contracts, image.image):
    cli.add_command(command)
for command in (gate.record, gate.check, gate.accept, gate.sensitivity):
    cli.add_command(command)


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
