"""A smooth curve from one sound's samples to another's: cubic splines over the level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats

BENT = 0.5  # of the RMS, up to which the parts are equally wide; above it they grow with the level
MOST_SAMPLES = 1 << 15
DAMPING = 1e-7  # of the mean of the diagonal, on second differences
POINTS = 4096  # of the table that many samples, and the inverse, are read from


class Curve(msgspec.Struct, frozen=True, eq=False):
    """y = sum over k of values[k] B(u - k), B the cubic spline of four parts, u linear in asinh(x / bent).

    values [shape=(parts + 3,)].  most: the level up to which it was fitted; above it, it goes on straight.
    """

    values: Floats
    bent: float
    most: float

    def __call__(self, samples: Floats) -> Floats:
        if samples.size > POINTS:
            levels = self._levels()
            return np.asarray(np.interp(samples, levels, self(levels)))
        inside = np.clip(samples, -self.most, self.most)
        at, part = _places(inside, self.bent, self.most, self.values.size - 3)
        weights = _weights(part)
        found = sum(weight * self.values[at + k] for k, weight in enumerate(weights))
        return np.asarray(found)

    def inverse(self, samples: Floats) -> Floats:
        """The levels that the curve takes to these; of those that it never gives, its ends."""
        levels = self._levels()
        given = np.maximum.accumulate(self(levels))
        rising = given + np.arange(POINTS) * 1e-12 * max(float(np.abs(given).max()), 1e-30)
        return np.asarray(np.interp(samples, rising, levels))

    def _levels(self) -> Floats:
        return np.asarray(self.bent * np.sinh(np.linspace(-1, 1, POINTS) * np.arcsinh(self.most / self.bent)))


def fit_curve(before: Floats, after: Floats, parts: int) -> Curve:
    """Least squares over some 32768 of the samples."""
    every = max(before.size // MOST_SAMPLES, 1)
    most, bent = max(float(np.abs(before).max()), 1e-12), max(BENT * float(before.std()), 1e-12)
    at, part = _places(before[::every], bent, most, parts)
    weights, target, count = _weights(part), after[::every], parts + 3
    normal, right = np.zeros((count, count)), np.zeros(count)
    index = np.arange(parts)
    for k, one in enumerate(weights):
        right[k : k + parts] += np.bincount(at, one * target, parts)
        for j, other in enumerate(weights):
            normal[index + k, index + j] += np.bincount(at, one * other, parts)
    bends = np.diff(np.eye(count), 2, axis=0)
    unit = float(np.trace(normal)) / count
    normal += unit * (DAMPING * (bends.T @ bends) + 1e-15 * np.eye(count))
    return Curve(np.linalg.solve(normal, right), bent, most)


def _places(samples: Floats, bent: float, most: float, parts: int) -> tuple[NDArray[np.intp], Floats]:
    """(part that each sample lies in, where in it, 0 to 1)."""
    place = (np.arcsinh(samples / bent) / np.arcsinh(most / bent) + 1) * (parts / 2)
    at = np.minimum(place.astype(np.intp), parts - 1)
    return at, place - at


def _weights(part: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The four splines that are not 0 in a part."""
    rest = 1 - part
    return (
        rest**3 / 6,
        (4 - 6 * part**2 + 3 * part**3) / 6,
        (4 - 6 * rest**2 + 3 * rest**3) / 6,
        part**3 / 6,
    )
