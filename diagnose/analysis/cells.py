"""Cells: both sounds and what a gain leaves over, by frames of 6 ms and bands of an octave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from diagnose.spectrogram import hann

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.audio import Samples

HALF_S = 0.0029  # of a frame: a fault of 2 ms fills it, and its spectrum tells six octaves apart
BANDS_HZ = (0.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, 12800.0)  # each begins where the one before it ends
BELOW_NYQUIST = 0.9  # share of the Nyquist frequency from which no band begins
AT_ONCE = 256  # frames, which stay in the processor's cache
LEAST = 1e-16  # power, -160 dB: what is less is as much


class Cells(msgspec.Struct, frozen=True, eq=False):
    """Mean powers by frame and band [shape=(frames, bands)], the means and the gain removed.

    residual: of generated / gain - reference; only of a copy.  hop: samples from one frame to the next; a frame is two
    hops long, windowed (Hann).  rate in Hz.
    """

    reference: Floats
    generated: Floats
    residual: Floats | None
    hop: int
    rate: int

    @property
    def hop_s(self) -> float:
        return self.hop / self.rate


def measure_cells(
    ours: Samples, theirs: Samples, means: tuple[float, float], gain: float, rate: int, *, copy: bool
) -> Cells:
    """The cells of two signals [shape=(n,)] that lie on each other; gain: signed, generated over reference.

    The residual's spectrum is the difference of both: the transform is linear.
    """
    hop = max(round(HALF_S * rate), 2)
    count = max((ours.size - 2 * hop) // hop + 1, 0)
    pooled = _pooling(hop, rate)
    parts: list[list[Floats]] = [[], [], []]
    for first in range(0, count, AT_ONCE):
        last = min(first + AT_ONCE, count)
        before = _spectra(ours, means[0], 1.0, first, last, hop)
        after = _spectra(theirs, means[1], 1.0 / gain, first, last, hop)
        sides = (before, after, after - before) if copy else (before, after)
        for part, side in zip(parts, sides, strict=False):
            part.append(np.square(side) @ pooled)
    empty = np.zeros((0, pooled.shape[1]), np.float32)
    joined = [np.maximum(np.concatenate(part), np.float32(LEAST)) if part else empty for part in parts]
    return Cells(joined[0], joined[1], joined[2] if copy else None, hop, rate)


def _spectra(samples: Samples, mean: float, scale: float, first: int, last: int, hop: int) -> NDArray[np.float32]:
    """Real and imaginary parts by turns [shape=(frames, 2 * bins)] of the frames first to last, times a scale."""
    stretch = samples[first * hop : (last + 1) * hop]
    if mean or scale != 1.0:
        stretch = (stretch - np.float32(mean)) * np.float32(scale)
    frames = sliding_window_view(stretch, 2 * hop)[::hop] * hann(2 * hop).astype(np.float32)
    return np.fft.rfft(frames).view(np.float32)


def _pooling(hop: int, rate: int) -> NDArray[np.float32]:
    """From the squared parts of a frame's bins to its bands [shape=(2 * bins, bands)]."""
    hz = np.arange(hop + 1) * rate / (2 * hop)
    starts = [low for low in BANDS_HZ if low < BELOW_NYQUIST * rate / 2]
    band = np.searchsorted(starts, hz, side="right") - 1
    table = np.zeros((hz.size, len(starts)), np.float32)
    table[np.arange(hz.size), band] = 2 / (2 * hop * np.square(hann(2 * hop)).sum())
    return np.repeat(table, 2, axis=0)


def decibels(powers: Floats) -> Floats:
    """10 log10 of powers."""
    return 10 * np.log10(np.maximum(powers, LEAST))


def total_db(powers: Floats) -> Floats:
    """Level of each frame, dB: all bands together [shape=(frames,)]."""
    return decibels(powers.sum(axis=1))
