"""How well a reading of an array (a grid, and what its filters sum) reproduces the array from its sound.

Sound: its spectra at any rate.  View: which cells of the array count, as logarithms.  Fit: a line through both.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from diagnose import audio
from diagnose.mel.values import Marks, guesses
from diagnose.spectrogram import Framing, MelGrid, mel_filterbank, power_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.audio import Audio

    Frames = NDArray[np.intp]

Pooled = Literal["power", "magnitude"]

EXCERPT_S = 30.0  # a grid shows in the first half minute
FINE_S = 0.1
CEILING_CELLS = 3
FLOOR_SHARE = 0.01  # of the range
LINEAR_RANGE = 1e-14  # of the loudest: what float32 holds of a power
COMPUTED_NATS = 60.0
LEARNT_NATS = 12.0
HEAP_BINS = 120
HEAP = 3.0
TINY = 1e-30


class Sound:
    """seconds: of the whole sound; spectra are of its first 30 s."""

    def __init__(self, sound: Audio) -> None:
        self.rate, self.seconds = sound.rate, sound.duration_s
        self._excerpt = audio.Audio(sound.mono[None, : round(EXCERPT_S * sound.rate)], sound.rate, sound.name)
        self._length = sound.length
        self._at: dict[int, Floats] = {sound.rate: self._excerpt.mono}
        self._power: dict[tuple[int, Framing, bytes], Floats] = {}

    @cached_property
    def excerpt_s(self) -> float:
        return self._excerpt.duration_s

    def at(self, rate: int) -> Floats:
        """Samples of the excerpt at that rate, float64."""
        if rate not in self._at:
            self._at[rate] = audio.resample(self._excerpt, rate).mono
        return self._at[rate]

    def length(self, rate: int) -> int:
        """Samples of the whole sound at that rate."""
        return round(self._length * rate / self.rate)

    def power(self, rate: int, framing: Framing, frames: Frames) -> Floats:
        """|STFT|**2 [shape=(len(frames), n_fft/2 + 1)] of those frames of the framing; remembered."""
        key = (rate, framing, frames.tobytes())
        if key not in self._power:
            starts = frames * framing.hop - framing.margin
            reflect = framing.padding.endswith("reflect")
            self._power[key] = power_at(self.at(rate), starts, framing.n_fft, reflect=reflect)
        return self._power[key]

    @property
    def fine_n_fft(self) -> int:
        """Length of the transforms of power_near: 0.1 s, so that no filter falls between two bins."""
        return 64 * max(1, round(FINE_S * self.rate / 64))

    def power_near(self, window_s: float, centres_s: Floats) -> Floats:
        """|STFT|**2 at the sound's own rate of frames of window_s, at most 0.1 s, centred on the given times."""
        length = min(max(16, round(window_s * self.rate)), self.fine_n_fft)
        starts = np.round(centres_s * self.rate - length / 2).astype(np.intp)
        return power_at(self.at(self.rate), starts, length, n_fft=self.fine_n_fft)


class View(msgspec.Struct, frozen=True, eq=False):
    """logarithms [shape=(bands, frames)]: the values, or their logarithm where they are taken to be linear.

    heard: the cells that count: above the floor, and under a ceiling that several share.
    lowest_nats: how far under its loudest magnitude the sound is followed.  An array that was computed follows it into
    silence; one that a model has learnt ends in a floor, and in noise on it.
    """

    linear: bool
    logarithms: Floats
    heard: NDArray[np.bool_]
    lowest_nats: float


def views(values: Floats) -> Iterator[View]:
    """The likelier first."""
    for linear in dict.fromkeys(guess.levels.name in ("power", "magnitude") for guess in guesses(values)):
        logarithms = np.log(np.maximum(values, values.max() * LINEAR_RANGE)) if linear else values
        lowest, highest = float(logarithms.min()), float(logarithms.max())
        shared = np.count_nonzero(logarithms == highest) >= CEILING_CELLS
        below = logarithms < highest if shared else np.ones(values.shape, bool)
        end, heap = lowest + FLOOR_SHARE * (highest - lowest), _heap_end(logarithms)
        computed = View(linear, logarithms, (logarithms > end) & below, COMPUTED_NATS)
        learnt = View(linear, logarithms, (logarithms > max(heap, end)) & below, LEARNT_NATS)
        yield from (computed, learnt) if heap <= end or Marks(values).floored else (learnt, computed)


