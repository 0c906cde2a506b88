"""Plane: both spectrograms on one grid and their difference; and where along an axis something is."""

from __future__ import annotations

import math
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose.analysis.distances import FLOOR_DB
from diagnose.arrays import run_edges
from diagnose.regions.connect import find_areas
from diagnose.spectrogram import Framing, hann, slaney_from_hz, slaney_to_hz

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.analysis import Pair
    from diagnose.arrays import Floats
    from diagnose.regions.connect import Labels

    Mask = NDArray[np.bool_]

FRAME_S = 0.046  # window: 1024 samples at 22,050 Hz, as the distances have it
MOST_COLUMNS = 1000  # a page is not wider, and an hour takes no more memory than a minute
BANDS = 96  # equally wide in mel, each at least a bin
MOST_STRETCHES = 8  # more places than these are a texture
GAP_S = 0.05  # what is parted by less is one place
HELD = 0.9  # share of what was added or lost that a span holds


class Plane(msgspec.Struct, frozen=True, eq=False, dict=True):
    """Both spectrograms on one grid [shape=(columns, bands)], delay, gain and means removed.

    ours, theirs: mean power of the column's frames.  difference: mean of their difference in dB, both floored
    80 dB under the reference's mean power by bin.  floor: that, by band.  seconds: the columns' borders on the
    reference's clock.  hz: the bands' borders.
    """

    pair: Pair
    ours: Floats
    theirs: Floats
    difference: Floats
    floor: Floats
    seconds: Floats
    hz: Floats

    @cached_property
    def mels(self) -> Floats:
        """Width of each band."""
        return np.diff(slaney_from_hz(self.hz))

    @cached_property
    def gap(self) -> int:
        """Columns in 50 ms."""
        return int(GAP_S / float(np.diff(self.seconds).max()))

    @cached_property
    def areas(self) -> Labels:
        """Which cells form an area that differs [shape=(2, columns, bands)]; see find_areas."""
        return find_areas(self.difference, self.gap)

    def columns(self, start: float, end: float) -> slice:
        """The columns that are centred between start and end in s; the nearest where none is."""
        return _centred(self.seconds, start, end)

    def bands(self, low: float, high: float) -> slice:
        """The bands that are centred between low and high in Hz; the nearest where none is."""
        return _centred(self.hz, low, high)

    def level_db(self, columns: slice, bands: slice) -> float:
        """Power generated over reference, dB, of a part of the plane."""
        floor = float(self.floor[bands].sum())
        ours, theirs = (float(part[columns, bands].sum()) for part in (self.ours, self.theirs))
        floor *= columns.stop - columns.start
        return 10 * math.log10(max(theirs, floor) / max(ours, floor))


def _centred(borders: Floats, low: float, high: float) -> slice:
    centres = (borders[1:] + borders[:-1]) / 2
    first, last = np.searchsorted(centres, (low, high))
    if first < last:
        return slice(int(first), int(last))
    nearest = int(np.argmin(np.abs(centres - (low + high) / 2)))
    return slice(nearest, nearest + 1)


def difference_plane(pair: Pair) -> Plane:
    """One pass over the overlap of both sounds, of which there has to be some."""
    length = pair.overlap[0].size
    n_fft = 1 << max(round(math.log2(FRAME_S * pair.rate)), 5)
    framing = Framing(n_fft, n_fft // 4, "centre")
    bins = _first_bins(n_fft, pair.rate)
    floor = np.diff(np.append(bins, n_fft // 2 + 1)) * _bin_floor(pair.reference.moments.variance, n_fft)
    count = framing.count(length)
    pooled = -(-count // MOST_COLUMNS)
    sums = np.zeros((3, -(-count // pooled), bins.size))
    first = 0
    for before, after in zip(*(spectra.power(framing) for spectra in pair.overlap_stfts), strict=True):
        powers = [np.add.reduceat(power, bins, axis=1).astype(np.float64) for power in (before, after)]
        powers[1] /= pair.gain**2
        change = 10 * np.log10(np.maximum(powers[1], floor) / np.maximum(powers[0], floor))
        column = (first + np.arange(len(before))) // pooled
        starts = np.flatnonzero(np.diff(column, prepend=-1))
        for total, values in zip(sums, (*powers, change), strict=True):
            total[column[starts]] += np.add.reduceat(values, starts, axis=0)
        first += len(before)
    frames = np.append(np.arange(sums.shape[1]) * pooled, count)
    sums /= np.diff(frames)[:, None]
    seconds = np.clip((frames - 0.5) * framing.hop, 0, length) / pair.rate
    seconds[-1] = length / pair.rate
    hz = np.append(np.maximum(bins - 0.5, 0) * pair.rate / n_fft, pair.rate / 2)
    at = np.array([pair.to_reference_s(float(each)) for each in seconds])
    return Plane(pair, sums[0], sums[1], sums[2], floor, at, hz)


def _bin_floor(power: float, n_fft: int) -> float:
    """80 dB under the average of all bins, as in metrics.distance: mean square times the window's energy."""
    return max(power, 1e-20) * float(np.square(hann(n_fft)).sum()) * 10 ** (FLOOR_DB / 10)


@lru_cache(maxsize=4)
def _first_bins(n_fft: int, rate: int) -> NDArray[np.intp]:
    """The first bin of each band."""
    mels = np.linspace(0, float(slaney_from_hz(np.array(rate / 2))), BANDS + 1)
    bins = np.rint(slaney_to_hz(mels[:-1]) * n_fft / rate).astype(int)
    return np.array(sorted(set(bins.tolist())), np.intp)


def stretches(over: Mask, weights: Floats, gap: int) -> list[tuple[int, int]]:
    """(start, stop) of the stretches of over, gaps of up to gap joined: the 8 that hold the largest sums of weights."""
    starts, stops = run_edges(over)
    if not starts.size:
        return []
    parted = starts[1:] - stops[:-1] > gap
    starts, stops = starts[np.append(True, parted)], stops[np.append(parted, True)]
    summed = np.append(0.0, np.cumsum(np.where(over, weights, 0.0)))
    heaviest = np.argsort(summed[starts] - summed[stops], kind="stable")[:MOST_STRETCHES]
    return [(int(starts[one]), int(stops[one])) for one in heaviest]


def span(weights: NDArray[Any]) -> slice:
    """The middle that holds 90 % of the weights, 5 % left out at either end."""
    summed = weights.cumsum()
    first, last = summed.searchsorted(summed[-1] * np.array([(1 - HELD) / 2, (1 + HELD) / 2]))
    return slice(int(first), int(min(last, weights.size - 1)) + 1)


def changed_span(change: Floats) -> slice:
    """The span of what was added or of what was lost, whichever is more."""
    added, lost = np.maximum(change, 0), np.maximum(-change, 0)
    return span(added if added.sum() >= lost.sum() else lost)
