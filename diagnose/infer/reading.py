"""A reading of an array, and how well it gives the array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np

from diagnose.spectrogram import MelGrid, mel_filterbank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.infer.sound import Frames, Sound
    from diagnose.infer.views import View

    Floats = NDArray[np.floating[Any]]

Pooled = Literal["power", "magnitude"]

TINY = 1e-30


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
