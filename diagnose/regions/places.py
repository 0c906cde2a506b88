"""Places in time: edges, clicks, bad places, dips, bursts, what is gone; and the comb, which is everywhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from diagnose.analysis.clicks import added_clicks
from diagnose.analysis.comb import HIGHEST_HZ, LOWEST_HZ
from diagnose.analysis.distances import FLOOR_DB, FRAME_RESOLUTION
from diagnose.analysis.stuck import stuck_stretches
from diagnose.metrics.edges import EDGE_S
from diagnose.regions.plane import changed_span, stretches
from diagnose.results.region import Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.analysis import Pair
    from diagnose.arrays import Floats
    from diagnose.regions.plane import Plane
    from diagnose.results.report import MetricRow

CLICK_S = 0.010  # width of the box round a click
# Of a frame that is 30 dB down, the last 11 % of the window reach into the sound beside the hole: sin**4, the
# window's power, holds a thousandth there.  So a hole begins 0.386 windows before the centre of its first frame.
HOLE_REACH = 0.386
LEAST_COMB = 1e-3  # share under which a reference's comb is chance


def edge(row: MetricRow, plane: Plane, side: Literal["left", "right"]) -> list[Region]:
    """The first or last 20 ms of the generated sound, in the band in which most was added or lost."""
    pair = plane.pair
    width = round(EDGE_S * pair.rate)
    cut = slice(None, width) if side == "left" else slice(-width, None)
    ours, theirs = (
        np.square(np.abs(np.fft.rfft(sound.mono[cut] - sound.moments.mean, width)), dtype=np.float64)
        for sound in (pair.reference, pair.generated)
    )
    theirs /= pair.gain**2
    band = changed_span(theirs - ours)
    floor = _floor(pair) * width
    excess = _level_db(float(theirs[band].mean()), float(ours[band].mean()), floor)
    step = pair.rate / width
    at = 0.0 if side == "left" else pair.generated.mono.size - EDGE_S * pair.rate
    start = pair.laid.from_generated(at) / pair.rate
    start = min(max(start, 0.0), max(pair.reference.mono.size / pair.rate - EDGE_S, 0.0))
    return [Region(row.name, start, start + EDGE_S, (band.start - 0.5) * step, (band.stop - 0.5) * step, excess)]


def clicks(row: MetricRow, plane: Plane) -> list[Region]:
    """10 ms round each click of the generated sound that the reference does not have."""
    pair = plane.pair
    heard = pair.generated.clicks
    times = np.array([pair.laid.from_generated(each * pair.rate) / pair.rate for each in heard])
    new = added_clicks(pair.reference.clicks, times)
    boxes = []
    for at, late in zip(times[new], (heard - times)[new], strict=True):
        start, end = at - CLICK_S / 2, at + CLICK_S / 2
        ours = _roughness(pair.reference.mono, pair.rate, start, end)
        theirs = _roughness(pair.generated.mono, pair.rate, start + late, end + late) / pair.gain**2
        boxes.append(Region(row.name, start, end, 0.0, pair.rate / 2, _level_db(theirs, ours, _floor(pair))))
    return boxes


def _roughness(samples: Floats, rate: int, start: float, end: float) -> float:
    """Mean square of the second difference between start and end in s; 0 where there is none."""
    bends = np.diff(samples[max(round(start * rate), 0) : max(round(end * rate), 0)].astype(np.float64), 2)
    return float(np.square(bends).mean()) if bends.size else 0.0


def bad_places(row: MetricRow, plane: Plane) -> list[Region]:
    """Each bad place, at least 10 ms wide, all frequencies."""
    pair = plane.pair
    boxes = []
    for place in pair.places:
        middle, half = (place.start + place.end) / 2, max(place.length, CLICK_S) / 2
        at = pair.to_reference_s(middle)
        boxes.append(Region(row.name, at - half, at + half, 0.0, pair.rate / 2, max(place.residual_db, FLOOR_DB)))
    return boxes


def swings(row: MetricRow, plane: Plane, sign: float) -> list[Region]:
    """The stretches in which the level dips (sign -1) or bursts (1) by as much as the metric's limit, or half of it."""
    pair = plane.pair
    found = pair.swings
    heights = sign * (found.bursts if sign > 0 else found.dips)
    boxes, gap = [], round(found.length_s / found.hop_s)
    level = (row.limit.warn if row.limit.warn is not None else row.limit.fail) or 0.0
    for start, stop in stretches(heights >= level / 2, heights, gap):
        begin, end = (pair.to_reference_s(at * found.hop_s + found.length_s / 2) for at in (start, stop))
        boxes.append(Region(row.name, begin, end, 0.0, pair.rate / 2, sign * float(heights[start:stop].max())))
    return boxes


