"""Fill: how far what is quiet in the reference, beside what is loud at the same time, was filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.arrays import quantile

if TYPE_CHECKING:
    from diagnose.arrays import Floats

BINS, FRAMES = 4, 8  # of a cell: 1/n_fft * 4 wide, two windows long, so that chance does not fill it
LOWEST_BIN = 4
HIGHEST = 0.85  # of the Nyquist frequency: above lies a codec's or resampler's own edge
QUIET_DB, LEAST_DB = -45.0, -65.0  # of all that sounds at the time; what is less counts as this much
SOUNDING_DB = -30.0  # of the loud frames
LOUD = 0.95
UPPER = 0.75  # share of the quiet cells that were filled less
FEWEST = 50  # cells


def pooled(power: Floats) -> Floats:
    """Sums over cells of 4 bins and 8 frames [shape=(frames // 8, bands)] of power spectra [shape=(frames, bins)]."""
    bands = int(HIGHEST * (power.shape[1] - 1) - LOWEST_BIN) // BINS
    times = len(power) // FRAMES
    kept = power[: times * FRAMES, LOWEST_BIN : LOWEST_BIN + bands * BINS]
    return np.asarray(kept.reshape(times, FRAMES, bands * BINS).sum(axis=1).reshape(times, bands, BINS).sum(axis=2))


def quiet_excess(ours: Floats, theirs: Floats) -> float:
    """Upper quartile, over the quiet cells of what sounds, of the generated level over the reference's, dB.

    ours, theirs: powers by cell, gain removed.  0 where nothing is quiet.
    """
    total = ours.sum(axis=1)
    if not total.size or total.max() <= 0:
        return 0.0
    sounding = total > 10 ** (SOUNDING_DB / 10) * quantile(total, LOUD)
    ours, theirs, total = ours[sounding], theirs[sounding], total[sounding][:, None]
    least = 10 ** (LEAST_DB / 10) * total
    quiet = (ours < 10 ** (QUIET_DB / 10) * total) & (np.maximum(ours, theirs) > least)
    if quiet.sum() < FEWEST:
        return 0.0
    return quantile(10 * np.log10(np.maximum(theirs, least)[quiet] / np.maximum(ours, least)[quiet]), UPPER)
