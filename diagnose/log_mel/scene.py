"""LogMelScene: two sounds under explanation where phases may be a model's own, and the score of a prediction.

Both are levels z = ln(mel of |STFT|) on one fixed grid, frame on frame along the timeline.  A prediction is a log-mel
as well.  Phases that were made up make single cells rough, so both are averaged over blocks of 4 frames x 2 bands
before they are compared, and what lies under a floor is as good as gone (censored): on both sides it counts as the
floor, and where the reference is down at its own floor, less is no error, for nobody knows how little was there.

    cost = 1/2 sum over blocks of  k ln(1 + e**2 / (k s**2)),   k = 2,   e in nats

s is ordinary loss: what a good vocoder leaves between its output and its input.  A parameter costs half the logarithm
of the number of blocks, as in operations/scene.py.
"""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.analysis.mel_grid import mel_grid
from diagnose.operations.scene import TAIL, Judgement
from diagnose.spectrogram import mel_filterbank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.analysis import Pair
    from diagnose.arrays import Floats
    from diagnose.operations.operation import Predicted
    from diagnose.spectrogram import Framing
    from diagnose.stft_cache import StftCache

BLOCK = (4, 2)  # frames and bands that are averaged
# nats of s, 2.2 dB: published samples leave 0.13 (HiFi-GAN V1), 0.23 (V2, V3), 0.2 to 0.28 (WaveGlow), 0.38 (MelGAN)
# in blocks of this size, Griffin-Lim 0.1 to 0.3.
ORDINARY = 0.25
NEAREST = 1e-3  # nats: a distance below it is rounding
RANGE = 9.0  # nats, 78 dB, under the loudest cell: what lies deeper is not heard, and is the floor
LEAST = 1e-5  # of a magnitude: the floor of a silent sound
NATS_DB = float(20 / np.log(10))
HIGH_RATE_HZ = 32_000  # from here on, twice as many samples a frame
EXCERPT = 1 << 18  # samples, where the two differ most, that a long sound is read from
SHORTEST_FRAMES = 24
LEAST_SPREAD, FEWEST_HEARD = 0.5, 100  # nats, as a standard deviation, and blocks; speech and music have 1.3 to 2
MOST_UNKNOWN = 0.5  # of a block's cells, that may be down at the reference's floor


class LogMelJudgement(Judgement, frozen=True, eq=False):
    """As Judgement; the distance is that of levels: dB by which cells are off, as the root of a mean square."""

    @property
    def distance_db(self) -> float:
        return NATS_DB * max(ORDINARY * self.ratio**0.5, NEAREST)


