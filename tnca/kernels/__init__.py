"""The automaton's rollout, by several ways that give the same: plain, compiled, in C++, in Triton.

    reference   one operation of torch after the other; every other way is held against it
    compiled    the step through torch.compile
    native      the rollout in C++, on a CPU
    triton      the rollout in Triton, on CUDA

It needs torch and numpy alone, so that it runs on a bare machine.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch.utils.checkpoint import checkpoint

from tnca.kernels import compiled, native, reference
from tnca.kernels.choice import KERNELS, MEMORY, PRECISIONS, Choice, choose
from tnca.kernels.missing import KernelMissing
from tnca.kernels.params import ALPHA, VALUE, Padding, Params

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ALPHA", "KERNELS", "MEMORY", "PRECISIONS", "VALUE"]
__all__ += ["Choice", "KernelMissing", "Padding", "Params", "choose", "run"]

PLAIN = Choice()


def run(
    params: Params,
    state: Tensor,
    steps: int,
    padding: Padding,
    *,
    near_life: bool = False,
    fires: Tensor | None = None,
    choice: Choice = PLAIN,
) -> Tensor:
    """The state after so many steps [shape=(B, C, bands, frames)], by the kernel of choice; see reference.run().

    choice.memory, where a gradient will be asked for: "stored" keeps what the backward pass reads of each step,
    "recomputed" computes more of it again.  native and triton then keep one grid a step, reference and compiled one
    of every sqrt(steps)-th step.
    """
    if choice.kernel == "native":
        stored = choice.memory == "stored"
        return native.run(params, state, steps, padding, near_life=near_life, fires=fires, stored=stored)
    if choice.kernel == "triton":
        from tnca.kernels import triton  # which is there with CUDA alone

        how = choice.precision
        return triton.run(params, state, steps, padding, near_life=near_life, fires=fires, precision=how)
    some = steps if choice.memory == "stored" else max(1, math.isqrt(steps))
    for first in range(0, steps, some):  # nothing is drawn in here, so no generator has to be kept
        few = min(some, steps - first)
        mine = None if fires is None else fires[first : first + few]

        def go(state: Tensor, few: int = few, mine: Tensor | None = mine) -> Tensor:
            if choice.kernel == "compiled":
                how = choice.precision
                return compiled.run(params, state, few, padding, near_life=near_life, fires=mine, precision=how)
            return reference.run(params, state, few, padding, near_life=near_life, fires=mine)

        state = go(state) if some >= steps else checkpoint(go, state, use_reentrant=False, preserve_rng_state=False)
    return state
