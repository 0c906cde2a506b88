"""The command line: one file per kind of input, one for the program, one for its exit, one for its output."""

from diagnose.cli.program import cli, main

__all__ = ["cli", "main", "output", "shell"]
