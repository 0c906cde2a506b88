"""The device that torch computes on, by its name."""

from __future__ import annotations

import warnings

import torch


class NoDevice(ValueError):
    """One line: which is not there, why, and what to give."""


def device_of(name: str) -> torch.device:
    """The device of that name; "auto" takes the first GPU there is; NoDevice for one that is not there.

    Its fp32 is fp32 from then on: a rule is generated elsewhere too, and a kernel is held against double precision.
    """
    if name == "auto":
        return device_of("cuda" if torch.cuda.is_available() else "cpu")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            device = torch.device(name)
            torch.empty(1, device=device)
            torch.Generator(device)
        if device.type == "cuda":
            torch.cuda.set_device(device)  # streams and graphs are of the current one
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        why = (str(error).strip().splitlines() or [""])[0][:100]
        raise NoDevice(f"--device {name}: is not available ({why}); use auto, cpu or cuda") from None
    return device
