"""Where in the reference a stretch of the generated sound may come from."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from diagnose.arrays import fast_size

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.audio import Samples

COARSE_HZ = 22_050  # about the rate at which what is far is searched
NEAR_S = 2.0  # around the delay expected, before everywhere
FAR_S = 60.0
LIKELY = 0.8  # r of a stretch with its source; two stretches of different speech reach 0.6
SURE = 0.95  # r from which no farther source is looked for
TIE = 0.0005  # difference of r under which two sources explain a stretch alike
EXACTLY = 1e-6  # the same, where one of them is the stretch itself; rounding stays under it
QUIETER = 1e-7  # of the loudest stretch's energy: what is 70 dB quieter is like nothing
LEAST = 8  # samples of a block
PEAKS, HIGHEST = 12, 4  # that are looked at closely: of those that are alike the nearest, and the highest of all


class Waveforms:
    """Two waveforms, made ready for searches: near at their own rate, far at a lower one."""

    def __init__(self, reference: Samples, generated: Samples, rate: int, sign: float) -> None:
        self.reference, self.generated, self.rate, self.sign = reference, generated, rate, sign
        self.step = max(rate // COARSE_HZ, 1)

    @cached_property
    def coarse(self) -> tuple[Samples, Samples]:
        """Both at the lower rate; a plain copy is never searched there."""
        return _decimated(self.reference, self.step), _decimated(self.generated, self.step)

    def seed(self, start: int, end: int) -> tuple[int, float]:
        """(delay, r) at which the reference explains the generated samples best, of either sign."""
        step = self.step
        block = self.coarse[1][start // step : end // step]
        if block.size < LEAST or self.coarse[0].size <= block.size:
            return 0, 0.0
        r = self._everywhere.normalised(block)
        found = []
        for sign in (1.0, -1.0):
            self.sign = sign
            places = _tops(sign * r, start / step)
            refined = [self._refined(start, end, start - place * step) for place, _ in places]
            delay, likely = self._best(refined, 0)
            found.append((likely, delay, sign))
        likely, delay, sign = max(found)
        return delay, sign * likely

    @cached_property
    def _everywhere(self) -> Searched:
        return Searched(self.coarse[0])

    def delay_of(self, start: int, end: int, expected: int, possible: float = 1.0) -> int | None:
        """The delay at which the reference explains the generated samples [start, end); None where it does not.

        possible: the r that their noise allows.  Of several that explain them alike, as in a steady tone, the one
        nearest to the expected.
        """
        delay, r = self._best(self._near(start, end, expected), expected)
        if r < SURE * possible:
            found = self._far(start, end, expected, round(FAR_S * self.rate))
            delay, r = max((delay, r), self._best(found, expected), key=lambda each: each[1])
        return delay if r >= LIKELY * possible else None

    def likely(self, start: int, end: int, expected: int) -> list[int]:
        """All delays near the expected one at which the reference explains a stretch."""
        return [delay for delay, r in self._near(start, end, expected) if r >= LIKELY]

    @staticmethod
    def _best(found: list[tuple[int, float]], expected: int) -> tuple[int, float]:
        most = max((r for _, r in found), default=0.0)
        tie = min(TIE, max(1.0 - most, EXACTLY))
        alike = [(abs(delay - expected), delay, r) for delay, r in found if r >= most - tie]
        _, delay, r = min(alike, default=(0, 0, 0.0))
        return delay, r

    def _near(self, start: int, end: int, expected: int) -> list[tuple[int, float]]:
        """(delay, r) of the highest peaks of r within NEAR_S of the expected delay."""
        reach = round(NEAR_S * self.rate)
        first = max(start - expected - reach, 0)
        searched = self.reference[first : max(end - expected + reach, 0)]
        peaks = self._peaks(searched, self.generated[start:end], start - first - expected)
        return [(start - first - place, r) for place, r in peaks]

    def _far(self, start: int, end: int, expected: int, reach: int) -> list[tuple[int, float]]:
        """As _near, at the lower rate and then looked at closely."""
        step = self.step
        first = max((start - expected - reach) // step, 0)
        searched = self.coarse[0][first : max((end - expected + reach) // step, 0)]
        places = self._peaks(searched, self.coarse[1][start // step : end // step], (start - expected) / step - first)
        return [self._refined(start, end, start - (first + place) * step) for place, _ in places]

    def _peaks(self, searched: Samples, block: Samples, expected: float) -> list[tuple[int, float]]:
        """(place, r) of the highest peaks of r in what is searched; of equal ones, those near the expected place."""
        if block.size < LEAST or searched.size <= block.size:
            return []
        return _tops(self.sign * normalised(searched, block), expected)

    def _refined(self, start: int, end: int, delay: int) -> tuple[int, float]:
        """The delay to a sample, and r there, near one that was found at the lower rate."""
        reach = 2 * self.step
        first = max(start - delay - reach, 0)
        searched = self.reference[first : max(end - delay + reach, 0)]
        block = self.generated[start:end]
        if searched.size <= block.size:
            return delay, 0.0
        r = self.sign * normalised(searched, block)
        best = int(r.argmax())
        return start - first - best, float(r[best])


def _tops(r: Floats, expected: float) -> list[tuple[int, float]]:
    """(place, r) of the highest peaks; of equal ones, those near the expected place."""
    padded = np.pad(r, 1, constant_values=-2.0)
    tops = np.flatnonzero((r >= padded[:-2]) & (r >= padded[2:]) & (r > LIKELY / 2))
    nearest = tops[np.lexsort((np.abs(tops - expected), -np.round(r[tops] / TIE)))[:PEAKS]]
    highest = tops[np.argsort(-r[tops])[:HIGHEST]]
    return [(int(top), float(r[top])) for top in dict.fromkeys([*nearest.tolist(), *highest.tolist()])]


class Searched:
    """What blocks are searched for in [shape=(n,) or (rows, n)]: its spectrum and its energy are computed once."""

    def __init__(self, searched: Floats) -> None:
        rows = np.atleast_2d(searched)
        self.length = rows.shape[1]
        self.size = fast_size(self.length)
        self.spectrum = np.fft.rfft(rows.astype(np.float64), self.size)
        self.summed = np.concatenate(([0.0], np.cumsum(np.square(rows, dtype=np.float64).sum(axis=0))))

    def normalised(self, block: Floats) -> Floats:
        """r of block [shape as what is searched, (n,) or (rows, n)] with each stretch of its length, -1 to 1."""
        rows = np.atleast_2d(block)
        width = rows.shape[1]
        spectrum = np.conj(np.fft.rfft(rows.astype(np.float64), self.size))
        cross = np.fft.irfft((self.spectrum * spectrum).sum(axis=0), self.size)[: self.length - width + 1]
        energy, own = self.summed[width:] - self.summed[:-width], float(np.square(rows, dtype=np.float64).sum())
        floor = QUIETER * float(energy.max(initial=0.0))
        return np.where(energy > floor, cross / np.sqrt(np.maximum(energy, floor or 1.0) * (own or 1.0)), 0.0)


def normalised(searched: Floats, block: Floats) -> Floats:
    """r of block [shape=(n,) or (rows, n)] with each stretch of its length in searched, -1 to 1."""
    return Searched(searched).normalised(block)


def _decimated(samples: Samples, step: int) -> Samples:
    """Means of step samples each."""
    whole = samples.size // step * step
    return samples[:whole].reshape(-1, step).mean(axis=1)
