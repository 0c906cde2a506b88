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
    """Grow the mel spectrogram of a note with a neural cellular automaton, and hear it.

    \b
    tnca demo                                   a trained automaton grows a string note, heard and judged
    tnca train violin.wav --out runs/violin     learn to grow a note
    tnca generate runs/violin --out gen.wav     grow it, and make it sound
    tnca roundtrip violin.wav --out trip.wav    what the vocoder alone makes of the note
    tnca fixes violin.wav --out fixes           every known fix, applied and measured
    tnca bench --batch 1,16                     how fast the automaton grows here, kernel by kernel

    Exit codes: 0 done; 1 a mel in another contract than the vocoder's, a fix under its threshold; 2 wrong usage or
    unreadable input; 4 a fault of the program itself; 130 stopped.
    """


for command in (training.train, sound.generate, sound.roundtrip, sound.demo, fixing.fixes, bench.bench):
    cli.add_command(command)


def main() -> None:
    """Entry point of the console script."""
    run(cli, "tnca")
