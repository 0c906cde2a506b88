"""The checkpoint of a run: its complete state in one file, written atomically.

Model, optimiser, pool, the state of every random generator, the epoch, the best figure and the best weights.  Read
with weights_only=True: tensors and plain values, nothing that can run.
"""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from typing import Any

import torch

from diagnose.errors import InputError
from diagnose.files import write_whole

FORMAT = "tnca.checkpoint/1"
MOST_BYTES = 1 << 31
KEYS = {"format", "config", "epoch", "bands", "frames", "rule", "best"}


def save(path: str, state: dict[str, Any]) -> None:
    """state: see KEYS, tensors and plain values only; raises InputError where it cannot be written."""
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **state}, buffer)
    write_whole(path, buffer.getvalue())


def load(path: str) -> dict[str, Any]:
    """What save() was given; InputError in one line for anything else."""
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such checkpoint; `tnca train` writes one")
    _check_size(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 -- whatever a broken or hostile file makes of the unpickler
        why = "it contains more than tensors" if "weights_only" in str(error).lower() else type(error).__name__
        raise InputError(f"{path}: not a checkpoint of tnca ({why})") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT or not set(state) >= KEYS:
        raise InputError(f"{path}: not a checkpoint of tnca (no {FORMAT} in it)")
    return state


def fits(path: str, module: torch.nn.Module, weights: Any) -> None:
    """Weights into the module; InputError where they are another model's."""
    try:
        module.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError, ValueError):
        raise InputError(f"{path}: the weights do not fit the configuration") from None


def _check_size(path: str) -> None:
    try:
        claimed = os.path.getsize(path)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                claimed = sum(info.file_size for info in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    if claimed > MOST_BYTES:
        raise InputError(f"{path}: claims {claimed:,} bytes, over {MOST_BYTES:,}")
