"""Sounds whose phases are their own: rows of log-band energies in place of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.timeline.candidates import FAR_S, normalised
from diagnose.timeline.path import Fit, Material, smoothed

if TYPE_CHECKING:
    from diagnose.arrays import Floats

FRAME_S = 0.010
LIKELY = 0.75  # r of a stretch with its source
TIE = 0.005


class Spectra(Material):
    """Log energies in bands, each without its mean [shape=(bands, frames)]; a column each `step` samples."""

    shortest_s, searched_s = 0.05, 0.4

    def __init__(self, reference: Floats, generated: Floats, step: int, lengths: tuple[int, int], rate: int) -> None:
        self.reference, self.generated, self.step = reference, generated, step
        self.columns = max(round(FRAME_S * rate / step), 1)
        self.hop = step * self.columns
        super().__init__(smoothed(self._sums(generated, generated)), lengths, rate, 1.0)

    def fit(self, delay: int) -> Fit:
        shift = round(delay / self.step)
        laid = np.zeros_like(self.generated)
        first, last = max(shift, 0), min(self.reference.shape[1] + shift, laid.shape[1])
        if first < last:
            laid[:, first:last] = self.reference[:, first - shift : last - shift]
        return Fit(smoothed(self._sums(laid, laid)), smoothed(self._sums(self.generated, laid)))

    def _sums(self, one: Floats, other: Floats) -> Floats:
        product = np.einsum("bt,bt->t", one, other)
        product = np.pad(product, (0, -product.size % self.columns))
        return product.reshape(-1, self.columns).sum(axis=1)

    def likely(self, start: int, end: int, expected: int) -> list[int]:
        """As Waveforms.likely: the one delay that is found."""
        found = self.delay_of(start, end, expected)
        return [] if found is None else [found]

    def delay_of(self, start: int, end: int, expected: int, _possible: float = 1.0) -> int | None:
        """The delay at which the reference explains the generated samples [start, end); None where it does not."""
        first, last = start // self.step, -(-end // self.step)
        block = self.generated[:, first:last]
        if block.shape[1] < 8 or self.reference.shape[1] <= block.shape[1]:
            return None
        reach = round(FAR_S * self.rate / self.step)
        begin = max(first - round(expected / self.step) - reach, 0)
        r = normalised(self.reference[:, begin : max(begin + 2 * reach, block.shape[1] + 1)], block)
        places = begin + np.flatnonzero(r >= r.max() - TIE)
        delays = (first - places) * self.step
        nearest = int(np.argmin(np.abs(delays - expected)))
        return int(delays[nearest]) if r.max() >= LIKELY else None
