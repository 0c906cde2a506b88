"""Additions to numpy: order statistics without imports, runs of a mask, and the type of a float array.

numpy's percentile and median give the same numbers, and import numpy.ma on first use: 20 ms, more than the
whole spectral analysis of a second of sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # numpy.typing takes longer to import than a short sound to compare
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]


def quantile(values: NDArray[np.floating[Any]], share: float) -> float:
    """The value under which a share of the values lies, 0 to 1; between two of them, linearly (numpy's default)."""
    position = share * (values.size - 1)
    low = int(position)
    pair = np.partition(values.ravel(), (low, min(low + 1, values.size - 1)))[low : low + 2]
    return float(pair[0] + (position - low) * (pair[-1] - pair[0]))


def median(values: NDArray[np.floating[Any]]) -> float:
    """The middle value, or the mean of both."""
    return quantile(values, 0.5)


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(start, end) of each run of True in a mask [shape=(n,)], end not included: 0 1 1 0 1 -> (1, 3) (4, 5)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
