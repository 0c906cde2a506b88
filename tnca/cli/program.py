"""`tnca`: parse, call, render, exit.  torch is loaded by the command that needs it, not by `--help`."""

from __future__ import annotations

import os

import click

from diagnose.cli.shell import run
from diagnose.version import VERSION
from tnca.cli import bench, fixing, sound, training

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the metrics' products are small: see diagnose.cli.program

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(VERSION, prog_name="tnca")
def cli() -> None:
    """Grow the mel spectrogram of a note with a neural cellular automaton.

    \b
    tnca demo                                   try it: grow a string note with a trained automaton
    tnca train violin.wav --out runs/violin     train an automaton on a note
    tnca generate runs/violin --out gen.wav     generate the sound of a trained run
    tnca roundtrip violin.wav --out trip.wav    measure the vocoder alone
    tnca fixes violin.wav --out fixes           measure every known fix
    tnca bench --batch 1,16                     measure the speed of the kernels

    Exit codes: 0 done; 1 a mel does not match the vocoder's contract, or a fix is below its threshold; 2 wrong usage
    or unreadable input; 4 an internal error; 130 interrupted.
    """


for command in (training.train, sound.generate, sound.roundtrip, sound.demo, fixing.fixes, bench.bench):
    cli.add_command(command)


def main() -> None:
    """Entry point of the console script."""
    run(cli, "tnca")
