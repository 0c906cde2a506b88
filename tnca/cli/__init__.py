"""The command line of the automaton: train, generate, measure."""

from tnca.cli.program import cli, main

__all__ = ["cli", "main"]