def _heap_end(values: Floats) -> float:
    """Where a heap of values at the low end stops: a floor that a model has learnt, and its noise; or the lowest value.

    A heap has 3 times as many values as bins further up; it is taken to be as wide above its peak as below.
    """
    lowest, highest = float(values.min()), float(values.max())
    counts, edges = np.histogram(values, HEAP_BINS, (lowest, highest))
    peak = int(np.argmax(counts[: HEAP_BINS // 6]))
    usual = np.sort(counts[HEAP_BINS // 5 : 2 * HEAP_BINS // 3])[HEAP_BINS // 4]
    return float(edges[peak] + edges[peak + 1]) - lowest if counts[peak] > HEAP * usual else lowest


class Reading(msgspec.Struct, frozen=True):
    """A hypothesis: the grid, and what its filters sum."""

    grid: MelGrid
    pooled: Pooled


class Fit(msgspec.Struct, frozen=True):
    """values = slope * ln(sum) + offset, over the cells above the floor.

    misfit: 1 - r**2.  residual_db: root mean square of what is left over, in dB of what is summed.
    """

    reading: Reading
    slope: float
    offset: float
    misfit: float
    residual_db: float


class Fits:
    """Fits to a view of an array, at some of its frames."""

    def __init__(self, view: View, sound: Sound, frames: Frames) -> None:
        self._sound, self._frames, self._lowest_nats = sound, frames, view.lowest_nats
        self._heard = view.heard[:, frames]
        self._values = view.logarithms[:, frames][self._heard]
        self._known: dict[Reading, Fit] = {}

    def of(self, reading: Reading) -> Fit:
        """How well a reading gives the array; remembered."""
        if reading not in self._known:
            self._known[reading] = self._fit(reading)
        return self._known[reading]

    def _fit(self, reading: Reading) -> Fit:
        grid = reading.grid
        power = self._sound.power(grid.rate, grid.framing, self._frames)
        sums = _filters(grid) @ (np.sqrt(power) if reading.pooled == "magnitude" else power).T
        powers = 1 if reading.pooled == "magnitude" else 2
        x = logarithm(sums, powers * self._lowest_nats)[self._heard].astype(np.float64)
        slope, offset, misfit, left = line(x, self._values)
        unit = 20 / powers / np.log(10)
        return Fit(reading, slope, offset, misfit, float(unit * left / max(abs(slope), TINY)))

    @property
    def ranked(self) -> list[Fit]:
        """All that were asked for, the best first."""
        return sorted(self._known.values(), key=lambda fit: fit.misfit)

    @property
    def best(self) -> Fit:
        return min(self._known.values(), key=lambda fit: fit.misfit)


def logarithm(sums: Floats, lowest_nats: float) -> Floats:
    """ln, cut lowest_nats under the loudest."""
    return np.log(np.maximum(sums, sums.max() * np.exp(-lowest_nats) + TINY))


def line(x: Floats, y: Floats) -> tuple[float, float, float, float]:
    """(slope, offset, 1 - r**2, root mean square of the rest) of y over x; a misfit of 1 where it does not rise."""
    if not x.size:
        return 0.0, 0.0, 1.0, float("inf")
    x_mean, y_mean = float(x.mean()), float(y.mean())
    x, y = x - x_mean, y - y_mean
    xx, xy, yy = float(x @ x), float(x @ y), float(y @ y)
    if xy <= 0 or xx <= 0 or yy <= 0:
        return 0.0, y_mean, 1.0, float("inf")
    slope = xy / xx
    rest = y - slope * x
    left = float(rest @ rest)
    return slope, y_mean - slope * x_mean, left / yy, float(np.sqrt(left / y.size))


def _filters(grid: MelGrid) -> Floats:
    """The filterbank; hop and padding are no part of it."""
    return mel_filterbank(msgspec.structs.replace(grid, hop=grid.n_fft, padding="none"))
