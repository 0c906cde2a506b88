"""The warped way: the same content with a timing of its own, laid on each other by dynamic time warping.

Sakoe and Chiba, IEEE Trans. ASSP 26(1), 1978: the path through both that adds up the least distance.  A step on both
sides costs twice the distance; a step on one side costs it once, and PAUSE or STEP more.  Long sounds are warped on a
coarse grid first, and then near that path on finer ones, so that memory grows with the length alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.arrays import median
from diagnose.timeline.features import FRAME_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.timeline.features import Features

STEP = 0.4  # of the usual distance of two frames, that a step on one side costs more
PAUSE = 0.02  # the same, where it is silent: pauses may be of any length
COARSE = 1500  # frames of either sound up to which all of it is searched
BESIDE = 24  # frames on either side of a coarser path
FACTOR = 4  # from grid to grid
BAND_S = 60.0  # on the coarsest grid, frames farther apart than this are not laid on each other
MATCHED = 6  # frames that a knot of the map is apart


class Warp(msgspec.Struct, frozen=True):
    """knots: (reference, generated) in samples, both rising.  distance: per step, over the usual one of two frames.

    tempo: generated over reference time, the median over the knots; 1.05 is 5 % slower.  deviation_s: RMS of the map
    about its best line.  delay: generated minus reference position, the median, in samples.
    """

    knots: tuple[tuple[int, int], ...]
    distance: float
    tempo: float
    deviation_s: float
    delay: float


def warped(first: Features, second: Features, lengths: tuple[int, int], rate: int) -> Warp:
    """The warp of two sounds of at least 8 frames; lengths: their samples."""
    path, distance = best_path(first, second)
    knots = _knots(path, first.hop, lengths)
    tempo, deviation = _timing(knots, rate)
    ours, theirs = np.array(knots).T
    return Warp(knots, distance, tempo, deviation, float(np.sort(theirs - ours)[len(knots) // 2]))


def best_path(first: Features, second: Features) -> tuple[NDArray[np.intp], float]:
    """(frames of both on the path [shape=(steps, 2)], its distance per step over the usual one of two frames)."""
    scale = usual_distance(first, second)
    counts = [1]
    while max(len(first.rows), len(second.rows)) / counts[-1] > COARSE:
        counts.append(counts[-1] * FACTOR)
    path: NDArray[np.intp] | None = None
    total = 0.0
    for count in reversed(counts):
        one, other = first.pooled(count), second.pooled(count)
        band = _around_line(one, other, count) if path is None else _around(path, len(one.rows), len(other.rows))
        path, total = _banded(one, other, scale, *band)
    assert path is not None
    return path, total / (len(first.rows) + len(second.rows))


def usual_distance(first: Features, second: Features) -> float:
    """Mean distance of frames of the one to frames of the other, drawn evenly."""
    rows = [side.rows[side.sounding.astype(bool)] if side.sounding.any() else side.rows for side in (first, second)]
    few = [part[np.linspace(0, len(part) - 1, min(len(part), 200)).astype(int)] for part in rows]
    return max(float(distances(few[0], few[1]).mean()), 1e-9)


def distances(one: Floats, others: Floats) -> Floats:
    """Euclidean distances [shape=(len(one), len(others))]."""
    squares = np.square(one).sum(axis=1)[:, None] + np.square(others).sum(axis=1)[None] - 2 * one @ others.T
    return np.sqrt(np.maximum(squares, 0.0))


Band = tuple["NDArray[np.intp]", "NDArray[np.intp]"]


def _around_line(one: Features, other: Features, count: int) -> Band:
    """(first, last + 1) frame of the other for each frame of the one: within BAND_S of the line from end to end."""
    centre = np.linspace(0, len(other.rows) - 1, len(one.rows)).astype(np.intp)
    return _clipped(centre, np.append(centre[1:], centre[-1]) + 1, round(BAND_S / (FRAME_S * count)), len(other.rows))


def _around(path: NDArray[np.intp], ours: int, theirs: int) -> Band:
    """As above, within BESIDE frames of the path of a grid FACTOR times as coarse."""
    rows, first = np.unique(path[:, 0], return_index=True)
    last = np.append(first[1:], len(path)) - 1
    which = np.minimum(np.arange(ours) // FACTOR, rows.size - 1)
    return _clipped(path[first, 1][which] * FACTOR, (path[last, 1][which] + 1) * FACTOR, BESIDE, theirs)


def _clipped(first: NDArray[np.intp], last: NDArray[np.intp], reach: int, theirs: int) -> Band:
    low = np.maximum.accumulate(np.clip(first - reach, 0, theirs - 1))
    high = np.maximum.accumulate(np.clip(last + reach, 1, theirs))
    low[0], high[-1] = 0, theirs
    return low, high


def _banded(
    one: Features, other: Features, scale: float, low: NDArray[np.intp], high: NDArray[np.intp]
) -> tuple[NDArray[np.intp], float]:
    """The best path within a band, and its cost in usual distances."""
    ours, theirs = len(one.rows), len(other.rows)
    came: list[NDArray[np.int8]] = []  # 0: a step on both sides, 1: on ours, 2: on theirs
    before = np.full(theirs + 1, np.inf)  # of the row before; a border at index 0
    extra = [np.where(side.sounding, STEP, PAUSE) for side in (one, other)]
    for row in range(ours):
        span = slice(int(low[row]), int(high[row]))
        cost = distances(one.rows[row : row + 1], other.rows[span])[0] / scale
        both = before[span.start : span.stop] + 2 * cost
        if row == 0:
            both[0] = 2 * cost[0]
        alone = before[span.start + 1 : span.stop + 1] + cost + extra[0][row]
        best = np.minimum(both, alone)
        # A step on their side comes from the same row: the least over all starts, by sums of the steps' costs.
        steps = np.cumsum(cost + extra[1][span])
        reached = np.minimum.accumulate(best - steps) + steps
        came.append(np.where(reached < best - 1e-9, 2, np.where(alone < both, 1, 0)).astype(np.int8))
        before[:] = np.inf
        before[span.start + 1 : span.stop + 1] = reached
    return _traced(came, low, ours, theirs), float(before[theirs])


def _traced(came: list[NDArray[np.int8]], low: NDArray[np.intp], ours: int, theirs: int) -> NDArray[np.intp]:
    row, column = ours - 1, theirs - 1
    steps = [(row, column)]
    while row or column:
        move = came[row][column - low[row]]
        row, column = row - int(move != 2 and row > 0), column - int(move != 1 and column > 0)
        steps.append((row, column))
    return np.array(steps[::-1], np.intp)


def _knots(path: NDArray[np.intp], hop: int, lengths: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """A knot each MATCHED steps, in samples, both sides rising."""
    picked = [(0, 0)]
    for ours, theirs in path[MATCHED // 2 :: MATCHED] * hop:
        if ours - picked[-1][0] >= hop and theirs - picked[-1][1] >= hop:
            picked.append((int(ours), int(theirs)))
    while len(picked) > 1 and (picked[-1][0] >= lengths[0] - hop or picked[-1][1] >= lengths[1] - hop):
        picked.pop()
    return (*picked, lengths)


def _timing(knots: tuple[tuple[int, int], ...], rate: int) -> tuple[float, float]:
    ours, theirs = np.array(knots, np.float64).T
    slopes = np.diff(theirs) / np.diff(ours)
    line = np.polyfit(ours, theirs, 1) if len(knots) > 2 else (slopes[0], 0.0)
    off = theirs - np.polyval(line, ours)
    return float(line[0]) if len(knots) > 2 else median(slopes), float(np.sqrt(np.mean(off**2))) / rate
