"""What is timed: a rollout of random states by a random, lively rule, and an iteration of training on it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import torch

from tnca.kernels import ALPHA, Padding, Params, reference

if TYPE_CHECKING:
    from torch import Tensor

PADDING = Padding("zero", "zero")  # the only one that the first code has
CHANNELS, HIDDEN = 16, (128, 64)
LEARNING_RATE = 2e-4
CHECKED_STEPS = 4  # of a lively rule single precision leaves double's path after some dozens


class Task(NamedTuple):
    """batch states of bands x frames cells, grown by so many steps.  wanted: what channel 0 is trained towards.

    exact, slopes: the state and the gradients of the parameters in double precision after CHECKED_STEPS, of the
    loss that loss_of() is.
    """

    params: Params
    state: Tensor
    wanted: Tensor
    steps: int
    exact: Tensor
    slopes: tuple[Tensor, ...]

    @property
    def device(self) -> torch.device:
        return self.state.device

    @property
    def flops_per_step(self) -> int:
        """Of the layers: two a weight and cell; what is beside them is under 5 %."""
        cells = self.state[:, 0].numel()
        return 2 * cells * sum(narrow * wide for narrow, wide in pairwise(self.params.widths))

    @property
    def floor_bytes_per_step(self) -> int:
        """Each state read once and written once; the weights stay."""
        return 2 * self.state.numel() * self.state.element_size()

    def leaves(self) -> Params:
        """The parameters, to train a copy of."""
        weights, biases = ([each.clone().requires_grad_() for each in half] for half in self.params[:2])
        return Params(tuple(weights), tuple(biases), self.params.where)


def loss_of(state: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error of what is shown."""
    return (state[:, 0] - wanted).square().mean()


def random_task(batch: int, bands: int, frames: int, steps: int, device: torch.device, seed: int = 0) -> Task:
    """Each layer's output is about as large as its input, the last one's a tenth, so that 96 steps stay finite."""
    rng = torch.Generator().manual_seed(seed)
    widths = (4 * CHANNELS, *HIDDEN, CHANNELS)
    weights = [torch.randn((1, wide, narrow), generator=rng) / narrow**0.5 for narrow, wide in pairwise(widths)]
    weights[0] = weights[0] / 4  # the stencils' sums are that much larger than the state
    weights[-1] = weights[-1] / 10
    biases = [torch.zeros(1, wide) for wide in widths[1:]]
    biases[-1][:, ALPHA] = 1.0
    shape = (batch, CHANNELS, bands, frames)
    state = 0.1 * torch.randn(shape, generator=rng)
    wanted = torch.randn((batch, bands, frames), generator=rng)
    where = torch.zeros((0, bands, frames))
    params = Params(tuple(w.to(device) for w in weights), tuple(b.to(device) for b in biases), where.to(device))
    exact, slopes = _exact(params, state.to(device), wanted.to(device))
    return Task(params, state.to(device), wanted.to(device), steps, exact, slopes)


def _exact(params: Params, state: Tensor, wanted: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    weights, biases = (tuple(each.double().requires_grad_() for each in half) for half in params[:2])
    double = Params(weights, biases, params.where.double())
    grown = reference.run(double, state.double(), CHECKED_STEPS, PADDING)
    slopes = torch.autograd.grad(loss_of(grown, wanted), [*double.weights, *double.biases])
    return grown.detach(), slopes


def error(found: Tensor, exact: Tensor) -> float:
    """|found - exact| / |exact|; what is not finite is infinitely far."""
    apart = float((found.detach().to(exact) - exact).norm() / exact.norm())
    return apart if apart == apart else float("inf")
