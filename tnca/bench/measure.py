"""Every contender once a round, in turn; medians, spread, and ratios taken round by round."""

from __future__ import annotations

import platform
import statistics
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import torch

from tnca.bench import machine
from tnca.bench.contenders import FIRST, contenders
from tnca.bench.task import random_task
from tnca.kernels.choice import against_bf16

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tnca.bench.contenders import Contender
    from tnca.bench.task import Task

MODES = ("forward", "training")
FLOPS_OF = {"forward": 1, "training": 3}  # the gradients by the state and by the weights cost a forward pass each
BYTES_OF = {"forward": 1, "training": 2.5}  # back: state and its gradient read, the gradient written
LARGEST_ERROR = {"fp32": 1e-5, "bf16": 1e-2}
LARGEST_SLOPE_ERROR = {"fp32": 1e-3, "bf16": 0.2}
Row = dict[str, Any]


def measured(
    device: torch.device,
    batches: tuple[int, ...],
    *,
    kernels: tuple[str, ...],
    size: tuple[int, int] = (80, 88),
    steps: int = 96,
    rounds: int = 7,
    memory: str = "stored",
    modes: tuple[str, ...] = MODES,
    said: Callable[[str], object],
) -> dict[str, Any]:
    """{device, ..., rows}: see `tnca bench --help`.  said is told what is missing, and how far it has come."""
    rates = {
        "matmul_flops": {name: machine.matmul_flops(device, dtype) for name, dtype in _precisions(device).items()},
        "copy_bytes": machine.copy_bytes(device),
    }
    rows: list[Row] = []
    for batch in batches:
        task = random_task(batch, *size, steps, device)
        entered = list(contenders(task, kernels, memory, said))
        for mode in modes:
            said(f"batch {batch}, {mode}: {', '.join(f'{each.name} {each.precision}' for each in entered)}")
            rows += _rows(task, entered, mode, rounds, rates)
    return {
        "device": machine.described(device),
        "threads": torch.get_num_threads() if device.type == "cpu" else None,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
        "grid": {"channels": task.state.shape[1], "bands": size[0], "frames": size[1], "steps": steps},
        **rates,
        "rows": rows,
    }


def _precisions(device: torch.device) -> dict[str, torch.dtype]:
    return {"fp32": torch.float32} | ({} if against_bf16(device) else {"bf16": torch.bfloat16})


def _rows(task: Task, entered: list[Contender], mode: str, rounds: int, rates: dict[str, Any]) -> Iterator[Row]:
    took = _timed({each[:2]: getattr(each, mode) for each in entered}, rounds, task.device)
    first = took[FIRST, "fp32"]
    batch = task.state.shape[0]
    count = task.steps if mode == "forward" else 1  # steps or iterations, in what was timed
    for each in entered:
        times = took[each[:2]]
        median = statistics.median(times)
        moved = BYTES_OF[mode] * task.floor_bytes_per_step
        flops = FLOPS_OF[mode] * task.flops_per_step * task.steps / median
        yield {
            "backend": each.name,
            "precision": each.precision,
            "mode": mode,
            "batch": batch,
            "per_s": count / median,
            "cells_per_s": task.steps * task.state[:, 0].numel() / median,
            "spread": [count / max(times), count / min(times)],
            "ratio_to_first": statistics.median(a / b for a, b in zip(first, times, strict=True)),
            "flops": flops,
            "share_of_matmul": flops / rates["matmul_flops"][each.precision],
            "share_of_copy": moved * task.steps / median / rates["copy_bytes"],
            # A graph's memory is taken when it is captured, and a replay takes none.
            "peak_bytes": None if each.captured else machine.peak_bytes(getattr(each, mode), task.device),
            "error": each.error,
            "slope_error": each.slope_error,
            "right": each.error < LARGEST_ERROR[each.precision]
            and each.slope_error < LARGEST_SLOPE_ERROR[each.precision],
        }


def _timed(
    work: dict[tuple[str, str], Callable[[], object]], rounds: int, device: torch.device
) -> dict[tuple[str, str], list[float]]:
    """Seconds of each in each round, after one that is not counted."""
    took: dict[tuple[str, str], list[float]] = {name: [] for name in work}
    for turn in range(rounds + 1):
        for name, each in work.items():
            found = machine.seconds(each, device)
            if turn:
                took[name].append(found)
    return took


_HEAD = (
    f"{'':28}{'batch':>5}{'per s':>10}{'slowest':>10}{'fastest':>10}{'x first':>9}{'GFLOP/s':>10}"
    f"{'of matmul':>10}{'peak MB':>9}{'error':>9}"
)


def table(found: dict[str, Any]) -> str:
    """For people."""
    threads = f", {found['threads']} threads" if found["threads"] else ""
    rates = ", ".join(f"{name} {flops / 1e9:,.0f}" for name, flops in found["matmul_flops"].items())
    grid = "{channels} x {bands} x {frames} cells, {steps} steps".format(**found["grid"])
    lines = [
        f"{found['device']}{threads}; torch {found['torch']}; {found['date']}",
        f"{grid}; matmul GFLOP/s: {rates}; copy {found['copy_bytes'] / 1e9:,.0f} GB/s",
        "",
        _HEAD,
    ]
    for row in found["rows"]:
        unit = "steps" if row["mode"] == "forward" else "iterations"
        peak = "" if row["peak_bytes"] is None else f"{row['peak_bytes'] / 1e6:,.0f}"
        lines.append(
            f"{row['backend'] + ' ' + row['precision']:18}{unit:10}{row['batch']:5}{row['per_s']:10,.2f}"
            f"{row['spread'][0]:10,.2f}{row['spread'][1]:10,.2f}{row['ratio_to_first']:9.2f}"
            f"{row['flops'] / 1e9:10,.1f}{row['share_of_matmul']:10.0%}{peak:>9}{row['error']:9.0e}"
            + ("" if row["right"] else "  WRONG")
        )
    return "\n".join(lines)
