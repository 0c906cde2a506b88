"""Moments of a signal, summed in double precision; and decibels with a floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.audio import blocks

if TYPE_CHECKING:
    from diagnose.audio import Samples
DB_FLOOR = -120.0  # every energy ratio stops here: below it lies rounding, and -inf cannot be compared


ROUNDING = 1e-12  # of double-precision sums over a whole file, relative to the power
SILENCE = 1e-20  # power


class Moments(msgspec.Struct, frozen=True):
    """First and second moment and extremes of a signal; linear, full scale 1."""

    mean: float
    mean_square: float
    lowest: float
    highest: float

    @property
    def rms(self) -> float:
        return float(np.sqrt(self.mean_square))

    @property
    def silent(self) -> bool:
        """Whether nothing but the bias is there: under -200 dBFS, where float32 itself rounds."""
        return self.variance <= SILENCE

    @property
    def variance(self) -> float:
        """Power without the mean: mean(x**2) - mean(x)**2; 0 where only the rounding of that difference is left."""
        difference = self.mean_square - self.mean**2
        return difference if difference > ROUNDING * self.mean_square else 0.0


def moments(samples: Samples) -> Moments:
    """Moments of samples [shape=(n,)]; block sums in double precision."""
    total = square = 0.0
    lowest, highest = np.inf, -np.inf
    for part in blocks(samples.shape[0]):
        # In double precision: a small sound on a large bias is the difference of two large sums.
        block = samples[part].astype(np.float64)
        total += float(block.sum())
        square += float(np.dot(block, block))
        lowest, highest = min(lowest, block.min()), max(highest, block.max())
    count = samples.shape[0]
    return Moments(total / count, square / count, float(lowest), float(highest))


def decibels(power_ratio: float) -> float:
    """10 log10(ratio), never under -120 dB, so that an energy of exactly zero can still be compared."""
    return max(10.0 * np.log10(power_ratio), DB_FLOOR) if power_ratio > 0 else DB_FLOOR
