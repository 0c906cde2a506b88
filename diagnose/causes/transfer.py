"""What became of each band of the spectrum: a level for level reading, and what kind of filter that looks like."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.analysis.bands import band_energy
from diagnose.arrays import median, quantile, runs
from diagnose.causes.fit import slope

if TYPE_CHECKING:
    from diagnose.analysis import Pair
    from diagnose.arrays import Floats
    from diagnose.causes.residual import Residual

LOWEST_HZ = 60.0
MADE_UP_HZ = 7000.0
WIDTH_OCTAVES = 1 / 6
HEARD_DB = -55.0
GONE_DB = -10.0
ALL_GONE_DB = -30.0
FAINT_DB = -85.0
FEWEST_KEPT = 3


class Step(msgspec.Struct, frozen=True):
    """A low-pass: level (dB) below and above, the frequency between, and the unevenness of what was kept."""

    hz: float
    kept_db: float
    lost_db: float
    uneven_db: float
    bands: int


class Gap(msgspec.Struct, frozen=True):
    """A band that is gone between two that are kept."""

    low_hz: float
    high_hz: float
    depth_db: float
    uneven_db: float


class Line(msgspec.Struct, frozen=True):
    """A straight line through the levels over log frequency, and the share of their variance that it explains."""

    db_per_octave: float
    explains: float
    octaves: float


class Transfer:
    """hz: middle of each heard band; db: generated over reference, no gain removed.

    By cross-spectrum where the waveform is the reference's (so that noise does not count), else by power.
    """

    def __init__(self, pair: Pair, residual: Residual | None) -> None:
        self.copied = residual is not None
        if residual is not None and residual.transfer[0].size >= 4:
            self.hz, self.db = residual.transfer
        else:
            self.hz, self.db = _by_power(pair)

    @cached_property
    def flatness_db(self) -> float:
        """Standard deviation of the levels, dB; 0 for a plain gain.

        Where the phases were made up, the distance from the median that three of four bands up to 7 kHz keep: a
        base vocoder's mel ends at 8 kHz whatever its level, and it leaks below the lowest partial.
        """
        if self.copied:
            return float(self.db.std()) if self.db.size else 0.0
        levels = self.db[self.hz < MADE_UP_HZ]
        return quantile(np.abs(levels - median(levels)), 0.75) if levels.size else 0.0

    @cached_property
    def step(self) -> Step | None:
        """The low-pass that fits best; None with under 4 bands."""
        if self.db.size <= FEWEST_KEPT:
            return None
        costs = [self._step_cost(split) for split in range(FEWEST_KEPT, self.db.size)]
        split = FEWEST_KEPT + int(np.argmin(costs))
        kept, lost = self.db[:split], self.db[split:]
        middle = median(kept)
        return Step(
            hz=float(np.sqrt(self.hz[split - 1] * self.hz[split])),
            kept_db=middle,
            lost_db=median(lost),
            uneven_db=float(np.abs(kept - middle).mean()),
            bands=lost.size,
        )

    def _step_cost(self, split: int) -> float:
        """Mean |distance| from a level that holds below, and from a lower one (at most -40 dB counts) above."""
        kept, lost = np.maximum(self.db[:split], -40), np.maximum(self.db[split:], -40)
        return float(np.abs(kept - median(kept)).sum() + np.abs(lost - median(lost)).sum())

    @cached_property
    def gap(self) -> Gap | None:
        """The widest run of bands 10 dB or more under the median of all, with a kept band above."""
        level = median(self.db) if self.db.size else 0.0
        gone = self.db < level + GONE_DB
        inside = [(a, b) for a, b in runs(gone) if b < self.db.size]
        if not inside:
            return None
        low, high = max(inside, key=lambda run: run[1] - run[0])
        others = np.delete(self.db, np.arange(max(low - 1, 0), min(high + 1, self.db.size)))
        if others.size < 3:
            return None
        middle = median(others)
        return Gap(
            low_hz=float(np.sqrt(self.hz[low - 1] * self.hz[low])) if low else 0.0,
            high_hz=float(np.sqrt(self.hz[high - 1] * self.hz[high])),
            depth_db=float(middle - self.db[low:high].mean()),
            uneven_db=float(np.abs(others - middle).mean()),
        )

    @cached_property
    def line(self) -> Line:
        """Least squares through the levels over log2 of the frequency."""
        if self.db.size < 4:
            return Line(0.0, 0.0, 0.0)
        x = np.log2(self.hz)
        steepness = slope(x, self.db)
        rest = self.db - self.db.mean() - steepness * (x - x.mean())
        total = float(np.square(self.db - self.db.mean()).sum())
        explains = 1 - float(np.square(rest).sum()) / total if total > 1e-6 else 0.0
        return Line(steepness, explains, float(x[-1] - x[0]))


def _by_power(pair: Pair) -> tuple[Floats, Floats]:
    ours, theirs = pair.reference.summed_energy, pair.generated.summed_energy
    centres = LOWEST_HZ * 2 ** np.arange(0, np.log2(0.45 * pair.rate / LOWEST_HZ), WIDTH_OCTAVES)
    half = 2 ** (WIDTH_OCTAVES / 2)
    levels = np.array([[band_energy(sums, hz / half, hz * half) for hz in centres] for sums in (ours, theirs)])
    loudest = levels[0].max(initial=0.0)
    ratio = 10 * np.log10(np.maximum(np.maximum(levels[1], 1e-20) / np.maximum(levels[0], 1e-20), 1e-9))
    heard = levels[0] > loudest * 10 ** (HEARD_DB / 10)
    if heard.any() and median(ratio[heard]) < ALL_GONE_DB:  # then the faint ones tell what was kept
        heard = levels[0] > loudest * 10 ** (FAINT_DB / 10)
    return centres[heard], ratio[heard]
