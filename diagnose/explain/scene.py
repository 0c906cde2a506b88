"""Scene: a copy and its reference under explanation, and the score of a prediction of the copy.

The score of a prediction p is a negative log-likelihood over the cells of a spectrogram.  A cell's error e = Y - P has
the variance s + v: s is ordinary loss, a fixed share of the reference's power there, and v what a step says it added at
random.  Student's t in place of Gauss, so that a few wild cells do not decide:

    cost = 1/2 sum over cells of  ln((s + v) / s) + k ln(1 + |e|**2 / (k (s + v))),   k = 2

The half is for frames that overlap by half.  A parameter costs half the logarithm of the number of cells (Schwarz,
Estimating the dimension of a model, 1978), so that more is only said where it explains more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.spectrogram import hann

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.audio import Samples

    Spectra = NDArray[np.complex64]

N_FFT, HOP = 1024, 512
TAIL = 2.0  # degrees of freedom
ORDINARY_DB = -35.0  # of the reference's power in a cell: what is less is not worth a step
FLOOR_DB = -55.0  # of a loud frame's mean power by bin: what is less is not heard
LOUD = 0.95
NOISE_NATS = 0.77  # mean of k ln(1 + x / k) for an exponential x of mean 1: what noise of a known level leaves


class Scene:
    """reference, generated: samples laid on each other [shape=(n,)], neither gain nor mean removed.  rate: in Hz."""

    def __init__(self, reference: Samples, generated: Samples, rate: int) -> None:
        self.reference = reference.astype(np.float64)
        self.generated = generated.astype(np.float64)
        self.rate = rate
        self.spectra = spectra(self.generated)
        self.power = _smooth(np.square(np.abs(spectra(self.reference))))
        loud = float(np.quantile(self.power.sum(axis=1), LOUD)) / self.power.shape[1]
        self.power += max(loud * 10 ** (FLOOR_DB / 10), 1e-30)
        self.ordinary = self.power * 10 ** (ORDINARY_DB / 10)

    @property
    def cells(self) -> int:
        return int(self.spectra.size)

    @property
    def charge(self) -> float:
        """Nats that a parameter costs."""
        return 0.5 * float(np.log(max(self.cells / 2, 2)))

    def cost(self, prediction: Floats, variance: Floats | None = None) -> float:
        """Nats, >= 0; 0 for a perfect prediction.  variance: of what is added at random, by bin [shape=(1, bins)]."""
        error = self._error(prediction)
        if variance is None:
            return 0.5 * float(_tailed(error / self.ordinary).sum())
        total = self.ordinary + variance
        return 0.5 * float((np.log(total / self.ordinary) + _tailed(error / total)).sum())

    def left(self, prediction: Floats, variance: Floats | None = None) -> float:
        """Nats a cell that stay unexplained: as cost, but what noise of the stated level leaves is no loss."""
        error = self._error(prediction)
        if variance is None:
            return float(_tailed(error / self.ordinary).mean())
        total = self.ordinary + variance
        return max(float((_tailed(error / total) - NOISE_NATS * variance / total).mean()), 0.0)

    def unsteadiness(self, prediction: Floats, variance: Floats) -> float:
        """Standard deviation of ln(|e|**2 / variance) over the cells where noise is most: 1.28 for steady noise."""
        ratio = self._error(prediction) / variance
        noisy = np.broadcast_to(variance, ratio.shape) > self.ordinary
        return float(np.log(np.maximum(ratio[noisy], 1e-12)).std()) if noisy.any() else 0.0

    def distance_db(self, prediction: Floats) -> float:
        """10 log10 of the mean over cells of |e|**2 over the reference's power, no cell above 20 dB."""
        ratio = np.minimum(self._error(prediction) / self.power, 100.0)
        return 10.0 * float(np.log10(max(float(ratio.mean()), 1e-12)))

    def weights(self, predicted: Spectra, variance: Floats | None = None) -> Floats:
        """Weights of the cells in a least-squares fit that minimises the cost (iteratively reweighted)."""
        total = self.ordinary if variance is None else self.ordinary + variance
        return 1.0 / (total * (1.0 + np.square(np.abs(self.spectra - predicted)) / (TAIL * total)))

    def _error(self, prediction: Floats) -> Floats:
        return np.square(np.abs(self.spectra - spectra(prediction)))


def spectra(samples: Floats) -> Spectra:
    """STFT [shape=(frames, bins)], Hann, n_fft 1024, hop 512, frames centred."""
    padded = np.pad(samples, (N_FFT // 2, N_FFT // 2 + (-samples.size) % HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    return np.fft.rfft(frames * hann(N_FFT)).astype(np.complex64)


def _tailed(ratio: Floats) -> Floats:
    return TAIL * np.log1p(ratio / TAIL)


def _smooth(power: Floats) -> Floats:
    """Means over three frames and five bins: a window leaks so far."""
    frames = np.pad(power, ((1, 1), (0, 0)), mode="edge")
    summed = np.cumsum(np.pad(frames[:-2] + frames[1:-1] + frames[2:], ((0, 0), (3, 2)), mode="edge"), axis=1)
    return (summed[:, 5:] - summed[:, :-5]).astype(np.float64) / 15
