"""Stretches of time in which a band, or the shape of the spectrum, differs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from diagnose.analysis.distances import HEARD
from diagnose.analysis.spectra import FRAMING
from diagnose.regions.plane import GAP_S, changed_span, stretches
from diagnose.results.region import Region

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.analysis import Pair
    from diagnose.arrays import Floats
    from diagnose.regions.plane import Plane
    from diagnose.results.report import MetricRow

LEAST_DB, MOST_DB = 3.0, 10.0  # half of the metric's limit counts as failing, within these


def fixed_band(row: MetricRow, plane: Plane, low: float, high: float) -> list[Region]:
    """The band from low to high Hz, while it is as much stronger or weaker as the metric says."""
    return _while_over(row, plane, low, min(high, plane.pair.rate / 2), math.copysign(1.0, row.change or 0.0))


def named_band(row: MetricRow, plane: Plane, sign: float) -> list[Region]:
    """The third octave in the metric's detail, while it is stronger (sign 1) or weaker (-1)."""
    low, high = (float(row.detail.get(key, 0.0)) for key in ("low_hz", "high_hz"))
    return _while_over(row, plane, low, high, sign)


def _while_over(row: MetricRow, plane: Plane, low: float, high: float, sign: float) -> list[Region]:
    if low >= high:
        return []
    bands = plane.bands(low, high)
    ours, theirs = (part[:, bands].sum(axis=1) for part in (plane.ours, plane.theirs))
    floor = plane.floor[bands].sum()
    change = 10 * np.log10(np.maximum(theirs, floor) / np.maximum(ours, floor))
    level = min(max(abs(row.limit.fail or 0.0) / 2, LEAST_DB), MOST_DB)
    over = (sign * change >= level) & _heard(ours, theirs)
    times = plane.seconds
    return [
        Region(row.name, times[start], times[stop], low, high, plane.level_db(slice(start, stop), bands))
        for start, stop in stretches(over, np.abs(change), plane.gap)
    ]


def _heard(ours: Floats, theirs: Floats) -> NDArray[np.bool_]:
    """Where either is within 40 dB of the loudest."""
    loudest = np.maximum(ours, theirs)
    return loudest > HEARD * loudest.max()


def beyond_cutoff(row: MetricRow, plane: Plane) -> list[Region]:
    """The band between both cut-off frequencies, while its mean difference is over 10 dB."""
    before, after = row.reference or 0.0, row.generated or 0.0
    low, high = min(before, after), max(before, after)
    bands = plane.bands(low, high)
    # Of decibels: its power is that of its strong end, where a filter is not yet steep.
    change = plane.difference[:, bands].mean(axis=1)
    over = math.copysign(1.0, after - before) * change >= MOST_DB
    over &= _heard(plane.ours[:, bands].sum(axis=1), plane.theirs[:, bands].sum(axis=1))
    times = plane.seconds
    return [
        Region(row.name, times[start], times[stop], low, high, change[start:stop].mean())
        for start, stop in stretches(over, np.abs(change), plane.gap)
    ]


def shape(row: MetricRow, plane: Plane, figure: str) -> list[Region]:
    """While the figures of the frames differ by over the limit: the band in which most was added or lost."""
    height, frames = _frame_change(row, plane.pair, figure)
    over = (height > 0) & (height >= abs(row.limit.fail or 0.0))
    frame_s = FRAMING.hop / plane.pair.rate
    boxes = []
    for start, stop in stretches(over, height, int(GAP_S / frame_s)):
        begin, end = (frames[start] - 0.5) * frame_s, (frames[stop - 1] + 0.5) * frame_s
        columns = plane.columns(begin, end)
        if figure == "flatness":
            bands = changed_span(plane.difference[columns].mean(axis=0))
        else:
            bands = changed_span((np.sqrt(plane.theirs[columns]) - np.sqrt(plane.ours[columns])).mean(axis=0))
        low, high = plane.hz[bands.start], plane.hz[bands.stop]
        boxes.append(Region(row.name, begin, end, low, high, plane.difference[columns, bands].mean()))
    return boxes


def _frame_change(row: MetricRow, pair: Pair, figure: str) -> tuple[Floats, NDArray[np.intp]]:
    """(change by frame in the metric's direction, 0 where either is silent; the frames of the reference)."""
    sides = (pair.reference.frames, pair.generated.frames)
    cuts = pair.frames_laid(FRAMING.hop / pair.rate, sides[0].power.size, sides[1].power.size)
    ours, theirs = (getattr(side, figure)[cut] for side, cut in zip(sides, cuts, strict=True))
    heard = sides[0].sounding[cuts[0]] & sides[1].sounding[cuts[1]]
    return np.where(heard, theirs - ours, 0.0) * math.copysign(1.0, row.change or 0.0), cuts[0]
