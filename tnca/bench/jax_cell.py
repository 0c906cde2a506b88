"""The same rollout in JAX, where it is installed: a matrix product a layer, channels last, in lax.scan, jitted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # or it takes three quarters of a GPU at once

import jax
import jax.numpy as jnp
import numpy as np
import torch

from tnca.bench.task import CHECKED_STEPS, LEARNING_RATE, error
from tnca.kernels import ALPHA

if TYPE_CHECKING:
    from collections.abc import Callable

    from tnca.bench.task import Task

Layers = Any  # [(weight [shape=(in, out)], bias), ...]


class JaxCell:
    """What a contender needs, of a task.  Zero padding, one rule, no positions."""

    def __init__(self, task: Task) -> None:
        device = jax.devices("gpu" if task.device.type == "cuda" else "cpu")[0]
        halves = zip(task.params.weights, task.params.biases, strict=True)
        layers = [(weight[0].T.cpu().numpy(), bias[0].cpu().numpy()) for weight, bias in halves]
        self.layers = jax.device_put(layers, device)
        self.state = jax.device_put(task.state.permute(0, 2, 3, 1).cpu().numpy(), device)
        self.wanted = jax.device_put(task.wanted.cpu().numpy(), device)
        self.moments = jax.tree.map(jnp.zeros_like, (self.layers, self.layers))
        self.errors = self._errors(task)
        self._forward = jax.jit(lambda layers, state: _grow(layers, state, task.steps))
        self._update = jax.jit(self._updated(task.steps))

    def forward(self) -> object:
        return self._forward(self.layers, self.state).block_until_ready()

    def training(self) -> None:
        """One iteration, with Adam's update; the layers stay as they are, so that every round does the same work."""
        jax.block_until_ready(self._update(self.layers, self.moments))

    def _updated(self, steps: int) -> Callable[[Layers, Any], Any]:
        def update(layers: Layers, moments: Any) -> Any:
            slopes = jax.grad(_loss)(layers, self.state, self.wanted, steps)
            first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], slopes)
            second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], slopes)
            step = jax.tree.map(lambda m, v: m / 0.1 / (jnp.sqrt(v / 0.001) + 1e-8), first, second)
            return jax.tree.map(lambda w, s: w - LEARNING_RATE * s, layers, step), (first, second)

        return update

    def _errors(self, task: Task) -> tuple[float, float]:
        """(of the state, of the worst parameter's gradient) after a few steps, against double precision."""
        grown = np.asarray(_grow(self.layers, self.state, CHECKED_STEPS))
        slopes = jax.grad(_loss)(self.layers, self.state, self.wanted, CHECKED_STEPS)
        weights = [torch.from_numpy(np.array(weight).T[None]) for weight, _ in slopes]
        biases = [torch.from_numpy(np.array(bias)[None]) for _, bias in slopes]
        worst = max(error(a, b.cpu()) for a, b in zip([*weights, *biases], task.slopes, strict=True))
        return error(torch.from_numpy(grown.copy()).permute(0, 3, 1, 2), task.exact.cpu()), worst


def _loss(layers: Layers, state: Any, wanted: Any, steps: int) -> Any:
    return jnp.mean((_grow(layers, state, steps)[..., 0] - wanted) ** 2)


def _grow(layers: Layers, state: Any, steps: int) -> Any:
    return jax.lax.scan(lambda cells, _: (_step(layers, cells), None), state, length=steps)[0]


def _step(layers: Layers, state: Any) -> Any:
    """The next state [shape=(B, bands, frames, C)]; the plain cell's formulas."""
    hidden = _seen(state)
    for weight, bias in layers[:-1]:
        hidden = jax.nn.relu(jnp.matmul(hidden, weight, precision="highest") + bias)
    weight, bias = layers[-1]
    grown = state + jnp.matmul(hidden, weight, precision="highest") + bias
    grown = grown.at[..., ALPHA].set(jnp.clip(grown[..., ALPHA], 0.0, 1.0))
    alpha = grown[..., ALPHA : ALPHA + 1]
    return grown * jax.lax.reduce_window(alpha, -jnp.inf, jax.lax.max, (1, 3, 3, 1), (1, 1, 1, 1), "SAME")


def _seen(state: Any) -> Any:
    padded = jnp.pad(state, ((0, 0), (1, 1), (1, 1), (0, 0)))
    high, wide = state.shape[1:3]
    above, same, below = (padded[:, row : row + high] for row in range(3))
    side, slope = above + 2 * same + below, below - above
    left, middle, right = (side[:, :, column : column + wide] for column in range(3))
    tilt = slope[:, :, :wide] + 2 * slope[:, :, 1 : wide + 1] + slope[:, :, 2:]
    return jnp.concatenate([state, right - left, tilt, left + 2 * middle + right - 16 * state], axis=-1)
