"""Where in the reference a stretch of the generated sound may come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.timeline.correlation import fast_size

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.audio import Samples

COARSE_HZ = 11_025  # searched at about this rate first
NEAR_S = 2.0  # around the delay expected, before everywhere
FAR_S = 60.0
LIKELY = 0.8  # r of a stretch with its source; two stretches of different speech reach 0.6
SURE = 0.9  # r from which no farther source is looked for
TIE = 0.0005  # difference of r under which two sources explain a stretch alike
PEAKS = 12  # at the lower rate, that are looked at closely


class Waveforms:
    """Two waveforms, made ready for a search at a lower rate."""

    def __init__(self, reference: Samples, generated: Samples, rate: int, sign: float) -> None:
        self.reference, self.generated, self.rate, self.sign = reference, generated, rate, sign
        self.step = max(rate // COARSE_HZ, 1)
        self.coarse = [_decimated(part, self.step) for part in (reference, generated)]

    def seed(self, start: int, end: int) -> tuple[int, float]:
        """(delay, r) at which the reference explains the generated samples best, of either sign."""
        both = []
        for sign in (1.0, -1.0):
            self.sign = sign
            both.append((*self._best(start, end, 0, self.reference.size + self.generated.size)[::-1], sign))
        r, delay, sign = max(both)
        return delay, sign * r

    def delay_of(self, start: int, end: int, expected: int) -> int | None:
        """The delay at which the reference explains the generated samples [start, end); None where it does not.

        Of several that explain them alike, as in a steady tone, the one nearest to the expected.
        """
        for reach_s in (NEAR_S, FAR_S):
            delay, r = self._best(start, end, expected, round(reach_s * self.rate))
            if r >= SURE:
                break
        return delay if r >= LIKELY else None

    def likely(self, start: int, end: int, expected: int) -> list[int]:
        """All delays near the expected one at which the reference explains a stretch."""
        refined = [self._refined(start, end, d) for d in self._peaks(start, end, expected, round(NEAR_S * self.rate))]
        return [delay for delay, r in refined if r >= LIKELY]

    def _best(self, start: int, end: int, expected: int, reach: int) -> tuple[int, float]:
        refined = [self._refined(start, end, delay) for delay in self._peaks(start, end, expected, reach)]
        most = max((r for _, r in refined), default=0.0)
        alike = [(abs(delay - expected), delay, r) for delay, r in refined if r >= most - TIE]
        _, delay, r = min(alike, default=(0, 0, 0.0))
        return delay, r

    def _peaks(self, start: int, end: int, expected: int, reach: int) -> list[int]:
        """Delays of the highest peaks of r at the lower rate."""
        step = self.step
        block = self.coarse[1][start // step : end // step]
        first = max((start - expected - reach) // step, 0)
        searched = self.coarse[0][first : max((end - expected + reach) // step, 0)]
        if block.size < 8 or searched.size <= block.size:
            return []
        r = self.sign * normalised(searched, block)
        padded = np.pad(r, 1, constant_values=-2.0)
        tops = np.flatnonzero((r >= padded[:-2]) & (r >= padded[2:]) & (r > LIKELY / 2))
        # The height between the samples of the lower rate, from the parabola through three of them.
        before, after = r[np.maximum(tops - 1, 0)], r[np.minimum(tops + 1, r.size - 1)]
        bend = np.minimum(before - 2 * r[tops] + after, -1e-12)
        height = r[tops] - np.square(before - after) / (8 * bend)
        tops = tops[np.argsort(-height)[:PEAKS]]
        return [start - (first + int(top)) * step for top in tops]

    def _refined(self, start: int, end: int, delay: int) -> tuple[int, float]:
        """The delay to a sample, near one that was found at the lower rate."""
        reach = 2 * self.step
        first = max(start - delay - reach, 0)
        searched = self.reference[first : max(end - delay + reach, 0)]
        block = self.generated[start:end]
        if searched.size <= block.size:
            return delay, 0.0
        r = self.sign * normalised(searched, block)
        best = int(r.argmax())
        return start - first - best, float(r[best])


def normalised(searched: Floats, block: Floats) -> Floats:
    """r of block [shape=(n,) or (rows, n)] with each stretch of its length in searched, -1 to 1."""
    searched, block = np.atleast_2d(searched), np.atleast_2d(block)
    length, width = searched.shape[1], block.shape[1]
    size = fast_size(length)
    spectra = [np.fft.rfft(part.astype(np.float64), size) for part in (searched, block)]
    cross = np.fft.irfft((spectra[0] * np.conj(spectra[1])).sum(axis=0), size)[: length - width + 1]
    summed = np.concatenate(([0.0], np.cumsum(np.square(searched, dtype=np.float64).sum(axis=0))))
    norm = (summed[width:] - summed[:-width]) * float(np.square(block, dtype=np.float64).sum())
    floor = 1e-4 * float(norm.max(initial=0.0))
    return np.where(norm > floor, cross / np.sqrt(np.maximum(norm, floor or 1.0)), 0.0)


def _decimated(samples: Samples, step: int) -> Samples:
    """Means of step samples each."""
    whole = samples.size // step * step
    return samples[:whole].reshape(-1, step).mean(axis=1)
