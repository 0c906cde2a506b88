"""Clicks: single steps and spikes that stand out of the curvature around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.audio import BLOCK, blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.audio import Samples

REACH_S = 0.025  # the neighbourhood on either side whose curvature is normal
GUARD_S = 0.0015  # the click itself, left out of its neighbourhood
OVER_RMS = 8.0  # white noise reaches 5.5 once in an hour
OVER_PEAK = 3.0  # a voice's or a bow's pulses have neighbours of their own height
SAME_S = 0.002  # a click of the reference this near is the same one
SMALLEST = 1e-4  # three steps of 16 bits: the rounding of a quiet passage is no click


def click_times(samples: Samples, rate: int) -> NDArray[np.float64]:
    """Times in s at which |x[n-1] - 2 x[n] + x[n+1]| is over 3 times any other value within 25 ms and over 8
    times their RMS, 1.5 ms on either side of the click itself left out.

    The second difference is the simplest prediction error; essentia's ClickDetector uses LPC of order 12.
    Clicks nearer than 25 ms to each other hide each other: a train of pulses is a hum, not clicks.
    """
    guard = max(round(GUARD_S * rate), 1)
    cells = max(round(REACH_S * rate) // guard, 3)
    heights = _cell_heights(samples, guard)
    lonely = heights > np.maximum(OVER_PEAK * _highest_around(heights, cells), SMALLEST)
    found = [_click_in(samples, int(cell) * guard, guard, cells * guard) for cell in np.flatnonzero(lonely)]
    return np.array(sorted({at for at in found if at is not None}), np.float64) / rate


def _curvature(samples: Samples, start: int, stop: int) -> NDArray[np.float32]:
    """|second difference| at start..stop; 0 at both ends of the signal, where there is none."""
    first, last = max(start - 1, 0), min(stop + 1, samples.size)
    inner = np.abs(np.diff(samples[first:last], 2))
    return np.pad(inner, (first + 1 - start, stop - (last - 1)))


def _cell_heights(samples: Samples, guard: int) -> NDArray[np.float32]:
    """Highest curvature in each stretch of guard samples."""
    heights = []
    for part in blocks(samples.size, BLOCK // guard * guard):
        curvature = _curvature(samples, part.start, part.stop)
        heights.append(np.maximum.reduceat(curvature, np.arange(0, curvature.size, guard)))
    return np.concatenate(heights)


def _highest_around(heights: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """Highest of the cells that lie wholly in the neighbourhood: 2 to cells - 1 to either side."""
    padded = np.pad(heights, cells - 1)
    around = np.zeros_like(heights)
    for distance in range(2, cells):
        for shift in (cells - 1 - distance, cells - 1 + distance):
            np.maximum(around, padded[shift : shift + heights.size], out=around)
    return around


def _click_in(samples: Samples, start: int, guard: int, reach: int) -> int | None:
    """Position of the click in the cell at start, by the definition; None where it does not hold."""
    stop = min(start + guard, samples.size)
    at = start + int(np.argmax(_curvature(samples, start, stop)))
    first, last = max(at - reach, 0), min(at + reach + 1, samples.size)
    curvature = _curvature(samples, first, last)
    height = curvature[at - first]
    own = slice(max(at - guard, 0) - first, at + guard + 1 - first)
    if height < curvature[own].max():
        return None
    curvature[own] = 0.0
    others = curvature.size - (min(at + guard + 1, last) - max(at - guard, first))
    rms = np.sqrt(np.square(curvature, dtype=np.float64).sum() / max(others, 1))
    return at if height > max(OVER_PEAK * curvature.max(), OVER_RMS * rms) else None


def added_clicks(ours: Floats, theirs: Floats) -> NDArray[np.bool_]:
    """Which of theirs have none of ours within 2 ms [shape=(clicks of theirs,)]; times in s, both rising."""
    if not ours.size:
        return np.ones(theirs.size, bool)
    after = np.searchsorted(ours, theirs)
    nearest = [np.abs(theirs - ours[np.clip(after - back, 0, ours.size - 1)]) for back in (0, 1)]
    return np.asarray(np.minimum(*nearest) > SAME_S)


def sharpest(samples: Samples, rate: int, at: float, reach_s: float) -> float:
    """Highest curvature within reach_s of a time in s; 0 outside the samples."""
    first, last = (round((at + side * reach_s) * rate) for side in (-1, 1))
    first, last = max(first, 0), min(last + 1, samples.size)
    return float(_curvature(samples, first, last).max()) if last - first > 2 else 0.0
