"""The command line: one file for each kind of input, one for the program and its ways out, one for where results go."""

from diagnose.cli.program import cli, main

__all__ = ["cli", "main", "output", "shell"]
