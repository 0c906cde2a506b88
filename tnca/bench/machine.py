"""What the machine itself does: its rate of products, its rate of copying, the memory that a piece of work takes."""

from __future__ import annotations

import ctypes
import os
import platform
import statistics
import time
from typing import TYPE_CHECKING

import torch

from tnca.kernels import processor

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = {"cpu": 1024, "cuda": 8192}  # of a square matrix
COPIED = {"cpu": 1 << 28, "cuda": 1 << 32}  # bytes
ROUNDS = 7


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """How long it takes, until the device is done."""
    wait(device)
    begin = time.perf_counter()
    work()
    wait(device)
    return time.perf_counter() - begin


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matmul_flops(device: torch.device, dtype: torch.dtype) -> float:
    """FLOP/s of a square product of random matrices, median of some."""
    size = SIZES.get(device.type, 1024)
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    took = [seconds(lambda: a @ b, device) for _ in range(ROUNDS + 1)][1:]
    return 2 * size**3 / statistics.median(took)


def copy_bytes(device: torch.device) -> float:
    """Bytes/s, read and written, of copying far more than a cache holds; median of some."""
    source = torch.randn(COPIED.get(device.type, 1 << 28) // 4, device=device)
    target = torch.empty_like(source)
    took = [seconds(lambda: target.copy_(source), device) for _ in range(ROUNDS + 1)][1:]
    return 2 * source.numel() * 4 / statistics.median(took)


def peak_bytes(work: Callable[[], object], device: torch.device) -> int | None:
    """How much more memory was held at once than before; None where the system does not say."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        wait(device)
        return torch.cuda.max_memory_allocated(device) - before
    try:
        ctypes.CDLL(None).malloc_trim(0)
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")  # the highest resident size starts anew
        before = _status("VmRSS")
        work()
        return max(0, _status("VmHWM") - before)
    except (OSError, AttributeError, StopIteration):
        return None


def _status(key: str) -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith(key))
    return 1024 * int(line.split()[1])


def described(device: torch.device) -> str:
    """Its name, as the system gives it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    name = processor.said_of("model name") or platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}"
