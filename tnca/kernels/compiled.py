"""The step through torch.compile: channels last, so that a layer is one matrix product; one graph a step.

Each combination of settings and shapes is a function of its own.  Closures of one function would share dynamo's
limit on recompilations, and beyond it run uncompiled with no more than a warning.
"""

from __future__ import annotations

import types
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from tnca.kernels.missing import KernelMissing
from tnca.kernels.padding import pad
from tnca.kernels.params import ALPHA

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from tnca.kernels.params import Padding, Params


def run(
    params: Params,
    state: Tensor,
    steps: int,
    padding: Padding,
    *,
    near_life: bool = False,
    fires: Tensor | None = None,
    precision: str = "fp32",
) -> Tensor:
    """tnca.kernels.reference.run().  precision: of the products; the state stays as it is."""
    step = _compiled(
        tuple(padding), near_life, precision, (*state.shape, *params.widths, params.rules), state.device.type
    )
    layers = (*params.weights, *params.biases)
    where = params.where.permute(1, 2, 0)
    try:
        for number in range(steps):
            state = step(
                state, None if fires is None else fires[number], where, *layers, *padding, near_life, precision
            )
    except torch._dynamo.exc.TorchDynamoException as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise KernelMissing(f"torch.compile does not work here ({why}); use another kernel") from None
    return state


@lru_cache(maxsize=64)
def _compiled(*key: Any) -> Callable[..., Tensor]:
    """_step, in a code object of its own."""
    copy = types.FunctionType(_step.__code__.replace(), _step.__globals__, f"step_{abs(hash(key))}")
    return torch.compile(copy, fullgraph=True, dynamic=False)


def _step(state: Tensor, fires: Tensor | None, where: Tensor, *settings: Any) -> Tensor:
    """The next state [shape=(B, C, bands, frames)]."""
    *layers, time, frequency, near_life, precision = settings
    weights, biases = layers[: len(layers) // 2], layers[len(layers) // 2 :]
    padded = pad(state, time, frequency)
    seen = _seen(padded.permute(0, 2, 3, 1))
    if where.shape[-1]:
        seen = torch.cat([seen, where.expand(*seen.shape[:3], -1)], dim=-1)
    rules, batch = len(weights[0]), len(state)
    hidden = seen.reshape(rules, -1, seen.shape[-1])
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if number:
            hidden = torch.relu(hidden)
        if precision == "bf16":
            hidden = torch.bmm(hidden.bfloat16(), weight.bfloat16().transpose(1, 2)).to(state.dtype) + bias[:, None]
        else:
            hidden = torch.baddbmm(bias[:, None], hidden, weight.transpose(1, 2))
    update = hidden.reshape(batch, *seen.shape[1:3], -1).permute(0, 3, 1, 2)
    if near_life:
        update = update * (_highest(padded[:, ALPHA : ALPHA + 1]) > 0)
    if fires is not None:
        update = update * fires[:, None]
    grown = state + update
    alpha = grown[:, ALPHA : ALPHA + 1].clamp(0.0, 1.0)
    grown = torch.cat([grown[:, :ALPHA], alpha, grown[:, ALPHA + 1 :]], dim=1)
    return grown * _highest(pad(alpha, time, frequency))


def _seen(padded: Tensor) -> Tensor:
    """[itself, Sobel x, Sobel y, Laplacian] of a padded grid, channels last; the Laplacian is a blur less 16 times."""
    high, wide = padded.shape[1] - 2, padded.shape[2] - 2
    above, same, below = (padded[:, row : row + high] for row in range(3))
    side, slope = above + 2 * same + below, below - above
    left, middle, right = (side[:, :, column : column + wide] for column in range(3))
    tilt = slope[:, :, :wide] + 2 * slope[:, :, 1 : wide + 1] + slope[:, :, 2:]
    own = padded[:, 1:-1, 1:-1]
    return torch.cat([own, right - left, tilt, left + 2 * middle + right - 16 * own], dim=-1)


def _highest(padded: Tensor) -> Tensor:
    """The 3 x 3 maximum of a padded plane; its gradient goes to the first of equals, as in the plain cell."""
    return torch.nn.functional.max_pool2d(padded, 3, stride=1)
