"""What a sound is like, frame by frame, whatever its level and its channel: cepstra of log energies in bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.arrays import quantile
from diagnose.spectrogram import Framing, log_band_edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.stft_cache import StftCache

BANDS = 24
CEPSTRA = 13  # with the 0th, which is the level
LEVEL_WEIGHT = 0.5  # of the level beside the shape
LOWEST_HZ = 100.0
FRAME_S = 0.010
RANGE = 1e-5  # of a loud frame's energy: 50 dB lower is silence
SILENT = 1e-4  # 40 dB
LOUD = 0.95  # quantile of a loud frame
NOISE, NOISE_QUANTILE = 2.0, 0.2  # times what a fifth of a band's frames lies under: noise, where there is any
FRAMING = Framing(n_fft=1024, hop=128, padding="centre")


class Features(msgspec.Struct, frozen=True):
    """rows: cepstra [shape=(frames, 13)], nepers, the mean over the sounding frames removed.

    sounding [shape=(frames,)]: whether a frame lies within 40 dB of the loud ones.  hop: samples from frame to frame.
    """

    rows: Floats
    sounding: NDArray[np.bool_]
    hop: int

    def pooled(self, count: int) -> Features:
        """Means of `count` frames each."""
        whole = len(self.rows) // count * count
        if count == 1 or not whole:
            return self
        rows = self.rows[:whole].reshape(-1, count, self.rows.shape[1]).mean(axis=1)
        return Features(rows, self.sounding[:whole].reshape(-1, count).mean(axis=1) >= 0.5, self.hop * count)


def features(signal: StftCache, rate: int) -> Features:
    """Of samples at a rate in Hz; silence is set to one level."""
    rows, hop = energies(signal, rate)
    total, loud = _loudness(rows)
    logs = np.log(np.maximum(rows, RANGE * loud / rows.shape[1]))
    return _cepstra(logs, total > SILENT * loud, hop)


def masked(ours: StftCache, theirs: StftCache, rate: int) -> tuple[Features, Features]:
    """Of two signals, without what noise hides in either: for finding places, not for saying how alike they are.

    In each band the energies are taken over its loud frames', and what lies under the noise of the noisier side
    is set to that noise on both: a band that is noise through and through has nothing to say.
    """
    sides = [energies(signal, rate) for signal in (ours, theirs)]
    shares, sounding = [], []
    for rows, _ in sides:
        total, loud = _loudness(rows)
        shares.append(rows / np.maximum(np.quantile(rows, LOUD, axis=0), RANGE * loud / rows.shape[1]))
        sounding.append(total > SILENT * loud)
    noise = NOISE * np.max([np.quantile(share, NOISE_QUANTILE, axis=0) for share in shares], axis=0)
    floor = np.clip(noise, RANGE, 1.0)
    first, second = (
        _cepstra(np.log(np.maximum(share, floor)), loud, hop)
        for share, loud, (_, hop) in zip(shares, sounding, sides, strict=True)
    )
    return first, second


def energies(signal: StftCache, rate: int) -> tuple[Floats, int]:
    """(mean energy in 24 bands [shape=(frames, bands)], samples from frame to frame)."""
    columns = max(round(FRAME_S * rate / FRAMING.hop), 1)
    borders = log_band_edges(max(LOWEST_HZ * FRAMING.n_fft / rate, 1), FRAMING.n_fft // 2, BANDS)
    rows = np.concatenate(
        [np.add.reduceat(power, borders[:-1], axis=1).astype(np.float32) for power in signal.power(FRAMING)]
    )
    whole = -(-len(rows) // columns) * columns
    rows = np.pad(rows, ((0, whole - len(rows)), (0, 0)), mode="edge")
    return rows.reshape(-1, columns, rows.shape[1]).mean(axis=1), FRAMING.hop * columns


def _loudness(rows: Floats) -> tuple[Floats, float]:
    """(energy of each frame, that of a loud one)."""
    total = rows.sum(axis=1)
    return total, max(quantile(total, LOUD), 1e-20)


def _cepstra(logs: Floats, sounding: NDArray[np.bool_], hop: int) -> Features:
    """The DCT-II of logs [shape=(frames, bands)], its first 13 rows, orthonormal but for the level."""
    order = np.arange(min(CEPSTRA, logs.shape[1]))[:, None]
    band = np.arange(logs.shape[1])[None] + 0.5
    basis = np.sqrt(2 / logs.shape[1]) * np.cos(np.pi * order * band / logs.shape[1])
    basis[0] *= LEVEL_WEIGHT
    rows = logs @ basis.T
    rows -= rows[sounding].mean(axis=0) if sounding.any() else 0.0
    return Features(rows, sounding, hop)
