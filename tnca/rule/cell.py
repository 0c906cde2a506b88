"""The rule of the automaton: its weights, its seed, and what is read off it.  Its step: tnca/kernels/reference.py.

After Mordvintsev et al., Growing Neural Cellular Automata, Distill 2020; as the first notebook wrote it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from tnca import kernels
from tnca.kernels import ALPHA, VALUE, Choice, Padding, Params
from tnca.kernels.perceive import SEEN, positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tnca.config import Cell

MOST_CHANCES = 1 << 26  # of cells that fire, held at a time: steps x cells


class CellRule(nn.Module):
    """One rule for all cells of a grid of bands x frames (and a margin of cells around it).

    rng: draws the first weights; torch's defaults for 1 x 1 convolutions, the last layer zero but for alpha's bias.
    choice: the kernel that its rollouts take, see tnca.kernels.
    """

    where: Tensor
    choice = Choice()

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
        self.register_buffer("where", where, persistent=False)

    def seed(self, batch: int = 1) -> Tensor:
        """Nothing but one living cell in the middle [shape=(batch, channels, bands + 2 margin, frames + 2 margin)]."""
        high, wide = self.bands + 2 * self.cell.margin, self.frames + 2 * self.cell.margin
        state = self.biases[-1].detach().new_zeros((batch, self.cell.channels, high, wide))
        state[:, ALPHA, high // 2, wide // 2] = 1.0
        return state

    def step(self, state: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """The next state.  rng: which cells fire, where the fire rate is under 1."""
        return self.run(state, 1, rng)

    def run(self, state: Tensor, steps: int, rng: torch.Generator | None = None) -> Tensor:
        """The state after so many steps."""
        return run_together([self], [state], steps, [rng])[0]

    @property
    def params(self) -> Params:
        """The layers, as a kernel takes them."""
        weights = tuple(weight[None, :, :, 0, 0] for weight in self.weights)
        return Params(weights, tuple(bias[None] for bias in self.biases), self.where)

    def fires(self, state: Tensor, steps: int, rng: torch.Generator | None) -> Tensor:
        """Which cells update in each of the steps [shape=(steps, B, bands, frames)]."""
        shape, rate = state[:, 0].shape, self.cell.fire_rate
        drawn = (torch.rand(shape, generator=rng, device=state.device, dtype=state.dtype) for _ in range(steps))
        return torch.stack([chance < rate for chance in drawn])

    def read(self, state: Tensor) -> Tensor:
        """What the grid shows [shape=(B, bands, frames)], in the unit of the target; the margin is cropped."""
        cell, margin = self.cell, self.cell.margin
        value = state[:, VALUE, margin : margin + self.bands, margin : margin + self.frames]
        shown = torch.tanh(value) if cell.output == "tanh" else value
        return shown * cell.spread + cell.centre


def run_together(
    rules: Sequence[CellRule], states: Sequence[Tensor], steps: int, rngs: Sequence[torch.Generator | None]
) -> list[Tensor]:
    """The states of several rules after so many steps, in one rollout: each is what its rule alone makes of it.

    The rules are of one size and of settings that are alike, each has as many states as another.
    """
    cell, choice = rules[0].cell, rules[0].choice
    layers = [rule.params for rule in rules]
    params = layers[0] if len(rules) == 1 else _joined(layers)
    state = torch.cat(list(states)) if len(states) > 1 else states[0]
    padding = Padding(cell.padding_time, cell.padding_frequency)
    most = max(1, steps if cell.fire_rate == 1 else MOST_CHANCES // state[:, 0].numel())
    for first in range(0, steps, most):
        count, fires = min(most, steps - first), None
        if cell.fire_rate < 1:
            drawn = [rule.fires(each, count, rng) for rule, each, rng in zip(rules, states, rngs, strict=True)]
            fires = torch.cat(drawn, dim=1)
        state = kernels.run(params, state, count, padding, near_life=cell.near_life, fires=fires, choice=choice)
    return list(torch.split(state, len(states[0])))


def _joined(layers: list[Params]) -> Params:
    """Those of several rules as one."""
    weights = tuple(torch.cat(same) for same in zip(*(each.weights for each in layers), strict=True))
    biases = tuple(torch.cat(same) for same in zip(*(each.biases for each in layers), strict=True))
    return Params(weights, biases, layers[0].where)
