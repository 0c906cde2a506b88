"""One pass over the STFT gives every frame's figures and the long-term spectrum.

The frame functions take a block of spectra [shape=(frames, bins)] and give one number a frame; their
definitions are librosa's (magnitude spectra, Hann, n_fft 2048, hop 512, centred), so that figures can be compared.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.spectrogram import Framing, hann, locked, power_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.stft_cache import StftCache

FRAMING = Framing(n_fft=2048, hop=512, padding="centre")
SOUNDING = 1e-6  # power of a frame over the loudest one's from which it counts: under it a 16-bit file holds rounding
POWER_FLOOR = 1e-10  # librosa's amin for flatness
CUTOFF_DB = -60.0
LEAST_OVER_MEAN = 0.1  # an RMS of a quarter of the mean, taking which off rounds to 1e-7 of it
STRETCH = 32  # bins that roll-off sums at once


class SpectralFrames(msgspec.Struct, frozen=True, eq=False, dict=True):
    """Figures of each frame [shape=(frames,)] and the spectrum of the whole.

    power: the frame's power above 20 Hz or so (bins 2 and up: what a Hann window leaks of the mean is below).
    centroid, bandwidth, rolloff85, rolloff95 in Hz; flatness 0 to 1.
    long_term: mean |STFT|**2 by bin over the frames wholly inside the sound [shape=(bins,)].
    hz: the bins' frequencies.
    """

    power: Floats
    centroid: Floats
    bandwidth: Floats
    rolloff85: Floats
    rolloff95: Floats
    flatness: Floats
    long_term: Floats
    hz: Floats

    @cached_property
    def sounding(self) -> NDArray[np.bool_]:
        """Which frames hold sound."""
        return (self.power > 0) & (self.power > SOUNDING * self.power.max())

    @cached_property
    def silent(self) -> bool:
        """Whether no frame holds sound."""
        return not self.sounding.any()


def analyse(spectra: StftCache, rate: int) -> SpectralFrames:
    """One pass over the spectra; memory grows by 6 numbers a frame."""
    hz = np.fft.rfftfreq(FRAMING.n_fft, 1 / rate)
    rows, first = [], 0
    long_term, padded = np.zeros(hz.size), np.zeros(hz.size)
    whole = _whole_frames(spectra.samples.size)
    for power in spectra.power(FRAMING):
        long_term += power[max(whole.start - first, 0) : max(whole.stop - first, 0)].sum(axis=0)
        padded += power.sum(axis=0)
        rows.append(_frame_figures(power, hz))
        first += len(power)
    if not long_term.any():  # the only sound lies at an end
        long_term = padded
    power, centroid, bandwidth, rolloff85, rolloff95, flat = np.concatenate(rows, axis=1)
    return SpectralFrames(
        power=power,
        centroid=centroid,
        bandwidth=bandwidth,
        rolloff85=rolloff85,
        rolloff95=rolloff95,
        flatness=flat,
        long_term=long_term / (whole.stop - whole.start),
        hz=hz,
    )


def _whole_frames(length: int) -> slice:
    """The frames that no padding cuts into, or all where there is none.

    A sound that begins at full level is cut off there, and the splatter of the cut would fill the long-term
    spectrum down to -50 dB.
    """
    count, reach = FRAMING.count(length), FRAMING.n_fft // 2
    first, last = -(-reach // FRAMING.hop), (length - reach) // FRAMING.hop
    return slice(first, last + 1) if last >= first else slice(0, count)


def _frame_figures(power: Floats, hz: Floats) -> Floats:
    """[shape=(6, frames)] in the order of SpectralFrames."""
    magnitude = np.sqrt(power)
    centre, width = centroid_and_bandwidth(magnitude, hz)
    low, high = rolloff(magnitude, hz, (0.85, 0.95))
    return np.stack([power[:, 2:].sum(axis=1), centre, width, low, high, flatness(power)])


def centroid_and_bandwidth(magnitude: Floats, hz: Floats) -> tuple[Floats, Floats]:
    """c = sum(f m) / sum(m) and sqrt(sum((f - c)**2 m) / sum(m)), Hz; 0 for a frame of silence.

    Source: librosa.feature.spectral_centroid and spectral_bandwidth (p = 2).
    """
    # Moments about the middle of the band, in double precision: a lone line keeps a bandwidth near 0.
    middle = hz[-1] / 2
    powers = np.stack([np.ones_like(hz), hz - middle, (hz - middle) ** 2], axis=1)
    total, first, second = (magnitude.astype(np.float64) @ powers).T
    sounding = total > 0
    total = np.where(sounding, total, 1.0)
    offset = first / total
    centroid = np.where(sounding, offset + middle, 0.0)
    return centroid, np.sqrt(np.maximum(second / total - offset**2, 0.0))


def rolloff(magnitude: Floats, hz: Floats, shares: tuple[float, ...]) -> list[Floats]:
    """Lowest frequency under which each share of the summed magnitude lies, Hz (librosa's spectral_rolloff).

    Sums over stretches of 32 bins find the stretch, and only that one is summed bin by bin.
    """
    bins = magnitude.shape[1]
    below = np.cumsum(magnitude @ _stretches(bins).astype(magnitude.dtype), axis=1, dtype=np.float64)
    rows = np.arange(len(magnitude))
    found = []
    for share in shares:
        wanted = share * below[:, -1]
        stretch = np.argmax(below >= wanted[:, None], axis=1)
        before = np.where(stretch > 0, below[rows, stretch - 1], 0.0)
        within = np.minimum(stretch[:, None] * STRETCH + np.arange(STRETCH), bins - 1)
        summed = before[:, None] + np.cumsum(magnitude[rows[:, None], within], axis=1, dtype=np.float64)
        # The two sums differ by rounding: where the last bin of the stretch should reach the share, it does.
        reached = np.argmax(summed >= (wanted * (1 - 1e-6))[:, None], axis=1)
        found.append(hz[within[rows, reached]])
    return found


@lru_cache(maxsize=2)
def _stretches(bins: int) -> NDArray[np.float32]:
    """Matrix [shape=(bins, stretches)] that sums every 32 bins."""
    return (np.arange(bins)[:, None] // STRETCH == np.arange(-(-bins // STRETCH))).astype(np.float32)


def flatness(power: Floats) -> Floats:
    """Geometric over arithmetic mean of the power, 0 (a line) to 1 (white); floor 1e-10 as librosa has it."""
    floored = np.maximum(power, np.asarray(POWER_FLOOR, power.dtype))
    average = np.full(power.shape[1], 1 / power.shape[1], power.dtype)
    arithmetic = floored @ average
    return np.exp(np.log(floored, out=floored) @ average) / arithmetic


def summed_energy(long_term: Floats, hz: Floats) -> tuple[Floats, Floats]:
    """(edges in Hz, energy below each) of a one-sided power spectrum [shape=(bins,)].

    A bin stands for hz +- half a bin; bins between DC and Nyquist count twice, for their negative twins.
    """
    step = hz[1] - hz[0]
    edges = np.concatenate(([0.0], hz[:-1] + step / 2, [hz[-1]]))
    weights = np.full(hz.size, 2.0)
    weights[[0, -1]] = 1.0
    return edges, np.concatenate(([0.0], np.cumsum(long_term * weights)))


def cutoff(long_term: Floats, hz: Floats) -> float:
    """Highest frequency whose long-term power is over -60 dB of the strongest bin's, Hz.

    Source: D'Alessandro & Shi, MP3 bit rate quality detection through frequency spectrum analysis, 2009.
    """
    return float(hz[np.flatnonzero(long_term > long_term.max() * 10 ** (CUTOFF_DB / 10))[-1]])


class NativeSpectrum(msgspec.Struct, frozen=True, eq=False):
    """A file as it is, bias included: mean centroid over all frames in Hz (what librosa shows), None in silence.

    long_term: mean |STFT|**2 by bin over all frames [shape=(bins,)].  hz: the bins' frequencies.
    """

    centroid_hz: float | None
    long_term: Floats
    hz: Floats


def analyse_native(spectra: StftCache, rate: int) -> NativeSpectrum:
    """One pass over the spectra of a file's mono mix, to which the mean is given back."""
    hz = np.fft.rfftfreq(FRAMING.n_fft, 1 / rate)
    long_term, centroids, first = np.zeros(hz.size), [], 0
    for without in spectra.power(FRAMING):
        power = _with_mean(without, spectra, first)
        first += len(power)
        long_term += power.sum(axis=0)
        centroids.append(centroid_and_bandwidth(np.sqrt(power), hz)[0])
    every = np.concatenate(centroids)
    return NativeSpectrum(float(every.mean()) or None, long_term / every.size, hz)


def _with_mean(power: Floats, spectra: StftCache, first: int) -> Floats:
    """Frames first, first + 1 ... of the samples with their mean.

    In a frame that no end cuts, a constant is in bins 0 and 1 alone: the whole of a Hann window's transform.  Frames
    that are cut are transformed anew, and so are those far under the mean, which hold what taking it off rounded.
    """
    if not spectra.mean:
        return power
    power, samples = power.copy(), spectra.samples
    starts = (first + np.arange(len(power))) * FRAMING.hop - FRAMING.margin
    whole = (starts >= 0) & (starts + FRAMING.n_fft <= samples.size)
    if whole.any():
        power[whole, :2] = _lowest_bins(samples[starts[whole][0] : starts[whole][-1] + FRAMING.n_fft])
    whole &= power[:, 2:].sum(axis=1) > (LEAST_OVER_MEAN * FRAMING.n_fft * spectra.mean) ** 2
    power[~whole] = power_at(samples, starts[~whole], FRAMING.n_fft)
    return power


def _lowest_bins(samples: Floats) -> Floats:
    """|STFT|**2 of bins 0 and 1 [shape=(frames, 2)]: sums over a frame, from the sums over each of its hops."""
    hops = samples.reshape(-1, FRAMING.hop) @ _lowest_waves()
    parts = FRAMING.n_fft // FRAMING.hop
    frames = len(hops) - parts + 1
    sums = sum(hops[part : part + frames, 3 * part : 3 * part + 3] for part in range(parts))
    squares = np.square(sums)
    return np.stack([squares[:, 0], squares[:, 1] + squares[:, 2]], axis=1)


@lru_cache(maxsize=1)
def _lowest_waves() -> Floats:
    """The window times 1, cos and sin of bin 1 [shape=(hop, 3 * hops of a frame)], a frame's hops side by side."""
    turn = 2 * np.pi * np.arange(FRAMING.n_fft) / FRAMING.n_fft
    waves = hann(FRAMING.n_fft) * np.stack([np.ones_like(turn), np.cos(turn), np.sin(turn)])
    return locked(waves.reshape(3, -1, FRAMING.hop).transpose(2, 1, 0).reshape(FRAMING.hop, -1))
