"""The plain step, as it is written down: one operation of torch after the other.  Every kernel is held against it.

seen  = [state, Sobel x, Sobel y, Laplacian, positions]
state = state + W3 relu(W2 relu(W1 seen))            where a cell fires, and life is near if that is asked
alpha = clamp(state[1], 0, 1)
state = state * (3 x 3 maximum of alpha)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from tnca.kernels.padding import pad
from tnca.kernels.params import ALPHA
from tnca.kernels.perceive import perceive

if TYPE_CHECKING:
    from torch import Tensor

    from tnca.kernels.params import Padding, Params


def run(
    params: Params, state: Tensor, steps: int, padding: Padding, *, near_life: bool = False, fires: Tensor | None = None
) -> Tensor:
    """The state after so many steps [shape=(B, C, bands, frames)], in the precision of the state.

    fires: which cells update in each step [shape=(steps, B, bands, frames)], bool; None for all.
    """
    each = state.shape[0] // params.rules
    grown = []
    for rule in range(params.rules):
        mine = slice(rule * each, (rule + 1) * each)
        one, cells = params.of(rule), state[mine]
        for number in range(steps):
            cells = step(one, cells, padding, near_life=near_life, fires=None if fires is None else fires[number, mine])
        grown.append(cells)
    return grown[0] if len(grown) == 1 else torch.cat(grown)


def step(
    params: Params, state: Tensor, padding: Padding, *, near_life: bool = False, fires: Tensor | None = None
) -> Tensor:
    """The next state of one rule.  fires: which cells update [shape=(B, bands, frames)]."""
    update = layers(params, perceive(state, padding.time, padding.frequency))
    if near_life:
        update = update * (_around(state[:, ALPHA : ALPHA + 1], padding) > 0)
    if fires is not None:
        update = update * fires[:, None]
    state = state + update
    alpha = state[:, ALPHA : ALPHA + 1].clamp(0.0, 1.0)
    state = torch.cat([state[:, :ALPHA], alpha, state[:, ALPHA + 1 :]], dim=1)
    return state * _around(alpha, padding)


def layers(params: Params, seen: Tensor) -> Tensor:
    """The layers of one rule on what is seen [shape=(B, 4 C, ...)] and where it is."""
    if params.where.shape[0]:
        seen = torch.cat([seen, params.where.expand(seen.shape[0], -1, -1, -1)], dim=1)
    *inner, last = (
        (weight[0, :, :, None, None], bias[0]) for weight, bias in zip(params.weights, params.biases, strict=True)
    )
    for weight, bias in inner:
        seen = functional.relu(functional.conv2d(seen, weight, bias))
    return functional.conv2d(seen, *last)


def _around(alpha: Tensor, padding: Padding) -> Tensor:
    """The 3 x 3 maximum of alpha."""
    return functional.max_pool2d(pad(alpha, padding.time, padding.frequency), 3, stride=1)