def missing(row: MetricRow, plane: Plane) -> list[Region]:
    """The stretches in which the reference sounds and the generated sound is 30 dB weaker, as missing_share has it."""
    pair = plane.pair
    ours, theirs = pair.distances.reference_energy, pair.distances.generated_energy
    step, reach = FRAME_RESOLUTION / 4 / pair.rate, HOLE_REACH * FRAME_RESOLUTION / pair.rate
    boxes = []
    for start, stop in stretches(pair.distances.gone, np.ones(ours.size), 0):
        powers = [float(part[start:stop].mean(dtype=np.float64)) for part in (theirs, ours)]
        excess = _level_db(powers[0], powers[1], powers[1] * 10 ** (FLOOR_DB / 10))
        first, last = (pair.to_reference_s(frame * step) for frame in (start, stop - 1))
        boxes.append(Region(row.name, first - reach, last + reach, 0.0, pair.rate / 2, excess))
    return boxes


def broken(row: MetricRow, plane: Plane) -> list[Region]:
    """The longest stretches that are NaN or infinite; a number that is none counts as no power."""
    file = plane.pair.files[1].audio
    if file.broken is None:
        return []
    alone = file.broken.channels[0] if len(file.broken.channels) == 1 < file.channels else None
    boxes = _at_stretches(row, plane.pair, file.broken.stretches, 0.0)
    return [msgspec.structs.replace(box, channel=alone) for box in boxes]


def stuck(row: MetricRow, plane: Plane) -> list[Region]:
    """The stretches at full scale of the channel that has most of them."""
    file = plane.pair.files[1].audio
    channel = int(row.detail.get("channel", 1)) - 1
    found = stuck_stretches(file.samples[channel], file.rate)
    level = float(row.detail.get("value", 1.0))
    return _at_stretches(row, plane.pair, [(start / file.rate, stop / file.rate) for start, stop in found], level**2)


def _at_stretches(row: MetricRow, pair: Pair, found: Sequence[tuple[float, float]], power: float) -> list[Region]:
    """10 ms or more round stretches of the generated sound, in s, all frequencies; power: mean square in them."""
    boxes = []
    for start, end in found:
        first, last = (pair.laid.from_generated(at * pair.rate) / pair.rate for at in (start, end))
        wider = max(CLICK_S - (last - first), 0.0) / 2
        first, last = first - wider, last + wider
        part = pair.reference.mono[max(round(first * pair.rate), 0) : max(round(last * pair.rate), 0)]
        ours = float(np.square(part, dtype=np.float64).mean()) if part.size else 0.0
        excess = _level_db(power / pair.gain**2, ours, _floor(pair))
        boxes.append(Region(row.name, first, last, 0.0, pair.rate / 2, excess))
    return boxes


def comb(row: MetricRow, plane: Plane) -> list[Region]:
    """The whole length, from the first line of the comb to 8 kHz."""
    shares = [max(share or 0.0, LEAST_COMB) for share in (row.generated, row.reference)]
    low = float(row.detail.get("spacing_hz", LOWEST_HZ))
    return [
        Region(row.name, plane.seconds[0], plane.seconds[-1], low, HIGHEST_HZ, 10 * math.log10(shares[0] / shares[1]))
    ]


def _floor(pair: Pair) -> float:
    """80 dB under the reference's power: what is weaker counts as this much."""
    return max(pair.reference.moments.variance, 1e-20) * 10 ** (FLOOR_DB / 10)


def _level_db(theirs: float, ours: float, floor: float) -> float:
    return 10 * math.log10(max(theirs, floor) / max(ours, floor))
