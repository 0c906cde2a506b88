"""Additions to numpy: arrays from tensors, order statistics without imports, runs of a mask, and a type.

numpy's percentile and median give the same numbers, and import numpy.ma on first use: 20 ms, more than the
whole spectral analysis of a second of sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.errors import InputError
from diagnose.text import shortened

if TYPE_CHECKING:  # numpy.typing takes longer to import than a short sound to compare
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]


LONGEST_REASON = 100  # characters of another library's message


def as_array(source: Any, name: str, expected: str, most: int) -> NDArray[Any]:
    """numpy's view of an array, a sequence of numbers, or a tensor: with a gradient, on a GPU, of half or bfloat16 (as
    float32).  torch is not imported: a tensor brings its own methods.

    expected: the shape, in words; most: how many values a tensor may claim to hold.  The caller judges the dtype.
    Raises InputError, in one line that begins with name, for what has no numbers to give: sparse, quantised, on "meta".
    """
    try:
        return np.asarray(_of_tensor(source, name, most) if hasattr(source, "detach") else source)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - each kind of tensor, and each library, has its own
        why = shortened((str(error).strip().splitlines() or [type(error).__name__])[0], LONGEST_REASON)
        raise InputError(f"{name}: not an array of numbers ({why}); expected {expected}") from None


def _of_tensor(tensor: Any, name: str, most: int) -> NDArray[Any]:
    if tensor.numel() > most:  # one that was expanded claims more than it holds
        raise InputError(f"{name}: {tensor.numel():,} values; at most {most:,} are allowed; give a part of it")
    tensor = tensor.detach().cpu()
    if tensor.is_floating_point() and str(tensor.dtype) not in ("torch.float32", "torch.float64"):
        tensor = tensor.float()  # numpy has no bfloat16
    return np.asarray(tensor.numpy())


def fast_size(least: int) -> int:
    """The smallest size from least up that an FFT is quick at: 9, 10, 12, 15 or 16 times a power of two."""
    sixteenth = max(1 << int(np.ceil(np.log2(least))), 16) // 16
    return min(size for size in (sixteenth * factor for factor in (9, 10, 12, 15, 16)) if size >= least)


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
    starts, ends = run_edges(mask)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def run_edges(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The starts and the ends of runs(), each as an array."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False]))))
    return edges[::2], edges[1::2]


def window_sums(values: NDArray[np.floating[Any]], width: int) -> NDArray[np.float64]:
    """Sum of each width values in a row [shape=(n - width + 1,)], in double precision."""
    summed = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
    return np.asarray(summed[width:] - summed[:-width])