class LogMelScene:
    """reference, generated: ln mel magnitudes [shape=(frames, bands)], laid on each other.  frame_s: from frame to
    frame.  bands_hz: middle of each band.
    """

    def __init__(self, reference: Floats, generated: Floats, frame_s: float) -> None:
        self.reference = np.asarray(reference, np.float32)
        self.generated = np.asarray(generated, np.float32)
        self.frame_s = frame_s
        self.floor = max(float(self.generated.max()) - RANGE, float(np.log(LEAST)))
        self.own_floor = max(float(self.reference.max()) - RANGE, float(np.log(LEAST)))
        self.spectra = self.spectra_of(self.generated)
        self.unknown = in_blocks(self.reference <= self.own_floor) > MOST_UNKNOWN

    @cached_property
    def correlation(self) -> float:
        """r of both, averaged and floored, -1 to 1."""
        ours, theirs = (cells - cells.mean() for cells in (self.spectra_of(self.reference), self.spectra))
        return float((ours * theirs).sum()) / max(float(np.square(ours).sum() * np.square(theirs).sum()) ** 0.5, 1e-30)

    @cached_property
    def is_even(self) -> bool:
        """Whether the reference's levels hardly differ, as a steady noise's: then any curve over them fits."""
        heard = self.spectra_of(self.reference)[~self.unknown]
        return heard.size < FEWEST_HEARD or float(heard.std()) < LEAST_SPREAD

    def towards(self, target: Floats) -> LogMelScene:
        """The same reference with another log-mel to explain."""
        return LogMelScene(self.reference, target, self.frame_s)

    def spectra_of(self, levels: Floats) -> Floats:
        """The blocks that are compared [shape=(frames, bands)]: no deeper than the floor, averaged."""
        return in_blocks(np.maximum(levels, np.float32(self.floor)))

    @property
    def charge(self) -> float:
        """Nats that a parameter costs."""
        return 0.5 * float(np.log(max(self.spectra.size, 2)))

    def judge(self, error: Floats, variance: Floats | None = None) -> LogMelJudgement:  # noqa: ARG002 - as of samples
        """What a prediction costs, and how far it is.  error: e**2, as error_of gives it; variance: never one."""
        tailed = TAIL * np.log1p(error / (TAIL * ORDINARY**2))
        cost = 0.5 * float(tailed.sum(dtype=np.float64))
        apart = np.concatenate((tailed.mean(axis=0), tailed.mean(axis=1)[1:-1]))
        return LogMelJudgement(cost, float(tailed.mean()), apart)

    def unsteadiness(self, predicted: Predicted) -> float:  # noqa: ARG002 - as of samples
        """No step states a variance here."""
        return 0.0

    def unlike(self, predicted: Predicted) -> float:
        """Share of the variance of the generated cells that the prediction leaves; where they hardly vary, of ordinary
        loss.
        """
        cells = self.spectra - self.spectra.mean()
        return float(predicted.error.sum()) / max(float(np.square(cells).sum()), cells.size * ORDINARY**2)

    def weights(self, error: Floats) -> Floats:
        """Weights of the cells in a least-squares fit that minimises the cost (iteratively reweighted)."""
        return np.asarray(1.0 / (1.0 + error / (TAIL * ORDINARY**2)))

    def error_of(self, cells: Floats) -> Floats:
        """e**2 [shape=(frames, bands)] of predicted cells."""
        error = self.spectra - cells
        return np.asarray(np.square(np.where(self.unknown, np.maximum(error, 0), error)))


def in_blocks(levels: Floats | NDArray[np.bool_]) -> Floats:
    """Means over blocks [shape=(frames // 4, bands // 2)]; what is left over at the end is left out."""
    frames, bands = (size // step for size, step in zip(levels.shape, BLOCK, strict=True))
    whole = np.asarray(levels[: frames * BLOCK[0], : bands * BLOCK[1]], np.float32)
    found = np.zeros((frames, bands), np.float32)
    for frame, band in itertools.product(range(BLOCK[0]), range(BLOCK[1])):  # faster than a mean over two axes
        found += whole[frame :: BLOCK[0], band :: BLOCK[1]]
    return found / np.float32(BLOCK[0] * BLOCK[1])


def averaged(levels: Floats, frames: int, bands: int) -> Floats:
    """Means over an odd number of frames and of bands; at the borders, the outermost ones are repeated."""
    return _along_bands(_along_bands(levels.T, frames).T, bands)


def _along_bands(levels: Floats, width: int) -> Floats:
    half = width // 2
    if not half:
        return levels
    padded = np.pad(levels, ((0, 0), (half + 1, half)), mode="edge")
    summed = np.cumsum(padded, axis=1)
    return np.asarray((summed[:, width:] - summed[:, :-width]) / width)


def log_mel_scene(pair: Pair) -> LogMelScene | None:
    """Both sounds' log-mel along the timeline; None where they are too short."""
    if pair.silent:
        return None
    factor = 2 if pair.rate >= HIGH_RATE_HZ else 1
    grid = mel_grid(pair.rate)
    grid = msgspec.structs.replace(grid, n_fft=factor * grid.n_fft, hop=factor * grid.hop)
    basis = mel_filterbank(grid).T
    stretch = pair.worst_stretch(EXCERPT)
    if stretch.stop - stretch.start < SHORTEST_FRAMES * grid.hop:
        return None
    ours, theirs = (_levels(part.cut(stretch), grid.framing, basis) for part in pair.overlap_stfts)
    return LogMelScene(ours, theirs, grid.hop / pair.rate)


def _levels(spectra: StftCache, framing: Framing, basis: Floats) -> Floats:
    magnitudes = np.concatenate([np.sqrt(power) @ basis for power in spectra.power(framing)])
    return np.asarray(np.log(np.maximum(magnitudes, LEAST)))
