"""From spectra back to sound: inverse STFT, Griffin-Lim, and magnitudes from a mel spectrogram; no network, no weights.

What lies between a mel and its sound is lost: the phases, and the bins that one band sums.  These are the plain
ways to make both up, good enough to hear what a mel holds and to send a sound through the mistakes of a pipeline.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.spectrogram import Framing, MelGrid, hann, mel_filterbank, stft_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Spectra = NDArray[np.complex128]

ITERATIONS = 32
MOMENTUM = 0.99
UPDATES = 30
LEAST_WEIGHT = 1e-3  # of the summed windows' highest: what no frame covers stays 0
TINY = 1e-12


def stft(samples: Floats, framing: Framing) -> Spectra:
    """All spectra of a signal [shape=(frames, n_fft/2 + 1)]."""
    blocks = list(stft_blocks(samples, framing))
    return np.concatenate(blocks) if blocks else np.zeros((0, framing.n_fft // 2 + 1), complex)


def overlap_add(frames: Floats, framing: Framing, length: int) -> Floats:
    """Frames [shape=(frames, n_fft)] added up where the framing took them from; length samples of the sum."""
    whole = np.zeros(max(framing.hop * (len(frames) - 1) + framing.n_fft, framing.margin + length))
    for index, frame in enumerate(frames):
        whole[index * framing.hop : index * framing.hop + framing.n_fft] += frame
    return whole[framing.margin : framing.margin + length]


def inverse_stft(spectra: Spectra, framing: Framing, length: int) -> Floats:
    """The signal whose STFT is nearest: x = sum(w * frame) / sum(w**2).

    Exact for the STFT of a signal, wherever a frame covers it.  Source: Griffin & Lim, Signal estimation from
    modified short-time Fourier transform, 1984, equation 6.
    """
    window = hann(framing.n_fft)
    signal = overlap_add(np.fft.irfft(spectra, framing.n_fft) * window, framing, length)
    weight = overlap_add(np.broadcast_to(window**2, (len(spectra), framing.n_fft)), framing, length)
    return np.where(weight > LEAST_WEIGHT * weight.max(), signal / np.maximum(weight, TINY), 0.0)


def griffin_lim(
    magnitude: Floats, framing: Framing, length: int, rng: np.random.Generator, iterations: int = ITERATIONS
) -> Floats:
    """A signal whose STFT has nearly the magnitudes [shape=(frames, bins)]; phases start at random.

    Source: Perraudin, Balazs & Sondergaard, A fast Griffin-Lim algorithm, 2013, with momentum 0.99.
    """
    phases = np.exp(2j * np.pi * rng.uniform(size=magnitude.shape))
    previous = np.zeros_like(phases)
    for _ in range(iterations):
        consistent = stft(inverse_stft(magnitude * phases, framing, length), framing)[: len(magnitude)]
        ahead = consistent + MOMENTUM * (consistent - previous)
        phases = ahead / np.maximum(np.abs(ahead), TINY)
        previous = consistent
    return inverse_stft(magnitude * phases, framing, length)


def magnitude_from_mel(mel: Floats, grid: MelGrid) -> Floats:
    """Magnitudes [shape=(frames, bins)], not negative, whose mel is nearest to mel [shape=(bands, frames)].

    30 multiplicative updates x *= (B' m) / (B' B x) from the filters' own spread.  Source: Lee & Seung, Algorithms
    for non-negative matrix factorization, 2001.  Bins that no filter covers are 0.
    """
    basis, spread, gram = _inverse_basis(grid)
    wanted = mel.T @ basis
    magnitude = mel.T @ spread
    for _ in range(UPDATES):
        magnitude *= wanted / np.maximum(magnitude @ gram, TINY)
    return magnitude


@lru_cache(maxsize=4)
def _inverse_basis(grid: MelGrid) -> tuple[Floats, Floats, Floats]:
    """(filters, what each band gives to each bin before the updates, filters' @ filters)."""
    basis = mel_filterbank(grid).astype(np.float64)
    area = np.maximum(basis.sum(axis=1, keepdims=True), TINY)
    spread = basis / np.maximum(basis.sum(axis=0), TINY) / area
    return basis, spread, basis.T @ basis
