"""tnca bench: `python -m tnca.bench`, which needs torch and numpy alone and so parses for itself."""

from __future__ import annotations

import sys

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
    short_help="Measure the speed of the automaton's kernels.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure the speed of the automaton's kernels."""
    from tnca.bench.__main__ import main

    sys.exit(main(list(arguments), "tnca bench"))
