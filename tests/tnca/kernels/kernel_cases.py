"""Rules and states of every kind, and the plain cell in double precision to hold a kernel against."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch

from tnca.kernels import ALPHA, Padding, Params, reference, run
from tnca.kernels.perceive import positions


class Case(NamedTuple):
    """A rollout; size: bands x frames, states: for each rule, fire: share of the cells that update."""

    size: tuple[int, int]
    padding: Padding = Padding()
    channels: int = 16
    hidden: tuple[int, ...] = (128, 64)
    places: int = 0
    near_life: bool = False
    fire: float = 1.0
    rules: int = 1
    states: int = 1
    steps: int = 4

    def __str__(self):
        size, hidden = "x".join(map(str, self.size)), "-".join(map(str, self.hidden))
        said = [size, self.padding.time, self.padding.frequency, f"{self.channels}:{hidden}"]
        said += [f"{self.rules * self.states}of{self.rules}"] if self.rules * self.states > 1 else []
        return "-".join(said + ["life"] * self.near_life + ["fires"] * (self.fire < 1))


# Every padding on either axis, odd sizes, odd widths, one to three hidden layers.
CASES = [
    Case((1, 1), Padding("circular", "reflect"), places=4),
    Case((1, 1), hidden=(8,), channels=2),
    Case((2, 2), Padding("reflect", "circular"), channels=3, hidden=(8,), places=2, rules=3),
    Case((1, 5), Padding("reflect", "replicate"), channels=17, hidden=(130, 3), places=2, states=2, fire=0.5),
    Case((5, 1), Padding("replicate", "zero"), channels=2, hidden=(1,), near_life=True, states=2),
    Case((7, 9), states=2),
    Case((11, 65), Padding("replicate", "zero"), channels=5, hidden=(20, 30, 7), rules=2, states=2, fire=0.7),
    Case((3, 200), Padding("reflect", "replicate"), hidden=(32,), places=6, near_life=True),
    Case((81, 89), Padding("circular", "circular"), places=4, fire=0.5),
    Case((81, 89), Padding("zero", "circular")),
]


class Rollout(NamedTuple):
    """A case as tensors, and what the plain cell makes of it in double precision."""

    case: Case
    params: Params
    state: torch.Tensor
    fires: torch.Tensor | None
    slope: torch.Tensor
    grown: torch.Tensor
    gradients: list[torch.Tensor]

    @property
    def settings(self):
        return {"near_life": self.case.near_life, "fires": self.fires}

    def errors(self, run):
        """(of the state, of the worst parameter's gradient): |found - wanted| / |wanted| of what run(params) gives."""
        params = copied(self.params, torch.float32)
        grown = run(params)
        found = torch.autograd.grad((grown * self.slope).sum(), [*params.weights, *params.biases])
        return error(grown.detach(), self.grown), max(map(error, found, self.gradients))


def error(found, wanted):
    assert found.shape == wanted.shape
    return float((found.detach().double() - wanted.detach()).norm() / wanted.detach().norm())


def copied(params, dtype):
    layers = [[each.to(dtype).detach().requires_grad_() for each in half] for half in (params.weights, params.biases)]
    return Params(*map(tuple, layers), params.where.to(dtype))


def random_params(case, seed=0):
    """A lively rule: every layer's output is about as large as its input, the last one's a third of it."""
    rng = torch.Generator().manual_seed(seed)
    widths = (4 * case.channels + case.places, *case.hidden, case.channels)
    draw = lambda *shape: torch.randn(shape, generator=rng)  # noqa: E731
    weights = [draw(case.rules, wide, narrow) / narrow**0.5 for narrow, wide in pairwise(widths)]
    weights[-1] = weights[-1] * 0.3
    biases = [0.1 * draw(case.rules, wide) for wide in widths[1:]]
    biases[-1][:, ALPHA] += 0.2  # or a small grid dies out
    return Params(tuple(weights), tuple(biases), positions(case.places, *case.size))


def rollout_of(case, seed=0):
    rng = torch.Generator().manual_seed(seed + 1)
    shape = (case.rules * case.states, case.channels, *case.size)
    params = random_params(case, seed)
    state, slope = 0.5 * torch.randn(shape, generator=rng), torch.randn(shape, generator=rng)
    fires = None
    if case.fire < 1:
        fires = torch.rand((case.steps, shape[0], *case.size), generator=rng) < case.fire
    exact = copied(params, torch.float64)
    settings = {"near_life": case.near_life, "fires": fires}
    grown = reference.run(exact, state.double(), case.steps, case.padding, **settings)
    assert grown.std() > 0.01  # something lives
    gradients = torch.autograd.grad((grown * slope).sum(), [*exact.weights, *exact.biases])
    return Rollout(case, params, state, fires, slope, grown.detach(), list(gradients))


def trained_by(choice, updates):
    """The loss that so many updates of Adam reach on a small picture."""
    case = Case((8, 9), channels=6, hidden=(24, 16), places=4, steps=4)
    wanted = torch.randn(case.size, generator=torch.Generator().manual_seed(3))
    params = copied(random_params(case), torch.float32)
    layers = [*params.weights, *params.biases]
    optimiser = torch.optim.Adam(layers, lr=3e-3)
    state = torch.ones(1, case.channels, *case.size)
    for _ in range(updates):
        loss = (run(params, state, case.steps, case.padding, choice=choice)[0, 0] - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return float(loss.detach())
