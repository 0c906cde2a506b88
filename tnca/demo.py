"""The trained automaton that comes with the package: it grows the string note of diagnose.example."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import torch

from diagnose import example
from tnca.generation import Generated, generate
from tnca.training.run import Run, restored

if TYPE_CHECKING:
    from diagnose.audio import Audio
    from tnca.target import Target

CHECKPOINT = "string.pt"
F0_HZ = 392.0
SECONDS = 1.0


def string() -> Audio:
    """The note that the shipped automaton has learnt."""
    return example.bowed_string(f0_hz=F0_HZ, seconds=SECONDS)


def grown_string() -> tuple[Generated, Target]:
    """The note as the shipped automaton grows it, judged; and what it should have been."""
    run = shipped()
    return generate(run), run.target


def shipped() -> Run:
    """The run of `tnca train`, with preset `best`, on string(); only what generating takes of its checkpoint."""
    with resources.as_file(resources.files("tnca") / "shipped" / CHECKPOINT) as path:
        return restored(str(path), string(), torch.device("cpu"))
