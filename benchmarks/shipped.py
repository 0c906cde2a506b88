"""Trains the automaton that comes with the package, and writes what generating needs of it (some 20 minutes).

python benchmarks/shipped.py [RUN]      # RUN: a folder of a run that was begun, gone on with, or finished
"""

from __future__ import annotations

import os
import sys

import torch

from tnca.config import preset
from tnca.demo import CHECKPOINT, string
from tnca.training import checkpoint
from tnca.training.loop import start, train
from tnca.training.run import Run, resumed

OUT = os.path.join(os.path.dirname(__file__), "..", "tnca", "shipped", CHECKPOINT)
KEPT = ("config", "epoch", "bands", "frames", "target", "best")


def slim(run: Run) -> dict[str, object]:
    """A checkpoint without what only training needs."""
    state = run.state()
    return {**{key: state[key] for key in KEPT}, "rule": {}}


def main() -> None:
    """Train to the end, and write tnca/shipped/string.pt."""
    folder = sys.argv[1] if len(sys.argv) > 1 else "runs/string"
    device = torch.device("cpu")
    begun = os.path.isfile(os.path.join(folder, "checkpoint.pt"))
    run = resumed(folder, string(), device) if begun else start(string(), preset("best"), folder, device)
    os.makedirs(os.path.dirname(OUT), exist_ok=True)
    checkpoint.save(OUT, slim(train(run)))
    print(f"{OUT}: {os.path.getsize(OUT):,} bytes, mel error {run.best['figure']:.3f} dB at epoch {run.best['epoch']}")


if __name__ == "__main__":
    main()
