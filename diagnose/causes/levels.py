"""How the generated log-mel follows the reference's: the curve that a wrong scale leaves.

With x = ln mel of the reference and y = ln mel of the generated sound, cell on cell, a right scale gives y = x + c.
A logarithm to base 10 read as a natural one gives y = 0.434 x, a power read as a magnitude y = 2 x, decibels
y = 8.7 x, and linear values or ones from 0 to 1 a y that hardly moves.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.analysis.mel_grid import mel_grid
from diagnose.arrays import median, quantile
from diagnose.causes.fit import correlation, slope
from diagnose.scale import LogMagnitude
from diagnose.spectrogram import mel_filterbank

if TYPE_CHECKING:
    from diagnose.analysis import Pair
    from diagnose.arrays import Floats
    from diagnose.spectrogram import MelGrid
    from diagnose.stft_cache import StftCache

CLIP = LogMagnitude(1e-5)
EXCERPT = 1 << 20
HIGH_RATE_HZ = 32_000
RANGE_NATS = 9.0  # below the loudest cell
ABOVE_FLOOR_NATS = 1.0
GROUPS = 24
TOP_NATS = 3.5
SECOND = 10
NEAR_NATS = (2.0, 4.0)


class Levels:
    """x, y: ln mel [shape=(frames, bands)] of both, aligned, bands to 8 kHz.

    1024 samples a frame, 2048 from 32 kHz up.
    """

    def __init__(self, pair: Pair) -> None:
        grid = mel_grid(pair.rate)
        factor = 2 if pair.rate >= HIGH_RATE_HZ else 1  # as vocoders of those rates have it
        grid = msgspec.structs.replace(grid, n_fft=factor * grid.n_fft, hop=factor * 2 * grid.hop)
        basis = mel_filterbank(grid).T
        stretch = pair.worst_stretch(EXCERPT)
        self.x, self.y = (_log_mel(part.cut(stretch), grid, basis) for part in pair.overlap_stfts)

    @cached_property
    def _heard(self) -> tuple[Floats, Floats]:
        """x and y of the cells within 9 nats (78 dB) of the reference's loudest, and of that one at the very least."""
        loudest = float(self.x.max())
        heard = self.x >= min(max(loudest - RANGE_NATS, np.log(CLIP.clip) + ABOVE_FLOOR_NATS), loudest)
        return self.x[heard], self.y[heard]

    @cached_property
    def _curve(self) -> tuple[Floats, Floats, Floats]:
        """Mean x, mean y and spread of y in 24 groups of equal count, x rising."""
        x, y = self._heard
        groups = [group for group in np.array_split(np.argsort(x), GROUPS) if group.size]
        columns = [(x[g].mean(), y[g].mean(), y[g].std()) for g in groups]
        return tuple(np.array(column) for column in zip(*columns, strict=True))  # type: ignore[return-value]

    @cached_property
    def slope(self) -> float:
        """Slope of y over x."""
        x, y, _ = self._curve
        return slope(x, y)

    @cached_property
    def top_slope(self) -> float:
        """Slope of y over x among the loudest: the groups within 3.5 nats of the highest."""
        x, y, _ = self._curve
        top = x >= x[-1] - TOP_NATS
        return slope(x[top], y[top]) if top.sum() >= 3 else self.slope

    @cached_property
    def survivors(self) -> float:
        """Share of the cells 2 to 4 nats (17 to 35 dB) under the loudest that are above the floor in y."""
        below = float(np.partition(self.x.ravel(), -SECOND)[-SECOND:].min()) - self.x
        near = (below > NEAR_NATS[0]) & (below < NEAR_NATS[1])
        return float((self.y[near] > np.log(CLIP.clip) + ABOVE_FLOOR_NATS).mean()) if near.any() else 1.0

    @cached_property
    def scatter(self) -> float:
        """How far y scatters about the curve, nats."""
        return float(self._curve[2].mean())

    @cached_property
    def floor_share(self) -> float:
        """Share of the reference's heard cells in which nothing is left of the generated sound."""
        return float((self._heard[1] < np.log(CLIP.clip) + ABOVE_FLOOR_NATS).mean())

    @cached_property
    def r(self) -> float:
        """Pearson's r of x and y."""
        return correlation(*self._heard)

    @cached_property
    def spreads(self) -> tuple[float, float]:
        """95th minus 5th percentile of x and of y, nats."""
        return tuple(quantile(part, 0.95) - quantile(part, 0.05) for part in (self.x, self.y))  # type: ignore[return-value]

    @cached_property
    def medians(self) -> tuple[float, float]:
        """Medians of x and of y, nats."""
        return median(self.x), median(self.y)

    @cached_property
    def loudest(self) -> tuple[float, float]:
        """Highest x and y, nats."""
        return float(self.x.max()), float(self.y.max())

    @cached_property
    def restlessness(self) -> float:
        """Mean |change from frame to frame| of y over that of x, over the cells heard in both; 1 for a good copy."""
        moves = [np.abs(np.diff(np.maximum(part, part.max() - RANGE_NATS), axis=0)) for part in (self.x, self.y)]
        return float(moves[1].mean()) / max(float(moves[0].mean()), 1e-6) if moves[0].size else 1.0


def _log_mel(spectra: StftCache, grid: MelGrid, basis: Floats) -> Floats:
    rows = [np.sqrt(power) @ basis for power in spectra.power(grid.framing)]
    return np.asarray(CLIP.from_power(np.square(np.concatenate(rows))))
