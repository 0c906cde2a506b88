"""Connected areas of a grid, in numpy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats

    Mask = NDArray[np.bool_]
    Labels = NDArray[np.int32]

AREA_DB = 10.0  # difference of a cell; those of two takes of the same noise are 8 dB (RMS)
BAND_GAP = 2  # bands; areas that are parted by less are one
MOST_TURNS = 64  # that an area may take before it is taken for two


def find_areas(difference: Floats, columns: int) -> Labels:
    """Connected areas of cells whose difference in dB [shape=(columns, bands)] is over 10, or under -10.

    The mean of a cell and its neighbours has to be over it as well.  Cells within some columns, or 2 bands, of each
    other are connected.  Returns a number over 0 for each area, 0 elsewhere [shape=(2, columns, bands)]: first what
    is stronger, then what is weaker; the number of an area is 1 + the flat index of one of its cells.
    """
    around = _smoothed(difference)
    over = np.stack(
        [(difference > AREA_DB) & (around > AREA_DB), (difference < -AREA_DB) & (around < -AREA_DB)],
    )
    return connected(_grown(_grown(over, 1, columns // 2), 2, BAND_GAP // 2)) * over


def _smoothed(values: Floats) -> Floats:
    """Mean of each cell and its neighbours, 3 by 3."""
    padded = np.pad(values, 1, mode="edge")
    tall = padded[:-2] + padded[1:-1] + padded[2:]
    return (tall[:, :-2] + tall[:, 1:-1] + tall[:, 2:]) / 9


def _grown(mask: Mask, axis: int, reach: int) -> Mask:
    """The mask and all cells within reach of it along an axis."""
    grown = mask.copy()
    inner, outer = np.moveaxis(mask, axis, 0), np.moveaxis(grown, axis, 0)
    for step in range(1, min(reach, len(inner) - 1) + 1):
        outer[step:] |= inner[:-step]
        outer[:-step] |= inner[step:]
    return grown


def connected(mask: Mask) -> Labels:
    """A number over 0 for each area of a mask [shape=(layers, rows, columns)], 0 elsewhere; layers do not touch.

    The largest number of each stretch goes to all of it, along one axis and then the other, until nothing changes.
    """
    labels = np.where(mask, np.arange(1, mask.size + 1, dtype=np.int32).reshape(mask.shape), np.int32(0))
    axes = [_stretch_of_each(mask), _stretch_of_each(np.ascontiguousarray(mask.swapaxes(1, 2)))]
    for _ in range(MOST_TURNS):
        before = labels
        for starts, stretch in axes:
            labels = np.maximum.reduceat(labels.ravel(), starts)[stretch].swapaxes(1, 2)
        if np.array_equal(labels, before):
            break
    return labels


def _stretch_of_each(mask: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(first cell of each stretch of equal cells along the last axis, the stretch of each cell)."""
    change = np.ones(mask.shape, np.bool_)
    change[..., 1:] = mask[..., 1:] != mask[..., :-1]
    return np.flatnonzero(change), (np.cumsum(change) - 1).reshape(mask.shape)
