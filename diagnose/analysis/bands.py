"""Frequency bands, and the energy in them.

The bins are rate / 2048 apart: third octaves under 4 bins wide (below 200 Hz at 22,050 Hz, 400 Hz at 44,100)
share their energy with their neighbours.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from diagnose.arrays import Floats

BANDS_HZ = (("0_1024", 0.0, 1024.0), ("1024_4096", 1024.0, 4096.0), ("4096_8192", 4096.0, 8192.0))
# IEC 61260-1 nominal mid-band frequencies; the exact ones are 1000 * 10**(k/10), k = -13 .. 13.
THIRD_OCTAVES = [
    "50",
    "63",
    "80",
    "100",
    "125",
    "160",
    "200",
    "250",
    "315",
    "400",
    "500",
    "630",
    "800",
    "1000",
    "1250",
    "1600",
    "2000",
    "2500",
    "3150",
    "4000",
    "5000",
    "6300",
    "8000",
    "10000",
    "12500",
    "16000",
    "20000",
]


def band_energy(summed: tuple[Floats, Floats], low: float, high: float) -> float:
    """Energy between low and high Hz; a bin cut by an edge counts in part."""
    at_low, at_high = np.interp((low, high), *summed)
    return float(at_high - at_low)


def third_octave_edges(index: int) -> tuple[float, float]:
    """Edges in Hz of band THIRD_OCTAVES[index]: 10**0.05 below and above the exact mid-band frequency."""
    centre = 1000 * 10 ** ((index - THIRD_OCTAVES.index("1000")) / 10)
    return centre / 10**0.05, centre * 10**0.05


@lru_cache(maxsize=1)
def third_octave_table() -> Floats:
    """Edges in Hz of every third octave [shape=(bands, 2)]."""
    return np.array([third_octave_edges(index) for index in range(len(THIRD_OCTAVES))])
