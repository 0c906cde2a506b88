"""A user's program that grows a note, as `mypy --strict` sees it."""

from __future__ import annotations

import sys
from typing import assert_type

import torch

import diagnose
import tnca


def level(batch: torch.Tensor, rate: int) -> float | None:
    return diagnose.measure(batch[0], rate=rate, metrics=["rms_dbfs"])["rms_dbfs"].value


def grown(path: str, preset: str) -> diagnose.Audio:
    settings = tnca.config.preset(preset)
    assert_type(settings, tnca.Config)
    run = tnca.train(path, settings, device="cpu")
    assert_type(run, tnca.Run)
    return tnca.generate(run)


if __name__ == "__main__":
    print(diagnose.compare(sys.argv[1], grown(*sys.argv[1:])).verdict, level(torch.full((1, 8000), 0.5), 8000))
