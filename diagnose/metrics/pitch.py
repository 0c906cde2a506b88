"""Fundamental frequency and harmonic-to-noise ratio from the normalised autocorrelation.

Source: Boersma, Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio
of a sampled sound, 1993: the autocorrelation of the windowed frame divided by the window's own.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose.metrics.metric import Metric, Unmeasurable
from diagnose.metrics.order import median
from diagnose.metrics.spectrum import SOUNDING
from diagnose.spectrogram import Framing, hann, power_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.audio import Samples
    from diagnose.metrics.signal import Signal

    Floats = NDArray[np.floating[Any]]

LOWEST_F0_HZ = 60.0
HIGHEST_F0_HZ = 2000.0
PERIODS = 3  # of the lowest pitch in one frame
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
    """Pitch between 60 and 2000 Hz, in frames of at least 50 ms (a power of two), half overlapping."""
    size = 1 << int(np.ceil(np.log2(PERIODS / LOWEST_F0_HZ * rate)))
    framing = Framing(size, size // 2, "none")
    results, powers = [], []
    # Half the band is enough for a pitch, and gives the correlation at half the rate; below 32 kHz all is kept.
    halved = 2 if rate >= 32_000 else 1
    lags = int(rate / halved / LOWEST_F0_HZ) + 2
    for power in power_blocks(samples, framing, mean):
        # Without zeros behind the frame the correlation is circular: what comes round at these lags, under a
        # fifth of the frame, is the product of the window's two ends: 0.2 % at 60 Hz, 1e-5 above 200 Hz.
        correlation = np.fft.irfft(power[:, : size // (2 * halved) + 1].astype(np.float64))[:, :lags]
        powers.append(correlation[:, 0].copy())
        results.append(_best_period(_normalised(correlation, size // halved), rate / halved))
    if not results:
        return PitchTrack(np.zeros(0), np.zeros(0), framing.hop / rate)
    f0, periodicity = (np.concatenate(column) for column in zip(*results, strict=True))
    energy = np.concatenate(powers)
    silent = energy <= SOUNDING * energy.max()
    f0[silent | (periodicity < VOICED)] = 0.0
    return PitchTrack(f0, np.where(silent, 0.0, periodicity), framing.hop / rate)


def _normalised(correlation: Floats, size: int) -> Floats:
    """Boersma's equation 9: r(lag) = r_frame(lag) / r_window(lag), both 1 at lag 0."""
    at_zero = correlation[:, :1]
    scale = np.where(at_zero > 0, at_zero, 1.0)
    return correlation / scale / _window_correlation(size)[: correlation.shape[1]]


@lru_cache(maxsize=4)
def _window_correlation(size: int) -> NDArray[np.float32]:
    spectrum = np.fft.rfft(hann(size), 2 * size)
    correlation = np.fft.irfft(np.square(np.abs(spectrum)))[:size]
    # The last lags are never used; the floor only keeps them from dividing by rounding.
    return np.maximum(correlation / correlation[0], 1e-6)


def _best_period(correlation: Floats, rate: float) -> tuple[Floats, Floats]:
    """(f0 in Hz, periodicity) of each row: the highest peak, with a parabola through its three points."""
    shortest = max(int(rate / HIGHEST_F0_HZ), 2)
    before, here, after = (
        correlation[:, shortest - 1 : -2],
        correlation[:, shortest:-1],
        correlation[:, shortest + 1 :],
    )
    bend = 2 * here - before - after
    peak = (here > before) & (here >= after) & (bend > 0)
    shift = np.where(peak, 0.5 * (after - before) / np.where(peak, bend, 1.0), 0.0)
    height = np.where(peak, here + 0.25 * (after - before) * shift, 0.0)
    lag = np.arange(shortest, shortest + here.shape[1]) + shift
    # A peak over 1 is interpolation error; what is lost above it is the harmonic-to-noise ratio's.
    score = np.where(peak, np.minimum(height, 1.0) - OCTAVE_COST * np.log2(lag / shortest), -np.inf)
    rows, best = np.arange(score.shape[0]), np.argmax(score, axis=1)
    found = peak[rows, best]
    f0 = np.where(found, rate / lag[rows, best], 0.0)
    return f0, np.where(found, np.clip(height[rows, best], 0.0, 1.0), 0.0)


def f0_hz(signal: Signal) -> float:
    """Median fundamental frequency of the voiced frames, Hz."""
    voiced = _voiced(signal)
    return median(signal.pitch.f0_hz[voiced])


def hnr_db(signal: Signal) -> float:
    """Mean of 10 log10(r / (1 - r)) over the voiced frames, dB, at most 40; r is the periodicity.

    Source: Boersma 1993, equation 4.  Interpolation limits what can be told above 40 dB.
    """
    periodicity = np.minimum(signal.pitch.periodicity[_voiced(signal)], 1 - 1e-4)
    return float((10 * np.log10(periodicity / (1 - periodicity))).mean(dtype=np.float64))


def _voiced(signal: Signal) -> NDArray[np.bool_]:
    if signal.pitch.f0_hz.size == 0:
        raise Unmeasurable("shorter than one pitch frame")
    voiced = signal.pitch.voiced
    if not voiced.any():
        raise Unmeasurable("no frame has a pitch between 60 and 2000 Hz")
    return voiced


METRICS = (
    Metric("f0_hz", "Hz", "median fundamental frequency", f0_hz),
    Metric("hnr_db", "dB", "harmonic-to-noise ratio of the voiced frames", hnr_db),
)
