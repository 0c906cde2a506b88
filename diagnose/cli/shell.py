"""How a command of `diagnose` or `tnca` ends: with a documented exit code and at most one line on stderr."""

from __future__ import annotations

import io
import os
import signal
import sys

import click

from diagnose.errors import DiagnoseError

EXIT_FAULT = 4
EXIT_INTERRUPTED = 130
EXTRAS = {  # what comes with an extra, not with the program
    "batch": {"joblib", "dask", "distributed", "pyarrow"},
    "tnca": {"torch", "bigvgan", "huggingface_hub", "joblib"},
}


def run(command: click.Command, name: str) -> None:
    """The program of that name: parse the command line, do what it says, exit."""
    if hasattr(signal, "SIGPIPE"):  # a reader that goes away ends the program as it ends any other, and is no verdict
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal's encoding lacks is shown escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        command.main(standalone_mode=False, prog_name=name)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.format_message(), err=True)
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        _die(name, "interrupted; no file was left incomplete", EXIT_INTERRUPTED)
    except Exception as error:
        if os.environ.get("DIAGNOSE_DEBUG"):
            raise
        _die(name, *_explained(error, name))


def _explained(error: Exception, name: str) -> tuple[str, int]:
    """One line and an exit code for an error."""
    if isinstance(error, DiagnoseError):
        return str(error), error.exit_code
    if isinstance(error, click.ClickException):
        return f"{error.format_message()} (see `{_command(error, name)} --help`)", 2
    if isinstance(error, OSError):
        return f"cannot write the output ({error.strerror or error})", 2
    if isinstance(error, MemoryError):
        return "out of memory; use shorter files", EXIT_FAULT
    if isinstance(error, ModuleNotFoundError):
        # joblib is in both: the program of an extra's own name asks for that one.
        extra = next((one for one in sorted(EXTRAS, key=lambda one: one != name) if error.name in EXTRAS[one]), None)
        if extra:
            return f"{error.name} is not installed; pip install 'timbre-diagnose[{extra}]'", 2
    return f"internal error of {name}: {type(error).__name__}: {error} (DIAGNOSE_DEBUG=1 shows where)", EXIT_FAULT


def _command(error: click.ClickException, name: str) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context else name


def _die(name: str, message: str, code: int) -> None:
    from diagnose.text import printable

    sys.stderr.write(f"{name}: {printable(message)}\n")
    sys.exit(code)
