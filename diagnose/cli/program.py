"""The command line: parse, call, render, exit.  Every command only calls what Python callers call too."""

from __future__ import annotations

import os

import click

from diagnose.cli import batch, gate, history, image, mel, pair, render, rule
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
    diagnose demo                               try it: compare a synthesised note with a broken copy
    diagnose compare violin.wav generated.wav   compare two sounds: verdict, metrics, likely causes
    diagnose render report.json --html F        show a saved report again
    diagnose rule dc-offset                     explain a cause: what it is, how to fix it
    diagnose mel mel.npy --for bigvgan          find the convention of a mel, and check it for a vocoder
    diagnose image epoch_5000.png               read the spectrogram in a training picture
    diagnose batch pairs.csv --out results      compare thousands of pairs
    diagnose check suite.toml                   compare a suite with its goldens: the gate for CI
    diagnose calibrate suite.toml -- COMMAND    set tolerances from the spread of a random generator
    diagnose history suite.toml                 show when a metric changed or drifted
    diagnose sensitivity suite.toml             show which faults the limits of a suite do not detect

    Exit codes: 0 passed; 1 a verdict is FAIL; 2 wrong usage or unreadable input; 3 not comparable, or nothing
    was compared; 4 an internal error; 130 interrupted.
    """


for command in (pair.compare, pair.demo, render.render, rule.rule, mel.mel, mel.contracts, image.image):
    cli.add_command(command)
for command in (gate.record, gate.check, gate.accept, gate.calibrate, gate.sensitivity, history.history):
    cli.add_command(command)
cli.add_command(batch.batch)


def main() -> None:
    """Entry point of the console script."""
    run(cli, "diagnose")
