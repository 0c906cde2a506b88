"""The command line of the automaton: training, and what is made of a trained run."""

from tnca.cli.program import cli, main

__all__ = ["cli", "main"]
