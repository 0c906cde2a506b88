"""The interface of a vocoder: a contract, and a call that turns a mel in that contract into sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np

from diagnose.errors import DiagnoseError, InputError
from diagnose.mel.contract import MelContract  # noqa: TC001
from diagnose.mel.differences import declared

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.audio import Audio


class Mel(msgspec.Struct, frozen=True, eq=False):
    """Values [shape=(bands, frames)], finite, and the contract they are in."""

    values: Floats
    contract: MelContract


class Vocoder(Protocol):
    """name: for reports.  contract: of the mels it reads.  A call raises OtherContract for any other, in words."""

    name: str
    contract: MelContract

    def __call__(self, mel: Mel) -> Audio: ...


class OtherContract(DiagnoseError):
    """A mel in another contract than the vocoder's; one line a difference."""

    exit_code = 1


def check(mel: Mel, vocoder: Vocoder) -> None:
    """Raises OtherContract, in the words of `diagnose mel --for`, or InputError for values that are no mel."""
    found = declared(mel.contract, vocoder.contract)
    if found:
        ours = f"a mel in {mel.contract.name or mel.contract.about}"
        raise OtherContract("\n  ".join((f"{vocoder.name} cannot use {ours}:", *(each.line for each in found))))
    bands = vocoder.contract.grid.bands
    if mel.values.ndim != 2 or mel.values.shape[0] != bands or mel.values.shape[1] < 1:
        raise InputError(f"the mel: shape {mel.values.shape}, expected ({bands}, frames)")
    if not np.isfinite(mel.values).all():
        raise InputError("the mel has non-finite values; the training diverged")
