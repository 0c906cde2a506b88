"""Spectral distances of two aligned sounds, frame by frame, from one pass over both spectra."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.analysis.fill import pooled, quiet_excess
from diagnose.analysis.mel_grid import mel_grid
from diagnose.analysis.moments import moments
from diagnose.scale import Decibel
from diagnose.spectrogram import Framing, hann, mel_filterbank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.stft_cache import StftCache

RESOLUTIONS = (512, 1024, 2048)  # n_fft, hop a quarter of it (Yamamoto et al., Parallel WaveGAN, 1910.11480)
FRAME_RESOLUTION = 1024  # the one at which frames are compared one by one
FLOOR_DB = -80.0  # of the reference's mean power by bin: two kinds of silence are alike
CEPSTRAL_ORDER = 13
HEARD = 1e-4  # power of a frame over the loudest's
GONE = 1e-3  # power of a frame over the reference's


class SpectralDistance(msgspec.Struct, frozen=True, eq=False):
    """convergence: ||A - B|| / ||A|| for each resolution, B with the gain removed.

    By frame [shape=(frames,)], hop 256: log_spectral in dB, mel_cepstral in dB, reference_energy and
    generated_energy (summed power).  quiet_excess: of generated over reference where that is quiet, dB (fill.py).
    """

    convergence: tuple[float, ...]
    log_spectral: Floats
    mel_cepstral: Floats
    reference_energy: Floats
    generated_energy: Floats
    quiet_excess: float = 0.0

    @property
    def sounding(self) -> NDArray[np.bool_]:
        """Frames in which the reference is heard: within 40 dB of its loudest."""
        return self.reference_energy > HEARD * self.reference_energy.max()

    @property
    def gone(self) -> NDArray[np.bool_]:
        """Sounding frames in which the generated sound is 30 dB weaker or more."""
        return self.sounding & (self.generated_energy < GONE * self.reference_energy)


def measure_spectra(reference: StftCache, generated: StftCache, gain: float, rate: int) -> SpectralDistance:
    """One pass over the spectra of two signals of one length."""
    power = moments(reference.samples).variance
    convergence: list[float] = []
    frames: list[tuple[Floats, ...]] = []
    cells: list[tuple[Floats, Floats]] = []
    for n_fft in RESOLUTIONS:
        framing = Framing(n_fft, n_fft // 4, "centre")
        error = energy = 0.0
        floor = _bin_floor(power, n_fft)
        for ours, louder in zip(reference.power(framing), generated.power(framing), strict=True):
            theirs = louder * np.float32(1 / gain**2)
            a, b = np.sqrt(ours), np.sqrt(theirs)
            if n_fft == FRAME_RESOLUTION:
                frames.append(_compare_frames(ours, theirs, a, b, floor, rate))
                cells.append((pooled(ours), pooled(theirs)))
            a_minus_b = a - b
            error += float(np.vdot(a_minus_b, a_minus_b))
            energy += float(ours.sum(dtype=np.float64))
        convergence.append(float(np.sqrt(error / energy)) if energy > 0 else float("nan"))
    levels, cepstra, before, after = (np.concatenate(column) for column in zip(*frames, strict=True))
    quiet = quiet_excess(*(np.concatenate(column) for column in zip(*cells, strict=True)))
    return SpectralDistance(tuple(convergence), levels, cepstra, before, after, quiet)


def _bin_floor(power: float, n_fft: int) -> float:
    """Power 80 dB under the average of all bins: mean square times the window's energy (Parseval)."""
    return max(power, 1e-20) * float(np.square(hann(n_fft)).sum()) * 10 ** (FLOOR_DB / 10)


def _compare_frames(ours: Floats, theirs: Floats, a: Floats, b: Floats, floor: float, rate: int) -> tuple[Floats, ...]:
    scale = Decibel(floor, 0.0)
    level = [scale.from_power(power) for power in (ours, theirs)]
    log_spectral = np.sqrt(np.square(level[0] - level[1]).mean(axis=1))
    return log_spectral, mel_cepstral_distortion(a, b, rate, floor**0.5), ours.sum(axis=1), theirs.sum(axis=1)


def mel_cepstral_distortion(ours: Floats, theirs: Floats, rate: int, clip: float) -> Floats:
    """(10 sqrt(2) / ln 10) sqrt(sum_{k=1..13} (c_k - c'_k)**2), dB, of magnitude spectra [shape=(frames, bins)].

    c_k = 2/N sum_n ln(max(mel_n, clip)) cos(pi k (n + 1/2) / N) over N = 80 mel bands, so that
    ln mel = c_0/2 + sum c_k cos(..), and the figure is the RMS difference in dB of the smoothed log spectra,
    whatever N.  The level (c_0) is left out.  Source: Kubichek, Mel-cepstral distance measure for
    objective speech quality assessment, 1993.
    """
    basis = mel_filterbank(mel_grid(rate)).T
    logs = [np.log(np.maximum(magnitude @ basis, np.float32(clip))) for magnitude in (ours, theirs)]
    difference = (logs[0] - logs[1]) @ _cepstral_basis(basis.shape[1])
    return 10 * np.sqrt(2) / np.log(10) * np.sqrt(np.square(difference).sum(axis=1))


@lru_cache(maxsize=2)
def _cepstral_basis(bands: int) -> NDArray[np.float32]:
    orders = np.arange(1, CEPSTRAL_ORDER + 1)
    return (np.cos(np.pi * np.outer(np.arange(bands) + 0.5, orders) / bands) * 2 / bands).astype(np.float32)
