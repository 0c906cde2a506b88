"""One iteration of training: grow, compare, follow the gradient.  On CUDA it is captured in a graph and replayed.

Nothing here waits for the device: what was drawn comes in, numbers on the device go out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from tnca.losses import Losses
from tnca.rule.cell import run_together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from tnca.training.run import Run

TINY = 1e-8
WARM = 3  # iterations before one is captured: libraries set themselves up in the first ones


class Learner:
    """A run, and what its loss needs on its device."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.losses = Losses(run.config.loss, run.target, run.device)
        self.values = torch.from_numpy(run.target.values).to(run.device)


class Grown(NamedTuple):
    """Of one learner.  state: the last [shape=(B, C, bands, frames)].  error: of each state, squared [shape=(B,)]."""

    state: Tensor
    error: Tensor
    loss: Tensor
    parts: dict[str, Tensor]


def iterate(learners: Sequence[Learner], states: Sequence[Tensor], steps: int) -> list[Grown]:
    """Every learner's rule after one more update; all grow in one rollout."""
    runs = [each.run for each in learners]
    last = run_together([run.rule for run in runs], states, steps, [run.chance for run in runs])
    found = []
    for learner, state in zip(learners, last, strict=True):
        shown = learner.run.rule.read(state)
        loss, parts = learner.losses(shown)
        error = (shown.detach() - learner.values).square().mean(dim=(1, 2))
        found.append(Grown(state.detach(), error, loss, parts))
    for run in runs:
        run.optimiser.zero_grad()
    torch.stack([each.loss for each in found]).sum().backward()  # type: ignore[no-untyped-call]
    for run in runs:
        if run.config.optimiser.normalise_gradients:
            normalise(run.rule)
        run.optimiser.step()
    return [each._replace(loss=each.loss.detach()) for each in found]


def normalise(rule: torch.nn.Module) -> None:
    """Each tensor's gradient over its own norm: what a long rollout does to its size is undone."""
    for parameter in rule.parameters():
        if parameter.grad is not None:
            parameter.grad /= torch.linalg.vector_norm(parameter.grad) + TINY


class Captured:
    """iterate() as a CUDA graph, for one number of steps and the same learners every time.

    The first iterations are not captured; they count like any other.
    """

    def __init__(self, learners: Sequence[Learner], steps: int) -> None:
        self.learners, self.steps = learners, steps
        self.aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self.warm = 0
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, states: Sequence[Tensor]) -> list[Grown]:
        if self.warm < WARM:
            self.warm += 1
            self.aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.aside):
                found = iterate(self.learners, states, self.steps)
            torch.cuda.current_stream().wait_stream(self.aside)
            return found
        if self.graph is None:
            self.inputs = [state.clone() for state in states]
            for learner in self.learners:
                learner.run.optimiser.zero_grad()
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.outputs = iterate(self.learners, self.inputs, self.steps)
        for kept, state in zip(self.inputs, states, strict=True):
            kept.copy_(state)
        self.graph.replay()
        return self.outputs


def can_be_captured(run: Run) -> bool:
    """On CUDA, where every iteration is the same: one number of steps, every cell fires, and no upload on the way."""
    cell, growth = run.config.cell, run.config.growth
    fixed = growth.steps[0] == growth.steps[1] and cell.fire_rate == 1
    return run.device.type == "cuda" and fixed and run.choice.kernel in ("reference", "triton")
