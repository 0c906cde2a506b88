"""A pool of states that are grown further, so that a pattern learns to persist.

After Mordvintsev et al., Growing Neural Cellular Automata, 2020: in each batch the worst state starts from the seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


class Pool:
    """size states, all seeds at first, and the error each had last.  A pool of size 0 gives the seed each time."""

    def __init__(self, seed: Tensor, size: int) -> None:
        self.seed = seed
        self.states = seed.expand(size, -1, -1, -1).clone()
        self.errors = seed.new_zeros(size)

    def draw(self, batch: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """(their places in the pool, the states [shape=(batch, C, bands, frames)]); rng is of the CPU."""
        if not len(self.states):
            return torch.zeros(0, dtype=torch.long), self.seed.expand(batch, -1, -1, -1).clone()
        which = torch.randperm(len(self.states), generator=rng)[:batch].to(self.states.device)
        drawn = self.states[which].clone()
        drawn[self.errors[which].argmax()] = self.seed[0]
        return which, drawn

    def put(self, which: Tensor, states: Tensor, errors: Tensor) -> None:
        """Back to their places, with the error of each [shape=(batch,)]."""
        if len(which):
            self.states[which], self.errors[which] = states.detach(), errors.detach()
