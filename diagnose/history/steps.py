"""Where a series changed its level, and whether it creeps: pure functions on arrays."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.floating[Any]]

ROUNDING = 1e-6  # relative: float32 sums differ so much from one processor to the next
MAD_OF_A_NORMAL = 0.6744897501960817  # median |z| of a standard normal z
LEAST_RUNS = 8  # fewer do not tell their own noise
SHORTEST = 2  # runs of a level in a noisy series: one run alone is an outlier
NEGLIGIBLE = 0.05  # of a drift: no error of a fit
TREND_Z = 3.0  # standard deviations of Kendall's S: 1 in 370 series without a trend


class Step(msgspec.Struct, frozen=True):
    """index: the first run after it; before, after: medians of the two levels."""

    index: int
    before: float
    after: float


def noise(values: Values) -> float:
    """Standard deviation of the noise: median |x_i - x_(i-1)| / (0.6745 sqrt 2); steps do not move it.

    0 for a series that repeats itself more often than not: what a deterministic pipeline gives.
    """
    if len(values) < 2:
        return 0.0
    return float(np.median(np.abs(np.diff(values)))) / (MAD_OF_A_NORMAL * math.sqrt(2))


def steps(values: Values) -> tuple[Step, ...]:
    """The steps of a series [shape=(n,)], first to last.

    Without noise: wherever the value changes by more than 1e-6 of itself.  With noise, from eight runs on: binary
    segmentation (Scott and Knott 1974; Killick, Fearnhead and Eckley 2012 compare): the split of n runs into k and
    n - k with the largest T = sqrt(k (n - k) / n) |mean_1 - mean_2| / sigma is a step where T > threshold(n); then
    both parts are asked.  At least two runs on each side, so a single outlier is no step.
    """
    least = ROUNDING * float(np.max(np.abs(values), initial=0.0))
    sigma = noise(values)
    if sigma <= least:
        points = [int(index) for index in np.flatnonzero(np.abs(np.diff(values)) > least) + 1]
    elif len(values) < LEAST_RUNS:
        points = []
    else:
        points = sorted(_split(values, 0, threshold(len(values)) * sigma))
    if not points:
        return ()
    edges = [0, *points, len(values)]
    levels = [float(np.median(values[low:high])) for low, high in pairwise(edges)]
    return tuple(Step(point, levels[index], levels[index + 1]) for index, point in enumerate(points))


def threshold(runs: int) -> float:
    """How large T has to be: 3.6 + 30 / n + 0.15 ln n.

    Chosen by simulated white noise whose sigma is estimated from the same n runs: under 1 series in 100 of eight runs
    that has no step shows one, and under 1 in 200 of more.  A step of 4 sigma is then found from 20 runs on.
    """
    return 3.6 + 30 / runs + 0.15 * math.log(runs)


def _split(values: Values, offset: int, wanted: float) -> list[int]:
    runs = len(values)
    if runs < 2 * SHORTEST:
        return []
    at, size = _best(values)
    if size <= wanted:
        return []
    return [*_split(values[:at], offset, wanted), offset + at, *_split(values[at:], offset + at, wanted)]


def _best(values: Values) -> tuple[int, float]:
    """The split with the largest T, and sigma T there; at least four runs."""
    runs = len(values)
    left = np.arange(SHORTEST, runs - SHORTEST + 1)
    sums = np.cumsum(values - values.mean())
    size = np.abs(sums[left - 1]) * np.sqrt(runs / (left * (runs - left)))
    best = int(np.argmax(size))
    return int(left[best]), float(size[best])


class Trend(msgspec.Struct, frozen=True):
    """z: Kendall's S in its standard deviations; slope: change a run; drift: slope times (n - 1)."""

    z: float
    slope: float
    drift: float


def trend(values: Values) -> Trend:
    """Mann-Kendall test (Mann 1945, Kendall 1975, with ties) and Theil-Sen slope (Sen 1968) over the runs' order.

    S = sum over i < j of sign(x_j - x_i), var S = (n (n - 1) (2n + 5) - sum over ties t (t - 1) (2t + 5)) / 18,
    z = (S -+ 1) / sqrt(var S).
    """
    runs = len(values)
    if runs < 2:
        return Trend(0.0, 0.0, 0.0)
    early, late = np.triu_indices(runs, 1)
    differences = values[late] - values[early]
    s = float(np.sign(differences).sum())
    _, ties = np.unique(values, return_counts=True)
    variance = (runs * (runs - 1) * (2 * runs + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    z = (s - math.copysign(1, s)) / math.sqrt(variance) if s and variance else 0.0
    slope = float(np.median(differences / (late - early)))
    return Trend(z, slope, slope * (runs - 1))


def creeps(values: Values, found: tuple[Step, ...]) -> Trend | None:
    """The trend of a series that drifts, rather than changing its level; None for any other.

    From eight runs on, where |z| > 3 and a straight line explains it better than the steps do, and than the best
    single step does: by Schwarz's criterion n ln(SSE / n) + p ln n, with two parameters for the line and 2k + 1 for k
    steps.  What is under a twentieth of the drift counts as no error, so that a staircase of four steps is a creep.
    """
    if len(values) < LEAST_RUNS:
        return None
    seen = trend(values)
    if abs(seen.z) <= TREND_Z:
        return None
    order = np.arange(len(values))
    line = values - np.polyval(np.polyfit(order, values, 1), order)
    ways = [[step.index for step in found], [_best(values)[0]]]
    least = (NEGLIGIBLE * seen.drift) ** 2
    stepwise = min(_criterion(_without(values, points), 2 * len(points) + 1, least) for points in ways)
    return seen if _criterion(line, 2, least) < stepwise else None


def _without(values: Values, points: list[int]) -> Values:
    edges = [0, *points, len(values)]
    parts = [values[low:high] - values[low:high].mean() for low, high in pairwise(edges)]
    return np.concatenate(parts)


def _criterion(residuals: Values, parameters: int, least: float) -> float:
    runs = len(residuals)
    error = float(np.mean(np.square(residuals)))
    return runs * math.log(max(error, least)) + parameters * math.log(runs)
