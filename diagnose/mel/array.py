"""One mel out of a numpy array or a torch tensor, in either axis order, with or without batch axes."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from diagnose.arrays import as_array
from diagnose.errors import InputError
from diagnose.mel.known import BAND_COUNTS

Floats = NDArray[np.float64]

MOST_VALUES = 1 << 27
MOST_BANDS = 4096
STEP_RATIO = 0.5
MOST_ASKED = 512  # rows and columns
LARGEST = 1e30  # no level, in any unit


class Plane(msgspec.Struct, frozen=True, eq=False):
    """values [shape=(bands, frames)], float64.

    shape: of the array that came.  transposed: it came as (frames, bands).  sure: the order was plain from the sizes.
    items: how many mels the batch holds, of which this is one.  bad: share of NaN and infinite values, here set to
    the lowest finite one.
    """

    values: Floats
    shape: tuple[int, ...]
    transposed: bool
    sure: bool
    items: int
    bad: float

    @property
    def turned(self) -> Plane:
        """The same with bands and frames exchanged."""
        return msgspec.structs.replace(self, values=self.values.T, transposed=not self.transposed)


def plane(array: Any, item: int = 0, name: str = "array", bands: frozenset[int] = frozenset()) -> Plane:
    """One mel of an array of 2 to 4 axes; item says which of a batch.  InputError for what is no mel.

    bands: how many there may be, where that is known: an axis of that size holds them, if the other is of another.
    """
    values = as_array(array, name, "(bands, frames)", MOST_VALUES)
    if values.dtype.kind not in "fiu":
        raise InputError(f"{name}: dtype {values.dtype} is not numeric; a mel is floating point")
    shape = values.shape
    if not 2 <= values.ndim <= 4:
        raise InputError(f"{name}: shape {shape}; a mel is (bands, frames), after at most two batch axes")
    if values.size == 0:
        raise InputError(f"{name}: shape {shape}, no values")
    if values.size > MOST_VALUES:
        raise InputError(f"{name}: {values.size:,} values; at most {MOST_VALUES:,} are allowed; give a part of it")
    batch = values.reshape(-1, *shape[-2:])
    if not 0 <= item < len(batch):
        raise InputError(f"{name}: no item {item}; shape {shape} has the items 0 to {len(batch) - 1}")
    values = batch[item].astype(np.float64)
    finite = np.abs(values) < LARGEST  # NaN is not
    if not finite.any():
        raise InputError(f"{name}: every value is NaN, infinite or over {LARGEST:g}")
    bad = 1 - float(finite.mean())
    if bad:
        values = np.where(finite, values, values[finite].min())
    transposed, sure = _orientation(values, bands or BAND_COUNTS)
    return Plane(values.T if transposed else values, shape, transposed, sure, len(batch), bad)


def _orientation(values: Floats, bands: frozenset[int]) -> tuple[bool, bool]:
    """(the array is (frames, bands), that is plain from its sizes).

    Otherwise bands come first, unless neighbours along the first axis differ far less than along the second: frames
    overlap, bands hardly.  (Measured: less than half as much in 2 of 400 mels whose bands did come first.)
    """
    usual = [size in bands for size in values.shape]
    possible = [size <= MOST_BANDS for size in values.shape]
    if usual[0] != usual[1]:
        return usual[1], True
    if possible[0] != possible[1]:
        return possible[1], True
    values = values[:MOST_ASKED, :MOST_ASKED]
    ranks = np.argsort(np.argsort(values, axis=None)).reshape(values.shape).astype(np.float64)  # any scale
    steps = [float(np.abs(np.diff(ranks, axis=axis)).mean()) if values.shape[axis] > 1 else np.inf for axis in (0, 1)]
    return steps[0] < STEP_RATIO * steps[1], False
