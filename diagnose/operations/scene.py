"""Scene: a copy and its reference under explanation, and the score of a prediction of the copy.

The score of a prediction p is a negative log-likelihood over the cells of a spectrogram.  A cell's error e = Y - P has
the variance s + v: s is ordinary loss, a fixed share of the reference's power there, and v what a step says it added at
random.  Student's t in place of Gauss, so that a few wild cells do not decide:

    cost = 1/2 sum over cells of  ln((s + v) / s) + k ln(1 + |e|**2 / (k (s + v))),   k = 2

The half is for frames that overlap by half.  A parameter costs half the logarithm of the number of cells (Schwarz,
Estimating the dimension of a model, 1978), so that more is only said where it explains more.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.arrays import quantile
from diagnose.spectrogram import hann, locked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.operations.operation import Predicted

    Spectra = NDArray[np.complex64]
    Powers = NDArray[np.float32]

N_FFT, HOP = 1024, 512
TAIL = 2.0  # degrees of freedom
ORDINARY_DB = -35.0  # of the reference's power in a cell: what is less is not worth a step
FLOOR_DB = -80.0  # of a loud frame's mean power by bin: what is less is not heard
DITHERED = 4.0  # times the power of rounding, which dither of two steps and the rounding after it have
ROUNDED = DITHERED * 2.0**-30 / 12 * 3 / 8 * N_FFT  # of 16 bits in a cell: ordinary, however quiet the sound is
LOUD = 0.95
LOWEST_HZ = 40.0
NOISE_NATS = 0.77  # mean of k ln(1 + x / k) for an exponential x of mean 1: what noise of a known level leaves
PER_QUARTILES = 1.283 / 1.573  # standard deviation of ln x over the distance of its quartiles, x exponential
NEAREST_DB = -120.0  # a distance below it is rounding
PER_OCTAVE = 6
LATTICE_SAMPLES = 1 << 15
LEVELS = (1e-4, 1e4)
EVEN, WORST = 384, 128  # frames of a long sound that are looked at: evenly spaced, and where most is left over


class Judgement(msgspec.Struct, frozen=True, eq=False):
    """Of a prediction: its cost in nats, >= 0; the nats a cell that are left, noise of the stated level aside, on the
    whole, and in each sixth octave from 40 Hz, then in each frame but those at the borders [shape=(n,)].
    """

    cost: float
    left: float
    apart: Floats

    @property
    def distance_db(self) -> float:
        """The level, in dB of the reference, of an error that is the same share of every cell and costs as much.

        Derived from the score: m nats a cell are those of |e|**2 = k (exp(m / k) - 1) s.
        """
        return max(ORDINARY_DB + self.ratio_db, NEAREST_DB)

    @property
    def ratio(self) -> float:
        """|e|**2 / s of that error."""
        return TAIL * float(np.expm1(max(self.left, 0.0) / TAIL))

    @property
    def ratio_db(self) -> float:
        """The ratio in dB, no lower than what rounding leaves."""
        return max(10 * float(np.log10(max(self.ratio, 1e-30))), NEAREST_DB - ORDINARY_DB)

    @property
    def over_db(self) -> float:
        """By how much ordinary loss and what is left over are louder than ordinary loss."""
        return float(_over_db(np.array(self.left)))

    def falls_db(self, other: Judgement) -> float:
        """The most that over_db of the other is less, in a sixth octave or in a frame."""
        return float((_over_db(self.apart) - _over_db(other.apart)).max())

    @property
    def worst_db(self) -> float:
        """over_db of the worst sixth octave or frame."""
        return float(_over_db(self.apart.max()))


def _over_db(left: Floats) -> Floats:
    return np.asarray(10 * np.log10(1 + TAIL * np.expm1(np.maximum(left, 0.0) / TAIL)))


class Scene:
    """reference, generated: samples laid on each other [shape=(n,)], neither gain nor mean removed.  rate: in Hz.

    Of a long sound 512 frames are looked at: evenly spaced ones, each of which stands for those about it, and those
    where the two differ most, which stand for themselves: a click in ten minutes lies in one of these.
    """

    def __init__(self, reference: Floats, generated: Floats, rate: int) -> None:
        self.reference = reference.astype(np.float64)
        self.generated = generated.astype(np.float64)
        self.rate = rate
        self.frames, self.stands_for = _looked_at(self.generated - self.reference)
        self.spectra = self.spectra_of(self.generated)
        self.power = _level(self.reference, self.generated) * _smooth(power_of(self.spectra_of(self.reference)))
        loud = quantile(self.power.sum(axis=1), LOUD) / self.power.shape[1]
        floor = np.float32(max(loud * 10 ** (FLOOR_DB / 10), 1e-30) + ROUNDED)
        self.ordinary = self.power * np.float32(10 ** (ORDINARY_DB / 10)) + floor

    @cached_property
    def correlation(self) -> float:
        """|r| of both, biases aside, 0 to 1."""
        ours, theirs = self.reference - self.reference.mean(), self.generated - self.generated.mean()
        power = float(np.dot(ours, ours)) * float(np.dot(theirs, theirs))
        return abs(float(np.dot(ours, theirs))) / max(power**0.5, 1e-30)

    def towards(self, target: Floats) -> Scene:
        """The same reference with another sound to explain."""
        return Scene(self.reference, target, self.rate)

    def spectra_of(self, samples: Floats) -> Spectra:
        """The STFT's frames that are looked at [shape=(frames, bins)]: Hann, n_fft 1024, hop 512, centred."""
        padded = np.pad(samples, (N_FFT // 2, N_FFT // 2 + (-samples.size) % HOP))
        frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP][self.frames]
        return np.fft.rfft(frames * hann(N_FFT)).astype(np.complex64)

    @property
    def cells(self) -> float:
        return float(self.stands_for.sum()) * self.spectra.shape[1]

    @property
    def charge(self) -> float:
        """Nats that a parameter costs."""
        return 0.5 * float(np.log(max(self.cells / 2, 2)))

    @cached_property
    def ordered(self) -> Floats:
        """The first 32768 generated samples, by size [shape=(<= 32768,)]."""
        return np.sort(self.generated[:LATTICE_SAMPLES])

    def judge(self, error: Powers, variance: Floats | None = None) -> Judgement:
        """What a prediction costs, and how far it is.

        error: |e|**2 of the prediction, as error_of gives it.  variance: of what is added at random, by bin [shape=(1,
        bins)].
        """
        if variance is None:
            tailed = _tailed(error / self.ordinary)
            cost = 0.5 * self._summed(tailed)
        else:
            total = self.ordinary + variance
            tailed = _tailed(error / total)
            cost = 0.5 * self._summed(np.log(total / self.ordinary) + tailed)
            tailed = tailed - np.float32(NOISE_NATS) * (variance / total)
        by_bin = (tailed * self.stands_for).sum(axis=0, dtype=np.float64) / float(self.stands_for.sum())
        by_band = np.add.reduceat(by_bin, sixth_octaves()[:-1]) / np.diff(sixth_octaves())
        lowest = int(np.searchsorted(sixth_octaves(), LOWEST_HZ * N_FFT / self.rate))
        return Judgement(cost, float(by_bin.mean()), np.concatenate((by_band[lowest:], tailed.mean(axis=1)[1:-1])))

    def unsteadiness(self, predicted: Predicted) -> float:
        """Spread of ln(|e|**2 / v) over the cells where noise is most: 1.28 for steady noise; 0 without.

        By its quartiles, as the standard deviation of steady noise with such quartiles: a click is no spread.
        """
        if predicted.variance is None:
            return 0.0
        variance = np.maximum(predicted.variance, np.float32(1e-30))
        ratio = predicted.error / variance
        found = np.log(np.maximum(ratio[np.broadcast_to(variance, ratio.shape) > self.ordinary], 1e-12))
        return spread_of(found) if found.size else 0.0

    def weights(self, error: Powers, variance: Floats | None = None) -> Floats:
        """Weights of the cells in a least-squares fit that minimises the cost (iteratively reweighted)."""
        total = self.ordinary if variance is None else self.ordinary + variance
        return self.stands_for / (total + error / np.float32(TAIL))

    def error_of(self, predicted: Spectra) -> Powers:
        """|Y - P|**2 [shape=(frames, bins)] of predicted spectra."""
        return power_of(self.spectra - predicted)

    def unlike(self, predicted: Predicted) -> float:
        """Share of the generated sound's power that a prediction is off by; 0 of one that states noise."""
        if predicted.variance is not None:
            return 0.0
        off, power = (float(np.square(each).sum()) for each in (self.generated - predicted.samples, self.generated))
        return off / max(power, 1e-30)

    def _summed(self, nats: Floats) -> float:
        return float((nats.sum(axis=1, dtype=np.float64) * self.stands_for[:, 0]).sum())


@lru_cache(maxsize=1)
def sixth_octaves() -> NDArray[np.intp]:
    """Bins between which the bands lie: a sixth octave each, at least one bin."""
    bins, found = N_FFT // 2 + 1, [0]
    while found[-1] < bins:
        found.append(min(max(found[-1] + 1, int(np.ceil(found[-1] * 2 ** (1 / PER_OCTAVE)))), bins))
    return locked(np.array(found, np.intp))


def _looked_at(error: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Frames [shape=(frames,)] and how many each stands for [shape=(frames, 1)]."""
    count = -(-error.size // HOP) + 1
    if count <= EVEN + WORST:
        return np.arange(count), np.ones((count, 1), np.float32)
    padded = np.append(np.square(error), np.zeros((-error.size) % HOP + HOP))
    blocks = padded.reshape(-1, HOP).max(axis=1)
    around = np.maximum(blocks, np.append(0.0, blocks[:-1]))
    worst = np.argpartition(-around[:count], WORST)[:WORST]
    even = np.setdiff1d(np.linspace(0, count - 1, EVEN).round().astype(np.intp), worst)
    frames = np.concatenate((worst, even))
    stands = np.concatenate((np.ones(WORST), np.full(even.size, (count - WORST) / even.size)))
    order = np.argsort(frames)
    return frames[order], stands[order, None].astype(np.float32)


def _level(reference: Floats, generated: Floats) -> np.float32:
    """Square of the factor between both by least squares, biases aside: loss is ordinary at the level of the copy."""
    ours, theirs = reference - reference.mean(), generated - generated.mean()
    factor = float(np.dot(ours, theirs)) / max(float(np.dot(ours, ours)), 1e-30)
    return np.float32(np.clip(factor**2, *LEVELS))


def spread_of(logarithms: Floats) -> float:
    """Standard deviation of ln power by its quartiles, as steady noise with such quartiles would have it."""
    return (quantile(logarithms, 0.75) - quantile(logarithms, 0.25)) * PER_QUARTILES


def power_of(spectra: Spectra) -> Powers:
    """|X|**2 [shape=(frames, bins)]."""
    return np.square(spectra.real) + np.square(spectra.imag)


def in_phase(one: Spectra, other: Spectra) -> Powers:
    """Re(conj(X) Y) [shape=(frames, bins)]: what a factor is fitted by."""
    return one.real * other.real + one.imag * other.imag


def _tailed(ratio: Floats) -> Floats:
    return np.float32(TAIL) * np.log1p(ratio / np.float32(TAIL))


def _smooth(power: Floats) -> Floats:
    """Means over three frames and five bins: a window leaks so far."""
    frames = np.pad(power, ((1, 1), (0, 0)), mode="edge")
    summed = np.cumsum(
        np.pad(frames[:-2] + frames[1:-1] + frames[2:], ((0, 0), (3, 2)), mode="edge"), axis=1, dtype=np.float64
    )
    return (summed[:, 5:] - summed[:, :-5]).astype(np.float32) / np.float32(15)
