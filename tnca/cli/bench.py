"""tnca bench: `python -m tnca.bench`, which needs torch and numpy alone and so parses for itself."""

from __future__ import annotations

import sys

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
    short_help="Time the kernels of the automaton against the first code.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Time the kernels of the automaton against the first code."""
    from tnca.bench.__main__ import main

    sys.exit(main(list(arguments), "tnca bench"))
