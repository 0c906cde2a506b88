"""Choose the kernel of a rollout on this machine, with the reason."""

from __future__ import annotations

from typing import NamedTuple

import torch

from tnca.kernels import processor
from tnca.kernels.missing import KernelMissing

KERNELS = ("reference", "compiled", "native", "triton")
PRECISIONS = ("fp32", "bf16")
MEMORY = ("stored", "recomputed")
IN_BF16 = ("compiled", "triton")


class Choice(NamedTuple):
    """kernel: one of KERNELS.  precision: of the layers' products.  memory: see tnca.kernels.run().

    why: in words, what stood against the faster ones.
    """

    kernel: str = "reference"
    precision: str = "fp32"
    memory: str = "stored"
    why: str = ""

    def __str__(self) -> str:
        return f"{self.kernel}, {self.precision}" + (f" ({self.why})" if self.why else "")


def choose(kernel: str, precision: str, memory: str, device: torch.device) -> Choice:
    """The kernel "auto" is the fastest that works here: triton on CUDA, native on a CPU, else the plain one.

    Where bf16 is asked for and the kernel lacks it, auto takes compiled.  "auto" for the precision takes bf16 where the
    kernel has it and the device has instructions for it.  Raises KernelMissing for a kernel that was asked for by name
    and does not work here, or not in that precision.
    """
    why: list[str] = []
    if kernel == "auto":
        kernel = "triton" if device.type == "cuda" else "compiled" if precision == "bf16" else "native"
        try:
            check(kernel, device)
        except KernelMissing as error:
            kernel, why = "compiled" if precision == "bf16" else "reference", [str(error)]
    else:
        check(kernel, device)
    if precision == "bf16" and kernel not in IN_BF16:
        raise KernelMissing(f"the {kernel} kernel computes in fp32 only; {' and '.join(IN_BF16)} have bf16")
    if precision == "auto":
        against = against_bf16(device) or (None if kernel in IN_BF16 else f"the {kernel} kernel has no bf16")
        precision = "fp32" if against else "bf16"
        why += [f"fp32: {against}"] if against else []
    return Choice(kernel, precision, memory, "; ".join(why))


def check(kernel: str, device: torch.device) -> None:
    """Raises KernelMissing where the kernel does not work."""
    if kernel == "native":
        if device.type != "cpu":
            raise KernelMissing(f"the native kernel runs on a CPU, not on {device.type}")
        from tnca.kernels import native

        native.load()
    if kernel == "triton":
        if device.type != "cuda":
            raise KernelMissing(f"the triton kernel runs on CUDA, not on {device.type}")
        try:
            from tnca.kernels import triton  # noqa: F401 -- whether it can be
        except ImportError as error:
            raise KernelMissing(f"the triton kernel cannot be loaded ({error}); it needs torch 2.9 or later") from None


def against_bf16(device: torch.device) -> str | None:
    """Why the device is not faster in bf16; None where it is."""
    if device.type == "cpu":
        return None if bf16_instructions() else "this processor has no bf16 instructions"
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return None
    return f"this {device.type} device has no bf16 instructions"


def bf16_instructions() -> bool:
    """Whether this processor multiplies bf16 itself."""
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint((processor.flags() or "").split())
