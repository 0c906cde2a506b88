"""Cross-correlation: the delay at which two signals, or rows of features, agree best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.arrays import fast_size

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.audio import Samples

TIE = 0.002  # difference of r under which two delays explain a periodic sound alike
LIMIT_RMS, LIMITINGS = 3.0, 3


def peak_correlation(
    ours: Floats, theirs: Floats, absolute: bool, offset: int = 0, reach: int | None = None
) -> tuple[int, float]:
    """(lag + offset, r) that maximises sum over rows and time of ours(t) * theirs(t + lag).

    r is normalised by the energies of the stretches that overlap, and only lags that overlap by half of the
    shorter signal are taken: r of a few samples is high by chance.
    """
    n, m = ours.shape[1], theirs.shape[1]
    half = min(n, m) // 2 + 1
    size = fast_size(n + m - half)  # what comes round the circle are lags that are not taken
    spectra = [np.fft.rfft(part.astype(np.float64), size).astype(np.complex64) for part in (ours, theirs)]
    circular = np.fft.irfft((np.conj(spectra[0]) * spectra[1]).sum(axis=0), size)
    lags = np.arange(-(n - half), m - half + 1)
    # Energy of ours over 0..n and of theirs over 0..m, summed from the start: any stretch is a difference.
    energy = [np.concatenate(([0.0], np.cumsum(np.square(x, dtype=np.float64).sum(axis=0)))) for x in (ours, theirs)]
    begin, end = np.maximum(0, -lags), np.minimum(n, m - lags)
    held = energy[0][end] - energy[0][begin], energy[1][end + lags] - energy[1][begin + lags]
    norm = held[0] * held[1]
    floor = 1e-6 * energy[0][-1] * energy[1][-1]
    r = np.where(norm > floor, circular[lags] / np.sqrt(np.maximum(norm, floor or 1.0)), 0.0)
    # Of a phrase that repeats, the delay that leaves out the bar with the fault fits best: what a delay leaves
    # out of both counts against it.  A part of the other's is covered whole where it belongs.
    shares = [part / max(float(sums[-1]), 1e-300) for part, sums in zip(held, energy, strict=True)]
    height = (np.abs(r) if absolute else r) * np.sqrt(np.maximum(*shares))
    if reach is not None:
        height[np.abs(lags + offset) > reach] = -1.0
    best = _nearest_peak(height, lags + offset)
    return int(lags[best]) + offset, float(np.clip(r[best], -1.0, 1.0))


def _nearest_peak(height: Floats, delays: Floats) -> int:
    """Index of the highest peak; of peaks as high as it, one a period of a steady tone, the nearest to no delay."""
    padded = np.pad(height, 1, constant_values=-np.inf)
    peaks = np.flatnonzero((height >= padded[:-2]) & (height >= padded[2:]) & (height >= height.max() - TIE))
    return int(peaks[np.argmin(np.abs(delays[peaks]))])


def limited(samples: Samples) -> Samples:
    """Samples cut at 3 times their RMS, three times over.

    A burst at a border holds more energy than the sound, and the delay that leaves it out, one period off, would
    fit best; so would the one that lays a hole on a quiet place.
    """
    for _ in range(LIMITINGS):
        most = LIMIT_RMS * float(np.sqrt(np.dot(samples, samples) / max(samples.size, 1)))
        samples = np.clip(samples, -most, most)
    return samples


def loudest_start(samples: Samples, size: int) -> int:
    """Start of the loudest stretch of size samples, to a quarter of its length."""
    if samples.size <= size:
        return 0
    starts = [*range(0, samples.size - size, size // 4), samples.size - size]
    return max(starts, key=lambda start: float(np.dot(samples[start : start + size], samples[start : start + size])))
