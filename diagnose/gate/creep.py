"""Detection of slow drift (creep) in a series: pure functions on arrays."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.gate.steps import LEAST_NOISY, SHORTEST
from diagnose.results.history import Trend

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.results.history import Step

    Values = NDArray[np.floating[Any]]

NEGLIGIBLE = 0.05  # of a drift: no error of a fit
TREND_Z = 3.0  # standard deviations of Kendall's S: 1 in 370 series without a trend


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
    if len(values) < LEAST_NOISY:
        return None
    seen = trend(values)
    if abs(seen.z) <= TREND_Z:
        return None
    order = np.arange(len(values))
    line = values - np.polyval(np.polyfit(order, values, 1), order)
    ways = [[step.index for step in found], [_best_split(values)]]
    least = (NEGLIGIBLE * seen.drift) ** 2
    stepwise = min(_criterion(_without(values, points), 2 * len(points) + 1, least) for points in ways)
    return seen if _criterion(line, 2, least) < stepwise else None


def _best_split(values: Values) -> int:
    """Where two levels explain the series best, at least two runs each."""
    runs = len(values)
    left = np.arange(SHORTEST, runs - SHORTEST + 1)
    sums = np.cumsum(values - values.mean())
    return int(left[np.argmax(np.abs(sums[left - 1]) * np.sqrt(runs / (left * (runs - left))))])


def _without(values: Values, points: list[int]) -> Values:
    edges = [0, *points, len(values)]
    parts = [values[low:high] - values[low:high].mean() for low, high in pairwise(edges)]
    return np.concatenate(parts)


def _criterion(residuals: Values, parameters: int, least: float) -> float:
    runs = len(residuals)
    error = float(np.mean(np.square(residuals)))
    return runs * math.log(max(error, least)) + parameters * math.log(runs)
