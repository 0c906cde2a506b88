"""The cell as it was first written, operation by operation: what every ratio is of.

Told again and not copied, for the first code has no licence.  What it costs is in it: two stencils are uploaded and
three are repeated in every step, each is a convolution of its own, alpha is cut out and put back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from tnca.kernels import Params


class FirstCell(nn.Module):
    """The rule of params, which must be one rule without positions."""

    def __init__(self, params: Params) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for weight, bias in zip(params.weights, params.biases, strict=True):
            layer = nn.Conv2d(weight.shape[2], weight.shape[1], 1)
            layer.weight = nn.Parameter(weight[0, :, :, None, None].detach().clone())
            layer.bias = nn.Parameter(bias[0].detach().clone())
            parts += [layer, nn.ReLU()]
        self.update = nn.Sequential(*parts[:-1])

    def see(self, grid: Tensor) -> Tensor:
        across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], device=grid.device)[None, None]
        around = torch.tensor([[1.0, 2, 1], [2, -12, 2], [1, 2, 1]], device=grid.device)[None, None]
        seen, channels = [grid], grid.shape[1]
        for stencil in (across, across.transpose(-2, -1).contiguous(), around):
            repeated = stencil.repeat(channels, 1, 1, 1)
            seen.append(functional.conv2d(grid, repeated, padding=1, groups=channels))
        return torch.cat(seen, dim=1)

    def forward(self, grid: Tensor) -> Tensor:
        grid = grid + self.update(self.see(grid))
        alpha = torch.clamp(grid[:, 1:2], 0.0, 1.0)
        grid = torch.cat([grid[:, :1], alpha, grid[:, 2:]], dim=1)
        return grid * functional.max_pool2d(grid[:, 1:2], kernel_size=3, stride=1, padding=1)
