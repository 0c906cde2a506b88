"""Losses on the grid, cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from tnca.config import L1, L2
    from tnca.target import Target


class PerBin:
    """mean of |grown - target|**power, each band's error weighted before the mean; masked cells are 0 on both sides.

    An error of a masked cell is 0 and the mean is over all cells, as the first notebook has it.
    """

    def __init__(self, term: L1 | L2, target: Target, power: int) -> None:
        self.power = power
        self.values = torch.from_numpy(target.values)
        self.mask = mask(target, term.mask_db)
        self.bands = frequency_weights(term.frequency, term.frequency_top, self.values.shape[0])

    def to(self, device: torch.device) -> PerBin:
        self.values, self.mask, self.bands = (each.to(device) for each in (self.values, self.mask, self.bands))
        return self

    def __call__(self, grown: Tensor) -> Tensor:
        """Of grown [shape=(B, bands, frames)], a number."""
        error = (grown - self.values) * self.mask
        return ((error.abs() if self.power == 1 else error.square()) * self.bands).mean()


def mask(target: Target, mask_db: float | None) -> Tensor:
    """1 where the target is over mask_db under its loudest cell, 0 elsewhere [shape=(bands, frames)]."""
    if mask_db is None:
        return torch.ones(target.values.shape)
    return torch.from_numpy(target.levels_db > mask_db).float()


def frequency_weights(kind: str | None, top: float, bands: int) -> Tensor:
    """1 in the lowest band to `top` in the highest [shape=(bands, 1)], along a line or an exponential."""
    rising = torch.linspace(0.0, 1.0, bands)[:, None]
    if kind is None:
        return torch.ones(bands, 1)
    return 1 + (top - 1) * rising if kind == "linear" else top**rising
