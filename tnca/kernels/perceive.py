"""Perception of a cell: its own state, the gradients in both directions, the Laplacian, its position.

Sobel's operators and the nine-point Laplacian, unnormalised; x is time (frames), y is frequency (bands).
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from tnca.kernels.padding import pad

FILTERS = (
    ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),  # Sobel x
    ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),  # Sobel y
    ((1, 2, 1), (2, -12, 2), (1, 2, 1)),  # Laplacian
)
SEEN = 1 + len(FILTERS)


def perceive(state: Tensor, time: str, frequency: str) -> Tensor:
    """[state, Sobel x, Sobel y, Laplacian] [shape=(B, C, bands, frames) -> (B, 4 C, bands, frames)].

    time, frequency: padding of the two axes, see tnca.kernels.padding.
    """
    channels = state.shape[1]
    padded = pad(state, time, frequency)
    kernels = _kernels(channels, state.dtype, state.device)
    return torch.cat([state, *(functional.conv2d(padded, kernel, groups=channels) for kernel in kernels)], dim=1)


@lru_cache(maxsize=8)
def _kernels(channels: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, ...]:
    """Each filter, once for every channel [shape=(C, 1, 3, 3)]; made once, for an upload a step costs more."""
    with torch.inference_mode(False):  # what is made in that mode and kept could not be used for training later
        filters = (torch.tensor(each, dtype=dtype, device=device) for each in FILTERS)
        return tuple(each.expand(channels, 1, 3, 3).contiguous() for each in filters)


def positions(count: int, bands: int, frames: int, margin: int = 0) -> Tensor:
    """Where each cell is [shape=(count, bands + 2 margin, frames + 2 margin)]: x, y, sin pi x, sin pi y, sin 2 pi x...

    x and y run from -1 to 1 over the grid, and beyond over its margin.  count: even; 0 gives no channel.
    """
    x = _axis(frames, margin).expand(bands + 2 * margin, -1)
    y = _axis(bands, margin)[:, None].expand(-1, frames + 2 * margin)
    channels = [x, y]
    for octave in range(count // 2 - 1):
        channels += [torch.sin(math.pi * 2**octave * x), torch.sin(math.pi * 2**octave * y)]
    return torch.stack(channels[:count]) if count else x.new_zeros((0, *x.shape))


def _axis(cells: int, margin: int) -> Tensor:
    step = 2 / max(cells - 1, 1)
    return -1 + step * torch.arange(-margin, cells + margin, dtype=torch.float32)
