"""What a sound is like, frame by frame, whatever its level and its channel: cepstra of log energies in bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.arrays import quantile
from diagnose.spectrogram import Framing
from diagnose.timeline.single_delay import edges

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
    """Of samples at a rate in Hz; the orthonormal DCT-II of ln of the energies, silence set to one level."""
    columns = max(round(FRAME_S * rate / FRAMING.hop), 1)
    borders = edges(max(LOWEST_HZ * FRAMING.n_fft / rate, 1), FRAMING.n_fft // 2, BANDS)
    energies = np.concatenate(
        [np.add.reduceat(power, borders[:-1], axis=1).astype(np.float32) for power in signal.power(FRAMING)]
    )
    whole = -(-len(energies) // columns) * columns
    energies = np.pad(energies, ((0, whole - len(energies)), (0, 0)), mode="edge")
    energies = energies.reshape(-1, columns, energies.shape[1]).mean(axis=1)
    total = energies.sum(axis=1)
    loud = max(quantile(total, 0.95), 1e-20)
    logs = np.log(np.maximum(energies, RANGE * loud / energies.shape[1]))
    sounding = total > SILENT * loud
    order = np.arange(min(CEPSTRA, logs.shape[1]))[:, None]
    band = np.arange(logs.shape[1])[None] + 0.5
    basis = np.sqrt(2 / logs.shape[1]) * np.cos(np.pi * order * band / logs.shape[1])
    basis[0] *= LEVEL_WEIGHT
    rows = logs @ basis.T
    rows -= rows[sounding].mean(axis=0) if sounding.any() else 0.0
    return Features(rows, sounding, FRAMING.hop * columns)
