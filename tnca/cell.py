"""The rule of the automaton: perceive, update, live.

    seen  = [state, Sobel x, Sobel y, Laplacian, positions]
    state = state + W3 relu(W2 relu(W1 seen))            where a cell fires, and life is near if that is asked
    alpha = clamp(state[1], 0, 1)
    state = state * (3 x 3 maximum of alpha)

After Mordvintsev et al., Growing Neural Cellular Automata, Distill 2020; as the first notebook wrote it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from tnca.padding import pad
from tnca.perceive import SEEN, perceive, positions

if TYPE_CHECKING:
    from tnca.config import Cell

VALUE, ALPHA = 0, 1


class CellRule(nn.Module):
    """One rule for all cells of a grid of bands x frames (and a margin of cells around it).

    rng: draws the first weights; torch's defaults for 1 x 1 convolutions, the last layer zero but for alpha's bias.
    """

    where: Tensor

    def __init__(self, cell: Cell, bands: int, frames: int, rng: torch.Generator) -> None:
        super().__init__()
        self.cell, self.bands, self.frames = cell, bands, frames
        widths = (SEEN * cell.channels + cell.positions, *cell.hidden, cell.channels)
        self.weights = nn.ParameterList(torch.empty(wide, narrow, 1, 1) for narrow, wide in pairwise(widths))
        self.biases = nn.ParameterList(torch.empty(wide) for wide in widths[1:])
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=rng)
            nn.init.uniform_(bias, -1 / math.sqrt(weight.shape[1]), 1 / math.sqrt(weight.shape[1]), generator=rng)
        nn.init.zeros_(self.weights[-1])
        nn.init.zeros_(self.biases[-1])
        with torch.no_grad():
            self.biases[-1][ALPHA] = cell.alpha_bias
        where = positions(cell.positions, bands, frames, cell.margin)
        self.register_buffer("where", where[None], persistent=False)

    def seed(self, batch: int = 1) -> Tensor:
        """Nothing but one living cell in the middle [shape=(batch, channels, bands + 2 margin, frames + 2 margin)]."""
        high, wide = self.bands + 2 * self.cell.margin, self.frames + 2 * self.cell.margin
        state = self.biases[-1].detach().new_zeros((batch, self.cell.channels, high, wide))
        state[:, ALPHA, high // 2, wide // 2] = 1.0
        return state

    def step(self, state: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """The next state.  rng: which cells fire, where the fire rate is under 1."""
        cell = self.cell
        update = self.update(perceive(state, cell.padding_time, cell.padding_frequency))
        if cell.near_life:
            update = update * (self._around(state[:, ALPHA : ALPHA + 1]) > 0)
        if cell.fire_rate < 1:
            chance = torch.rand(state[:, :1].shape, generator=rng, device=state.device, dtype=state.dtype)
            update = update * (chance < cell.fire_rate)
        state = state + update
        alpha = state[:, ALPHA : ALPHA + 1].clamp(0.0, 1.0)
        state = torch.cat([state[:, :ALPHA], alpha, state[:, ALPHA + 1 :]], dim=1)
        return state * self._around(alpha)

    def _around(self, alpha: Tensor) -> Tensor:
        """The 3 x 3 maximum of alpha."""
        return functional.max_pool2d(pad(alpha, self.cell.padding_time, self.cell.padding_frequency), 3, stride=1)

    def update(self, seen: Tensor) -> Tensor:
        """The layers on what is seen [shape=(B, 4 C, ...)] and where it is."""
        if self.cell.positions:
            seen = torch.cat([seen, self.where.expand(seen.shape[0], -1, -1, -1)], dim=1)
        *inner, last = zip(self.weights, self.biases, strict=True)
        for weight, bias in inner:
            seen = functional.relu(functional.conv2d(seen, weight, bias))
        return functional.conv2d(seen, *last)

    def run(self, state: Tensor, steps: int, rng: torch.Generator | None = None) -> Tensor:
        """The state after so many steps."""
        for _ in range(steps):
            state = self.step(state, rng)
        return state

    def read(self, state: Tensor) -> Tensor:
        """What the grid shows [shape=(B, bands, frames)], in the unit of the target; the margin is cropped."""
        cell, margin = self.cell, self.cell.margin
        value = state[:, VALUE, margin : margin + self.bands, margin : margin + self.frames]
        shown = torch.tanh(value) if cell.output == "tanh" else value
        return shown * cell.spread + cell.centre
