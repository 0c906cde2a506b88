"""Who is timed: the first code, each kernel in each precision that it has, on CUDA captured in a graph too, and JAX."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from tnca.bench.first import FirstCell
from tnca.bench.task import CHECKED_STEPS, LEARNING_RATE, PADDING, error, loss_of
from tnca.kernels import KERNELS, PRECISIONS, Choice, KernelMissing, choose, run
from tnca.kernels.choice import against_bf16

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from tnca.bench.task import Task

FIRST, JAX = "first", "jax"
NAMES = (*KERNELS, JAX)


class Contender(NamedTuple):
    """forward, training: one rollout without a gradient, one iteration with its update.

    error: of the state after a few steps, against double precision; slope_error: of the worst parameter's gradient.
    """

    name: str
    precision: str
    forward: Callable[[], object]
    training: Callable[[], object]
    error: float
    slope_error: float
    captured: bool = False


def contenders(task: Task, kernels: tuple[str, ...], memory: str, said: Callable[[str], object]) -> Iterator[Contender]:
    """The first code, then what of `kernels` works here; said is told of what does not."""
    cell = FirstCell(task.params).to(task.device)

    def first(state: Tensor, steps: int) -> Tensor:
        for _ in range(steps):
            state = cell(state)
        return state

    layers = list(cell.parameters())  # weight, bias, weight, ...
    yield _contender(task, FIRST, "fp32", first, [*layers[::2], *layers[1::2]])
    if JAX in kernels:
        yield from _in_jax(task, said)
    against = against_bf16(task.device)
    if against:
        said(f"bf16: {against}; skipped")
    for name in (each for each in kernels if each != JAX):
        for precision in ("fp32",) if against else PRECISIONS:
            try:
                choice = choose(name, precision, memory, task.device)
                yield from _of(task, choice)
            except KernelMissing as missing:
                if precision == "fp32":
                    said(f"{name}: {missing}")
            except torch.OutOfMemoryError:
                said(f"{name} {precision}: not enough memory for a batch of {len(task.state)}; skipped")


def _in_jax(task: Task, said: Callable[[str], object]) -> Iterator[Contender]:
    try:
        from tnca.bench.jax_cell import JaxCell

        cell = JaxCell(task)
    except (ImportError, RuntimeError) as error:  # not there, or without this device
        said(f"{JAX}: {str(error).splitlines()[0]}; skipped")
        return
    yield Contender(JAX, "fp32", cell.forward, cell.training, *cell.errors)


def _of(task: Task, choice: Choice) -> Iterator[Contender]:
    params = task.leaves()

    def grow(state: Tensor, steps: int) -> Tensor:
        return run(params, state, steps, PADDING, choice=choice)

    plain = _contender(task, choice.kernel, choice.precision, grow, [*params.weights, *params.biases])
    yield plain
    if task.device.type == "cuda":
        forward, training = _captured(plain.forward), _captured(plain.training)
        name = f"{choice.kernel} in a graph"
        yield plain._replace(name=name, forward=forward, training=training, captured=True)


def _contender(
    task: Task, name: str, precision: str, grow: Callable[[Tensor, int], Tensor], layers: list[Tensor]
) -> Contender:
    """layers: the parameters that grow() reads, weights first."""
    grown = grow(task.state, CHECKED_STEPS)
    slopes = torch.autograd.grad(loss_of(grown, task.wanted), layers)
    worst = max(error(a.reshape(b.shape), b) for a, b in zip(slopes, task.slopes, strict=True))
    cuda = task.device.type == "cuda"
    optimiser = torch.optim.Adam(layers, lr=LEARNING_RATE, fused=True, capturable=cuda)

    def forward() -> Tensor:
        with torch.no_grad():
            return grow(task.state, task.steps)

    def training() -> None:
        loss = loss_of(grow(task.state, task.steps), task.wanted)
        optimiser.zero_grad(set_to_none=not cuda)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return Contender(name, precision, forward, training, error(grown, task.exact), worst)


def _captured(work: Callable[[], object]) -> Callable[[], object]:
    """As a CUDA graph, which is made at the first call, after three rounds that are not captured.

    All graphs share one pool of memory, for one is replayed at a time and nobody reads what it leaves.
    """
    made: list[torch.cuda.CUDAGraph] = []

    def replay() -> None:
        if not made:
            made.append(_graph_of(work))
        made[0].replay()

    return replay


def _graph_of(work: Callable[[], object]) -> torch.cuda.CUDAGraph:
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=_pool()):
        work()
    return graph


@lru_cache(maxsize=1)
def _pool() -> Any:
    return torch.cuda.graph_pool_handle()


def known(names: str) -> tuple[str, ...]:
    """Kernels of a list with commas; ValueError names one that is none."""
    wanted = tuple(each for each in names.split(",") if each)
    wrong = [each for each in wanted if each not in NAMES]
    if wrong:
        raise ValueError(f"--kernels {wrong[0]}: not one of {', '.join(NAMES)}")
    return wanted or NAMES
