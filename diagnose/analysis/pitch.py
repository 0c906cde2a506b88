"""Pitch track of a sound from the normalised autocorrelation.

Source: Boersma, Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio
of a sampled sound, 1993: the autocorrelation of the windowed frame divided by the window's own.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.analysis.spectra import SOUNDING
from diagnose.spectrogram import Framing, hann, power_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.audio import Samples

LOWEST_F0_HZ = 60.0
HIGHEST_F0_HZ = 2000.0
PERIODS = 4  # of the lowest pitch in one frame
SEARCHED_HZ = 4000.0
MULTIPLES = 4
HELD = 0.9  # height of a multiple's peak over the first's, from which it counts
VOICED = 0.5  # periodicity from which a frame has a pitch
OCTAVE_COST = 0.01  # a period twice as long has to fit better by this much


class PitchTrack(msgspec.Struct, frozen=True, eq=False):
    """One value a frame [shape=(frames,)], hop_s apart.

    f0_hz: fundamental frequency; 0 where the frame has none.  periodicity: the autocorrelation at one period,
    0 to 1: the share of the power that repeats.
    """

    f0_hz: Floats
    periodicity: Floats
    hop_s: float

    @property
    def voiced(self) -> NDArray[np.bool_]:
        return self.f0_hz > 0


def track(samples: Samples, rate: int, mean: float = 0.0) -> PitchTrack:
    """Pitch between 60 and 2000 Hz, in frames of at least 66 ms (a power of two), half overlapping.

    The period is found in the band below 4 kHz, whose correlation is smooth enough for a parabola, and refined
    on its multiples; the periodicity is that of the whole band.
    """
    size = 1 << int(np.ceil(np.log2(PERIODS / LOWEST_F0_HZ * rate)))
    framing = Framing(size, size // 2, "none")
    # Half the rate still is over twice what a band of 4 kHz needs.
    halved = 2 if rate >= 32_000 else 1
    longest = int(rate / LOWEST_F0_HZ)
    searched = min(int(np.ceil(SEARCHED_HZ * size / rate)), size // (2 * halved)) + 1
    results, energies = [], []
    for power in power_blocks(samples, framing, mean):
        spectrum = power.astype(np.complex64)  # from complex to real, numpy transforms single precision faster
        # irfft fills the band above with zeros.
        smooth = np.fft.irfft(spectrum[:, :searched], size // halved)[:, : longest // halved + 2]
        whole = np.fft.irfft(spectrum)[:, : longest + 3]
        energies.append(whole[:, 0].copy())
        results.append(
            _refined(
                _normalised(whole, size),
                halved * _best_period(_normalised(smooth, size // halved), rate / halved),
                rate,
            )
        )
    if not results:
        return PitchTrack(np.zeros(0), np.zeros(0), framing.hop / rate)
    f0, periodicity = (np.concatenate(column) for column in zip(*results, strict=True))
    energy = np.concatenate(energies)
    silent = energy <= SOUNDING * energy.max()
    f0[silent | (periodicity < VOICED)] = 0.0
    return PitchTrack(f0, np.where(silent, 0.0, periodicity), framing.hop / rate)


def _normalised(correlation: Floats, size: int) -> Floats:
    """Boersma's equation 9: r(lag) = r_frame(lag) / r_window(lag), both 1 at lag 0.

    No zeros stand behind the frame, so its correlation is circular: what comes round at these lags, under a
    fifth of the frame, is the product of the window's two ends: 0.3 % at 60 Hz, 1e-5 above 200 Hz.
    """
    at_zero = correlation[:, :1]
    scale = np.where(at_zero > 0, at_zero, 1.0)
    return correlation / scale / _window_correlation(size)[: correlation.shape[1]]


@lru_cache(maxsize=4)
def _window_correlation(size: int) -> NDArray[np.float32]:
    spectrum = np.fft.rfft(hann(size), 2 * size)
    correlation = np.fft.irfft(np.square(np.abs(spectrum)))[:size]
    # The last lags are never used; the floor only keeps them from dividing by rounding.
    return np.maximum(correlation / correlation[0], 1e-6)


def _best_period(correlation: Floats, rate: float) -> Floats:
    """Period of each row in samples: the highest peak, with a parabola through three points; 0 without a peak."""
    shortest = max(int(rate / HIGHEST_F0_HZ), 2)
    before, here, after = (correlation[:, shortest + step : correlation.shape[1] - 1 + step] for step in (-1, 0, 1))
    shift, height = parabola(before, here, after)
    peak = (here > before) & (here >= after)
    # A peak over 1 is interpolation error, and must not beat a shorter period.
    lag = np.arange(shortest, shortest + here.shape[1]) + shift
    score = np.where(peak, np.minimum(height, 1.0) - OCTAVE_COST * np.log2(lag / shortest), -np.inf)
    rows, best = np.arange(score.shape[0]), np.argmax(score, axis=1)
    return np.where(peak[rows, best], lag[rows, best], 0.0)


def parabola(before: Floats, here: Floats, after: Floats) -> tuple[Floats, Floats]:
    """(offset -0.5..0.5, height) of the vertex of the parabola through three neighbours; their middle if flat."""
    bend = 2 * here - before - after
    shift = np.where(bend > 0, 0.5 * (after - before) / np.where(bend > 0, bend, 1.0), 0.0)
    shift = np.clip(shift, -0.5, 0.5)
    return shift, here + 0.25 * (after - before) * shift


def _refined(correlation: Floats, period: Floats, rate: int) -> tuple[Floats, Floats]:
    """(f0 in Hz, periodicity) of each row, from the peaks at 1 to 4 periods.

    The peak at k periods gives the period k times as finely.  A periodic sound comes back as high at each of
    them, and the one whose top lies nearest to a sample says how high, whatever the period's fraction.
    """
    rows, longest = np.arange(period.size), correlation.shape[1] - 2
    f0, first = np.zeros(period.size), np.zeros(period.size)
    periodicity, nearest = np.zeros(period.size), np.full(period.size, np.inf)
    for k in range(1, MULTIPLES + 1):
        near = np.rint(k * period).astype(int)
        inside = (near >= 2) & (near <= longest - 1)
        at = np.clip(near, 2, longest - 1)
        at = at - 1 + np.argmax([correlation[rows, at + step] for step in (-1, 0, 1)], axis=0)
        shift, height = parabola(*(correlation[rows, at + step] for step in (-1, 0, 1)))
        first = np.where(k == 1, height, first)
        held = inside & (height >= HELD * first)
        period = np.where(held, (at + shift) / k, period)
        f0 = np.where(held, rate / np.where(held, period, 1.0), f0)
        closer = held & (np.abs(shift) < nearest)
        periodicity = np.where(closer, np.clip(height, 0.0, 1.0), periodicity)
        nearest = np.where(closer, np.abs(shift), nearest)
    return f0, periodicity
