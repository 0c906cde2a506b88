"""Padding: what a cell at the border sees beyond it: zeros, the other side, the mirror image or the border.

1 2 3   zero       0 1 2 3 0
circular   3 1 2 3 1
reflect    2 1 2 3 2
replicate  1 1 2 3 3
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

MODES = ("zero", "circular", "reflect", "replicate")


def pad(state: Tensor, time: str, frequency: str) -> Tensor:
    """One cell more on each side [shape=(B, C, bands, frames) -> (B, C, bands + 2, frames + 2)].

    time, frequency: one of MODES for the last and the last but one axis.
    """
    return _on_axis(_on_axis(state, -2, frequency), -1, time)


def _on_axis(state: Tensor, axis: int, mode: str) -> Tensor:
    size = state.shape[axis]
    if mode == "zero":
        return functional.pad(state, (1, 1) if axis == -1 else (0, 0, 1, 1))
    first, last = {
        "circular": (size - 1, 0),
        "reflect": (min(1, size - 1), max(size - 2, 0)),  # a single cell is its own mirror image
        "replicate": (0, size - 1),
    }[mode]
    return torch.cat([state.narrow(axis, first, 1), state, state.narrow(axis, last, 1)], axis)
