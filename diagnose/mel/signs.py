"""Anomalies of a mel array: NaN, repeated frames, a masked tail, the floor of a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.arrays import runs
from diagnose.mel.candidate import Sign
from diagnose.mel.known import KNOWN_FLOORS, STFT_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diagnose.arrays import Floats
    from diagnose.mel.array import Plane
    from diagnose.mel.contract import ValueScale

FEWEST_CONSTANT = 3
FLOOR_SHARE = 0.001


def signs(plane: Plane, levels: ValueScale | None) -> tuple[Sign, ...]:
    """What stands out in a plane whose values are in the scale levels, worst first."""
    values = plane.values
    found = [*_bad(plane), *_linear_rows(plane), *_flat(values), *_floor(values), *_zeros(values, levels)]
    return tuple(sorted(found, key=lambda sign: not sign.wrong))


def _bad(plane: Plane) -> Iterator[Sign]:
    if plane.bad:
        yield Sign("not-finite", f"{plane.bad:.2%} of the values are NaN or infinite", wrong=True)


def _flat(values: Floats) -> Iterator[Sign]:
    """Frames whose bands all have one value, and frames that repeat the one before."""
    if len(values) < 2:
        return
    lowest = values.min()
    if lowest == values.max():
        yield Sign("constant", f"every value is {lowest:.6g}", wrong=True)
        return
    flat = np.ptp(values, axis=0) == 0
    tail = int(np.argmin(flat[::-1])) if not flat.all() else flat.size
    if tail >= FEWEST_CONSTANT:
        what = "the floor" if values[0, -1] == lowest else f"{values[0, -1]:.6g}"
        yield Sign("masked-tail", f"the last {tail} of {flat.size} frames are constant ({what}): padding or a mask")
    inside = int(flat[: flat.size - tail].sum())
    if inside >= FEWEST_CONSTANT:
        yield Sign("constant-frames", f"{inside} of {flat.size} frames have one value in all bands")
    repeated = np.concatenate(([False], np.all(values[:, 1:] == values[:, :-1], axis=0))) & ~flat
    longest = max((stop - start for start, stop in runs(repeated)), default=0)
    if longest >= FEWEST_CONSTANT:
        yield Sign("repeated-frames", f"{int(repeated.sum())} frames equal the one before, {longest + 1} in a row")


def _floor(values: Floats) -> Iterator[Sign]:
    lowest = float(values.min())
    share = float(np.mean(values <= lowest + 1e-6 * abs(lowest)))
    if share < FLOOR_SHARE or lowest == float(values.max()):
        return
    known = KNOWN_FLOORS.get(f"{lowest:.4f}")
    yield Sign("floor", f"{share:.1%} of the values equal the lowest, {lowest:.6g}" + (f": {known}" if known else ""))


def _linear_rows(plane: Plane) -> Iterator[Sign]:
    rows = len(plane.values)
    if rows in STFT_ROWS:
        yield Sign(
            "linear-stft", f"{rows} rows are the bins of an STFT with n_fft {2 * (rows - 1)}, not a mel", wrong=True
        )


def _zeros(values: Floats, levels: ValueScale | None) -> Iterator[Sign]:
    if levels is not None and levels.name in ("power", "magnitude") and (values == 0).mean() > 0.5:
        yield Sign("mostly-zero", f"{float((values == 0).mean()):.0%} of the values are 0")
