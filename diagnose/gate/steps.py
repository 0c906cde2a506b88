"""Detection of steps in a series: pure functions on arrays.

A series is taken for constant pieces with noise, x_i = level_k + e_i.  Figures of a deterministic pipeline have no
noise at all, so that every change is one; the others are judged against the noise they show themselves.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from diagnose.results.history import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Values = NDArray[np.float64]


ROUNDING = 1e-6  # relative: float32 sums differ so much from one processor to the next
MAD_OF_A_NORMAL = 0.6744897501960817  # median |z| of a standard normal z
LEAST_NOISY = 8  # runs from which on a noisy series is judged: fewer do not tell their own noise
SHORTEST = 2  # runs of a level in a noisy series: one run alone is an outlier
SPIKE_SIGMAS = 4.0
DENSE = 8
DECAY = math.sqrt(0.5)  # of the seeded intervals' lengths; Kovacs et al.'s own choice


def noise(values: Values) -> float:
    """Standard deviation of the noise: median |x_i - x_(i-1)| / (0.6745 sqrt 2).

    The median absolute deviation of first differences, about zero: a few steps do not move it, and a drift widens it
    by its slope alone.  0 for a series that repeats itself more often than not, and for under two runs.
    """
    if len(values) < 2:
        return 0.0
    return float(np.median(np.abs(np.diff(values)))) / (MAD_OF_A_NORMAL * math.sqrt(2))


def least_change(values: Values) -> float:
    """What is no change: 1e-6 of the largest value."""
    return ROUNDING * float(np.max(np.abs(values), initial=0.0))


def steps(values: Values) -> tuple[Step, ...]:
    """The steps of a series [shape=(n,)], first to last; see boundaries."""
    return described(values, boundaries(values))


def boundaries(values: Values) -> list[int]:
    """Indices of the first run after each step, ascending.

    Without noise a step is wherever the value changes, but for a single run that the next one takes back; a change at
    the last run counts.  With noise (_in_noise) a level takes two runs, and under eight runs tell nothing.
    """
    least = least_change(values)
    if len(values) < 2 or float(np.ptp(values)) <= least:
        return []
    if is_exact(values):
        return _exact(values, least)
    if len(values) < LEAST_NOISY:
        return []
    # Where the median of its differences says nothing, the series flips between a few values.
    sigma = noise(values)
    return _in_noise(values, sigma if sigma > least else float(np.sqrt(np.mean(np.diff(values) ** 2) / 2)))


def is_exact(values: Values) -> bool:
    """Whether a series has no noise: at least every other run repeats the one before.

    One that goes up and down again and again is noise that takes few values: two hosts in turn, say.
    """
    least = least_change(values)
    jumps = np.diff(values)
    real = jumps[np.abs(jumps) > least]
    turns = int(np.count_nonzero(np.diff(np.sign(real))))
    return 2 * len(real) <= len(jumps) and turns <= max(4, len(values) // 8)


def _exact(values: Values, least: float) -> list[int]:
    """Where the value leaves its level by more than least; a single run that the next one takes back is passed over."""
    found: list[int] = []
    each = values.tolist()
    level = each[0]
    for index in range(1, len(each)):
        after = each[index + 1] if index + 1 < len(each) else each[index]
        if abs(each[index] - level) > least and abs(after - level) > least:
            found.append(index)
            level = each[index]
    return found


def threshold(runs: int) -> float:
    """How many sigmas the statistic of _in_noise has to reach: 4.3 + 60 / n + 0.17 ln n.

    Fitted to simulations of white normal noise, the noise being estimated from the same n runs: the rate of false
    steps is under 1 in 500 series at any length (tests/history/test_steps.py asks).
    """
    return 4.3 + 60 / runs + 0.17 * math.log(runs)


def _in_noise(values: Values, sigma: float) -> list[int]:
    """Seeded binary segmentation, the narrowest interval over the threshold first.

    The statistic of a split of n runs into k and n - k is T = sqrt(k (n - k) / n) |mean_1 - mean_2| / sigma
    (normal of variance 1 where nothing changed).  It is taken in a fixed family of overlapping intervals, so that a
    short level is found that would drown in the whole.  Kovacs, Buehlmann, Li, Munk (2023), Seeded binary
    segmentation, Biometrika 110, 249-256; the choice of the narrowest: Baranowski, Chen, Fryzlewicz (2019),
    J. R. Stat. Soc. B 81, 649-672.  O(n log n) on arrays, where PELT (Killick, Fearnhead, Eckley 2012) is a loop over
    runs that is linear only where there are many steps.
    """
    sums = np.concatenate([[0.0], np.cumsum(without_spikes(values, sigma) - values[0])])
    wanted = threshold(len(values)) * sigma
    found: list[int] = []
    for starts, length in _seeded(len(values)):
        at, size = _best_splits(sums, starts, length)
        for interval in np.argsort(-size, kind="stable"):
            low = int(starts[interval])
            if size[interval] <= wanted:
                break
            if not any(low < point < low + length for point in found):
                found.append(int(at[interval]))
    return _refined(sums, sorted(found), wanted)


def _seeded(runs: int) -> Iterator[tuple[NDArray[np.intp], int]]:
    """(starts, length) of the layers of intervals, shortest first; neighbours overlap by half."""
    lengths, length = [], float(runs)
    while round(length) >= 2 * SHORTEST:
        lengths.append(round(length))
        length *= DECAY
    for each in sorted(set(lengths)):
        # The shortest stand at every run: one that lies askew over a step would find it one run off.
        count = 2 * math.ceil(runs / each) - 1 if each > DENSE else runs - each + 1
        yield np.unique(np.linspace(0, runs - each, count).astype(np.intp)), each


def _best_splits(sums: Values, starts: NDArray[np.intp], length: int) -> tuple[NDArray[np.intp], Values]:
    """(index of the best split, sigma T there) of each interval; sums: cumulated values, one more than runs."""
    left = np.arange(SHORTEST, length - SHORTEST + 1)
    before = sums[starts[:, None] + left] - sums[starts][:, None]
    total = sums[starts + length] - sums[starts]
    size = np.abs(before - total[:, None] * (left / length)) * np.sqrt(length / (left * (length - left)))
    best = np.argmax(size, axis=1)
    return starts + left[best], size[np.arange(len(starts)), best]


def _refined(sums: Values, points: list[int], wanted: float) -> list[int]:
    """Each point moved to the best place between its neighbours, and dropped where it is not needed there."""
    for _ in range(4):
        before, edges = points, [0, *points, len(sums) - 1]
        points = []
        for index in range(1, len(edges) - 1):
            low = points[-1] if points else 0
            length = edges[index + 1] - low
            if length < 2 * SHORTEST:
                continue
            at, size = _best_splits(sums, np.array([low]), length)
            if size[0] > wanted:
                points.append(int(at[0]))
        if points == before:
            break
    return points


def without_spikes(values: Values, sigma: float) -> Values:
    """The series with single runs that stand over 4 sigma off the median of three replaced by that median.

    The median of x_(i-1), x_i, x_(i+1), at an end of the last three (Tukey 1977, running medians).
    """
    if len(values) < 3:
        return values
    middle = np.median(np.lib.stride_tricks.sliding_window_view(values, 3), axis=1)
    middle = np.concatenate([middle[:1], middle, middle[-1:]])
    return np.where(np.abs(values - middle) > SPIKE_SIGMAS * sigma, middle, values)


def described(values: Values, points: list[int]) -> tuple[Step, ...]:
    """The steps at points with their levels."""
    if not points:
        return ()
    edges = [0, *points, len(values)]
    levels = [float(np.median(values[low:high])) for low, high in itertools.pairwise(edges)]
    return tuple(
        Step(point, levels[index], levels[index + 1], edges[index + 2] - point) for index, point in enumerate(points)
    )
