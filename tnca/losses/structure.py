"""Losses on where things are in time: the edges of the grid, and the change from frame to frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from tnca.config import Boundary as BoundaryTerm
    from tnca.target import Target


class Boundary:
    """mean |grown - target| over the first and the last `width` frames."""

    def __init__(self, term: BoundaryTerm, target: Target) -> None:
        self.width = min(term.width, target.values.shape[1])
        self.values = torch.from_numpy(target.values)

    def to(self, device: torch.device) -> Boundary:
        self.values = self.values.to(device)
        return self

    def __call__(self, grown: Tensor) -> Tensor:
        error = (grown - self.values).abs()
        return (error[..., : self.width].mean() + error[..., -self.width :].mean()) / 2


class Temporal:
    """mean |(grown[t+1] - grown[t]) - (target[t+1] - target[t])|."""

    def __init__(self, target: Target) -> None:
        self.change = torch.from_numpy(target.values).diff(dim=-1)

    def to(self, device: torch.device) -> Temporal:
        self.change = self.change.to(device)
        return self

    def __call__(self, grown: Tensor) -> Tensor:
        if grown.shape[-1] < 2:
            return grown.sum() * 0.0
        return (grown.diff(dim=-1) - self.change).abs().mean()
