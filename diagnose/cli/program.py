"""The command line: parse, call, render, exit.  Every command only calls what Python callers call too."""

from __future__ import annotations

import os

import click

from diagnose.cli import batch, gate, history, image, mel, pair, render
from diagnose.cli.shell import run
from diagnose.version import VERSION

# The products here are of 64 frames by 80 bands: threads cost more to wake than they save.  Measured: a
# comparison takes 3 times as long with two BLAS threads.  OpenBLAS reads this when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(VERSION, prog_name="diagnose")
def cli() -> None:
    """Find out what broke in a neural-audio pipeline.

    \b
    diagnose demo                               a synthesised note, broken and compared
    diagnose compare violin.wav generated.wav   a verdict, a table in words, a report
    diagnose render report.json --html F        a comparison's JSON as a page, later and without measuring again
    diagnose mel mel.npy --for bigvgan          which mel convention is this in, and is it the vocoder's?
    diagnose image epoch_5000.png               what does this training picture show?
    diagnose batch pairs.csv --out results      thousands of pairs, and what most often broke
    diagnose check suite.toml                   the gate for CI
    diagnose calibrate suite.toml -- COMMAND    how far do runs of a noisy generator spread?
    diagnose history suite.toml                 when did a figure change, and what creeps?
    diagnose sensitivity suite.toml             which faults would the gate's limits not see?

    Exit codes: 0 passed; 1 a verdict FAIL; 2 wrong usage or unreadable input; 3 not comparable, or nothing
    was compared; 4 a fault of the program itself.
    """


for command in (pair.compare, pair.demo, render.render, mel.mel, mel.contracts, image.image):
    cli.add_command(command)
for command in (gate.record, gate.check, gate.accept, gate.calibrate, gate.sensitivity, history.history):
    cli.add_command(command)
cli.add_command(batch.batch)


def main() -> None:
    """Entry point of the console script."""
    run(cli, "diagnose")
