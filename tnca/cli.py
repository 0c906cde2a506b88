"""`tnca`: holds no command yet; the automaton is the next part of the project."""

from __future__ import annotations

import sys

import click

from diagnose.version import VERSION


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="tnca")
def cli() -> None:
    """Grow the mel spectrogram of a sound with a neural cellular automaton.

    This release has no commands yet: the metrics engine came first. See `diagnose --help`.
    """


def main() -> None:
    """Entry point of the console script."""
    sys.exit(cli())
