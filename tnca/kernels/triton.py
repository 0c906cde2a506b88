"""The rollout in Triton, for NVIDIA cards: one launch a step, and two a step for the gradient.

What runs on the device is in tnca.kernels.triton_step.  A step reads a state as it was before it was clamped and
multiplied by life, and does both where it reads, so that nothing has to come between two steps.  The gradient makes
the hidden layers anew from the states that were kept, and gathers, cell by cell, what the cell's readers give: no two
programs write to one place, and the same call gives the same bits again.

All memory is torch's, nothing waits for the device and nothing is sent to it: a call may be captured in a CUDA graph
once it has run (Triton compiles at the first).  With TRITON_INTERPRET=1 before the first import it runs on a CPU, very
slowly, for tests.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import triton
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional

from tnca.kernels import triton_step
from tnca.kernels.perceive import SEEN

if TYPE_CHECKING:
    from torch import Tensor

    from tnca.kernels.params import Padding, Params

OLDEST = (3, 5)  # a function of the device may call itself, and a loop keep its addresses out of registers
LEAST = 16  # cells or channels on each side of what tl.dot multiplies
WIDEST = 512
MOST_NUMBERS = 1 << 31  # of a tensor, whose places are counted in 32 bits
WARPS = 8  # of all kernels but a step in bf16

if tuple(int(part) for part in triton.__version__.split(".")[:2]) < OLDEST:
    raise ImportError(f"tnca.kernels.triton needs Triton {OLDEST[0]}.{OLDEST[1]}; this is {triton.__version__}")


class Tiling(NamedTuple):
    """How the work is divided.

    block: cells of a program, a power of two from 16.  warps: of a program that makes a step; its gradient has 8.
    slots: programs that share the gradient of a rule, each with a sum of its own; 0: all that fit the device at once.
    most: weights of one padded layer, which have to lie in shared memory.
    """

    block: int
    warps: int
    slots: int
    most: int


# For 16 channels and 128 and 64 hidden ones: in bf16 64 cells are what a warp group's tensor cores take at once, and no
# register is spilled; in fp32 there are no tensor cores of that precision, and 32 cells would spill thousands of bytes.
TILINGS = {"bf16": Tiling(64, 4, 0, 1 << 16), "fp32": Tiling(16, 8, 0, 1 << 15)}


class Sizes(NamedTuple):
    """What the kernels are made for, in the order in which they take it.

    total: cells of one rule's states.  channels, places, widths: padded to powers of two; widths is of what each layer
    reads and of what the last one gives.  weights, biases: numbers of one rule.
    """

    high: int
    wide: int
    total: int
    channels: int
    places: int
    widths: tuple[int, ...]
    weights: int
    biases: int
    time: str
    frequency: str
    near_life: bool


class Plan(NamedTuple):
    """What a rollout needs to know beyond the sizes.  keep: every state, for a gradient."""

    steps: int
    rules: int
    keep: bool
    operands: torch.dtype
    tiling: Tiling


def run(
    params: Params,
    state: Tensor,
    steps: int,
    padding: Padding,
    *,
    near_life: bool = False,
    fires: Tensor | None = None,
    precision: str = "fp32",
    tiling: Tiling | None = None,
) -> Tensor:
    """What tnca.kernels.reference.run gives, made in single precision [shape=(B, C, bands, frames)].

    precision: of what the layers multiply, "fp32" or "bf16"; the state and all sums are single in both.  tiling: None
    for that of the precision.  There is no second derivative.

    Raises ValueError where a hidden layer is wider than 512, a layer larger than its tiling's most, or the batch is
    too large for places counted in 32 bits.
    """
    if steps == 0:
        return state
    plan, sizes = _plan(params, state, steps, precision, tiling), _sizes(params, state, padding, near_life)
    _check(sizes, plan, state)
    channels, places = state.shape[1], params.where.shape[0]
    cells = functional.pad(state.float().permute(0, 2, 3, 1), (0, sizes.channels - channels)).contiguous()
    where = functional.pad(params.where.float().permute(1, 2, 0), (0, sizes.places - places)).contiguous()
    acting = None if fires is None else fires.contiguous().view(torch.uint8)
    weights, biases = _packed(params, sizes)
    grown = _Rollout.apply(cells, weights, biases, where, acting, sizes, plan)  # type: ignore[no-untyped-call]
    return grown[..., :channels].permute(0, 3, 1, 2).contiguous().to(state.dtype)


class _Rollout(Function):
    """Of padded and packed tensors: the state after all steps; the gradients of state, weights and biases."""

    @staticmethod
    def forward(
        ctx: Any,
        cells: Tensor,
        weights: Tensor,
        biases: Tensor,
        where: Tensor,
        fires: Tensor | None,
        sizes: Sizes,
        plan: Plan,
    ) -> Tensor:
        weights = weights.to(plan.operands)
        block, warps = plan.tiling.block, plan.tiling.warps
        states = cells.new_empty((plan.steps if plan.keep else 2, *cells.shape))
        alphas = states.new_empty(states.shape[:-1])
        grown, (state, alpha) = torch.empty_like(cells), (cells, alphas[0])  # no alpha is read of the first state
        grid, tiles, over_all = (triton.cdiv(sizes.total, block), plan.rules), *_over_all(sizes, plan)
        with torch.cuda.device_of(cells):  # type: ignore[no-untyped-call]
            for number in range(plan.steps):
                after, alpha_after = states[number % len(states)], alphas[number % len(states)]
                triton_step.step[grid](
                    state, alpha, after, alpha_after, _of(fires, number), where, weights, biases,
                    *sizes, number > 0, block, num_warps=warps,
                )  # fmt: skip
                state, alpha = after, alpha_after
            triton_step.live[tiles](state, alpha, grown, *over_all, block, num_warps=WARPS)
        if plan.keep:
            ctx.save_for_backward(cells, states, alphas, weights, biases, where, fires)
            ctx.sizes, ctx.plan = sizes, plan
        return grown

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grown: Tensor) -> tuple[Tensor | None, ...]:
        cells, states, alphas, weights, biases, where, fires = ctx.saved_tensors
        sizes, plan = ctx.sizes, ctx.plan
        block, slots = plan.tiling.block, plan.tiling.slots
        grad = grown.clone(memory_format=torch.contiguous_format)
        d_seen = weights.new_empty((*cells.shape[:-1], SEEN * sizes.channels))
        shares, winners = torch.empty_like(alphas[0]), torch.empty_like(alphas[0], dtype=torch.int32)
        d_weights = cells.new_zeros((plan.rules, slots, sizes.weights))
        d_biases = cells.new_zeros((plan.rules, slots, sizes.biases))
        grid, tiles, over_all = (slots, plan.rules), *_over_all(sizes, plan)
        with torch.cuda.device_of(cells):  # type: ignore[no-untyped-call]
            for number in reversed(range(plan.steps)):
                state, alpha = (states[number - 1], alphas[number - 1]) if number else (cells, alphas[0])
                after, alpha_after, last = states[number], alphas[number], number == plan.steps - 1
                triton_step.gather[tiles](
                    grad, d_seen, after, alpha_after, shares, winners, *over_all, not last, True, block, num_warps=WARPS
                )
                triton_step.back[grid](
                    state, alpha, alpha_after, grad, d_seen, shares, winners, _of(fires, number), where,
                    weights, biases, d_weights, d_biases, *sizes, number > 0, block, num_warps=WARPS, num_stages=1,
                )  # fmt: skip
            triton_step.gather[tiles](
                grad, d_seen, cells, alphas[0], shares, winners, *over_all, True, False, block, num_warps=WARPS
            )
        return grad, d_weights.sum(1), d_biases.sum(1), None, None, None, None


def _of(fires: Tensor | None, number: int) -> Tensor | None:
    return None if fires is None else fires[number]


def _over_all(sizes: Sizes, plan: Plan) -> tuple[tuple[int], tuple[int, int, int, int, str, str]]:
    """The grid of a kernel to which the cells of all rules are one lot, and what it takes."""
    total = plan.rules * sizes.total
    tiles = triton.cdiv(total, plan.tiling.block)
    return (tiles,), (sizes.high, sizes.wide, total, sizes.channels, sizes.time, sizes.frequency)


def _plan(params: Params, state: Tensor, steps: int, precision: str, tiling: Tiling | None) -> Plan:
    if precision not in TILINGS:
        raise ValueError(f'precision must be "fp32" or "bf16", not "{precision}"')
    tiling = tiling or TILINGS[precision]
    tiles = triton.cdiv(state[:, 0].numel() // params.rules, tiling.block)
    slots = min(tiles, tiling.slots or max(1, _processors(state) // params.rules))
    keep = torch.is_grad_enabled() and any(each.requires_grad for each in (state, *params.weights, *params.biases))
    operands = torch.bfloat16 if precision == "bf16" else torch.float32
    return Plan(steps, params.rules, keep, operands, tiling._replace(slots=slots))


def _processors(state: Tensor) -> int:
    """How many programs of the gradient run at once: its registers fill a multiprocessor."""
    return torch.cuda.get_device_properties(state.device).multi_processor_count if state.is_cuda else 1


def _sizes(params: Params, state: Tensor, padding: Padding, near_life: bool) -> Sizes:
    batch, channels, high, wide = state.shape
    where = params.where.shape[0]
    places = _padded(where) if where else 0
    widths = (SEEN * _padded(channels), *(_padded(width) for width in params.widths[1:]))
    weights = places * widths[1] + sum(read * given for read, given in pairwise(widths))
    total, biases = batch // params.rules * high * wide, sum(widths[1:])
    of_state = high, wide, total, widths[-1]
    return Sizes(*of_state, places, widths, weights, biases, padding.time, padding.frequency, near_life)


def _padded(width: int) -> int:
    return max(LEAST, triton.next_power_of_2(width))


def _check(sizes: Sizes, plan: Plan, state: Tensor) -> None:
    tiling = plan.tiling
    if not (state.is_cuda or triton_step.INTERPRETED.value):
        raise ValueError(f"tnca.kernels.triton: the state is on {state.device.type}, and Triton needs a CUDA device")
    widest = max(sizes.widths[1:-1], default=0)
    layer = max(read * given for read, given in pairwise(sizes.widths))
    largest = max(SEEN * sizes.channels * sizes.total, tiling.slots * sizes.weights) * plan.rules
    for what, number, most in (
        ("channels of a hidden layer", widest, WIDEST),
        ("weights of a layer", layer, tiling.most),
        ("numbers of a tensor, so a smaller batch is needed", largest, MOST_NUMBERS - 1),
    ):
        if number > most:
            raise ValueError(f"tnca.kernels.triton: {number} of at most {most} {what} (padded to powers of two)")


def _packed(params: Params, sizes: Sizes) -> tuple[Tensor, Tensor]:
    """All weights [shape=(rules, sizes.weights)] and all biases of a rule, one layer after the other.

    A layer lies [shape=(in, out)].  What the first reads of one channel (itself, x, y, Laplacian) lies together, and
    what it reads of the positions comes last.
    """
    first, *others = params.weights
    channels = params.widths[-1]
    seen = first[..., : SEEN * channels].reshape(*first.shape[:2], SEEN, channels).permute(0, 3, 2, 1)
    seen = functional.pad(seen, (0, 0, 0, 0, 0, sizes.channels - channels)).flatten(1, 2)
    layers = [torch.cat([seen, first[..., SEEN * channels :].mT], 1), *(weight.mT for weight in others)]
    reads, gives = (sizes.widths[0] + sizes.places, *sizes.widths[1:-1]), sizes.widths[1:]
    weights = [
        functional.pad(layer, (0, wide - layer.shape[2], 0, high - layer.shape[1])).flatten(1)
        for layer, high, wide in zip(layers, reads, gives, strict=True)
    ]
    biases = [functional.pad(bias, (0, wide - bias.shape[1])) for bias, wide in zip(params.biases, gives, strict=True)]
    return torch.cat(weights, 1).float(), torch.cat(biases, 1).float()
