"""Find the scale of a mel from its values alone.

Every scale is tried: under it the values are so many decibels, and what they look like then is held against what
mels of sounds look like: how far they spread, how rough they are from band to band and from frame to frame, how loud
the loudest is.  A power read as a magnitude spreads twice as far and is twice as rough.  What a logarithm's clip, a
top_db or a normalisation leave as the lowest value comes on top: -11.5129 is ln 1e-5, and nothing else.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np

from diagnose.mel.contract import LogName, ValueScale
from diagnose.mel.contract import normalised as known_normalised
from diagnose.mel.known import CLIPS, RANGES, TOP_DBS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats

    Cells = NDArray[np.bool_]

DB = 10 / math.log(10)  # of a power whose natural logarithm is 1
# Decibels of what is summed for one unit of the value.
UNIT_DB: dict[str, float] = {
    "power-db": 1.0,
    "magnitude-db": 1.0,
    "ln-magnitude": 2 * DB,
    "ln-power": DB,
    "log10-magnitude": 20.0,
    "log10-power": 10.0,
}
TYPICAL_RANGE_DB = 90.0  # what normalised values are of
AMIN_DB = -100.0  # librosa's amin, 1e-10 of a power or 1e-5 of a magnitude
NEAR = 1e-3
LOWEST_DB = 200.0
FLOOR_CELLS = 3
FLOOR_SHARE = 0.01

FREEDOM = 6.0
# How plausible each is before the values are looked at, as a logarithm.  Nearly everybody who writes decibels writes
# librosa's power_to_db, natural logarithms are of magnitudes, and log10 of a power is Whisper's alone.
PRIOR = {"magnitude-db": -1.5, "log10-magnitude": -0.7, "ln-power": -0.7, "log10-power": -5.0}
MARK = 6.0
NO_MARK = -4.0
NAMED = -3.0  # a scale of one program

# Mean and covariance of (ln spread, ln step between bands, ln bend between bands, ln bend between frames, top / 20 dB)
# of mels in decibels, over the sounds of benchmarks/contracts.py that are not held out; `--looks` prints them.
LOOKS: dict[str, tuple[tuple[float, ...], tuple[tuple[float, ...], ...]]] = {
    "magnitude": (
        (4.179, 1.362, 1.071, -0.21, 1.059),
        (
            (0.1156, 0.0208, 0.0196, -0.0831, -0.0165),
            (0.0208, 0.2217, 0.2313, -0.2101, -0.0466),
            (0.0196, 0.2313, 0.2564, -0.2133, -0.0262),
            (-0.0831, -0.2101, -0.2133, 0.6307, 0.0325),
            (-0.0165, -0.0466, -0.0262, 0.0325, 0.8817),
        ),
    ),
    "power": (
        (4.138, 1.266, 1.028, -0.439, 1.428),
        (
            (0.0988, 0.0185, 0.0217, -0.0707, -0.0069),
            (0.0185, 0.2303, 0.2604, -0.2907, -0.0511),
            (0.0217, 0.2604, 0.3142, -0.3343, -0.0506),
            (-0.0707, -0.2907, -0.3343, 0.9947, 0.0433),
            (-0.0069, -0.0511, -0.0506, 0.0433, 0.2634),
        ),
    ),
}


class Guess(msgspec.Struct, frozen=True):
    """A scale and its plausibility, the logarithm of a probability; of all guesses the probabilities add up to 1."""

    levels: ValueScale
    plausibility: float

    @property
    def probability(self) -> float:
        return math.exp(self.plausibility)


class Marks:
    """Values that stand out of an array [shape=(bands, frames)]: its lowest and highest, and how often they occur."""

    def __init__(self, values: Floats) -> None:
        self.low, self.high = float(values.min()), float(values.max())
        self.floor_cells = int(np.count_nonzero(values <= self.low + 1e-6 * max(abs(self.low), 1e-3)))
        self.ceiling_cells = int(np.count_nonzero(values == self.high))
        self.size = values.size

    @cached_property
    def floored(self) -> bool:
        """The lowest value is no coincidence: several cells share it."""
        return self.floor_cells >= FLOOR_CELLS and self.low < self.high

    def at_floor(self, value: float) -> bool:
        return self.floored and abs(self.low - value) <= NEAR * max(1.0, abs(value)) * 0.1

    @property
    def top_db(self) -> float | None:
        """The known top_db that lies between the highest and the lowest value, both in dB."""
        found = [top for top in TOP_DBS if abs(self.high - self.low - top) < NEAR]
        return found[0] if found and self.floored else None


def guesses(values: Floats) -> list[Guess]:
    """Scales that the values [shape=(bands, frames)] can be in, the most plausible first; none for a constant array."""
    marks = Marks(values)
    if marks.low == marks.high:
        return []
    found = [*_linear(values, marks), *_logarithmic(values, marks), *_normalised(values, marks)]
    highest = max(score for _, score in found)
    total = highest + math.log(sum(math.exp(score - highest) for _, score in found))
    return sorted((Guess(levels, score - total) for levels, score in found), key=lambda guess: -guess.plausibility)


def _linear(values: Floats, marks: Marks) -> list[tuple[ValueScale, float]]:
    """Power and magnitude; one that was made from dB of ref=max keeps a loudest cell of exactly 1."""
    if marks.low < 0:
        return []
    found = []
    for name, unit in (("power", DB), ("magnitude", 2 * DB)):
        level = unit * np.log(np.maximum(values, marks.high * math.exp(-LOWEST_DB / unit)))
        over_max = marks.high == 1.0
        inner = Marks(level)
        top_db = inner.top_db if marks.low > 0 else None
        score = _plausible(level, name, known_top=not over_max) + MARK * (over_max + (top_db is not None))
        reference = "max" if over_max else 1.0
        found.append((ValueScale(cast("Any", name), reference=cast("Any", reference), top_db=top_db), score))
    return found


def _logarithmic(values: Floats, marks: Marks) -> list[tuple[ValueScale, float]]:
    found = []
    for name, unit in UNIT_DB.items():
        over_max = name.endswith("-db") and marks.high == 0.0
        levels = _clipped(name, unit, marks, over_max)
        score = PRIOR.get(name, 0.0) + _plausible(unit * values, name, known_top=not over_max)
        score += MARK * (over_max + (levels.clip is not None or levels.top_db is not None))
        if marks.floored and levels.clip is None and levels.top_db is None:
            score += NO_MARK
        found.append((levels, score))
    return found


def _clipped(name: str, unit: float, marks: Marks, over_max: bool) -> ValueScale:
    """The scale of that name with the clip or the top_db that the lowest value betrays."""
    summed = "magnitude" if "magnitude" in name else "power"
    reference: Any = "max" if over_max else 1.0
    if name.endswith("-db"):
        amin = 1e-5 if summed == "magnitude" else 1e-10
        clip = amin if marks.at_floor(AMIN_DB) and not over_max else None
        return ValueScale(cast("LogName", name), clip=clip, reference=reference, top_db=None if clip else marks.top_db)
    decibels = 20.0 if summed == "magnitude" else 10.0
    clips = [clip for clip in CLIPS[summed] if marks.at_floor(decibels * math.log10(clip) / unit)]
    return ValueScale(cast("LogName", name), clip=clips[0] if clips else None)


def _normalised(values: Floats, marks: Marks) -> list[tuple[ValueScale, float]]:
    """Logarithms laid on 0..1, -1..1 or -4..4; which logarithm, and from where to where, cannot be seen."""
    found = []
    for bottom, top in RANGES:
        outside = marks.low < bottom - 1e-6 or marks.high > top + 1e-6
        if outside or marks.high - marks.low < 0.5 * (top - bottom):
            continue
        level = (values - bottom) / (top - bottom) * TYPICAL_RANGE_DB
        ends = (marks.low == bottom) + (marks.high == top) - (marks.floored and marks.low != bottom)
        score = _plausible(level, "power-db", known_top=False) + (MARK * ends if ends > 0 else NO_MARK)
        levels = ValueScale("normalised", of="magnitude-db", low=0.0, high=TYPICAL_RANGE_DB, bottom=bottom, top=top)
        found.append((levels, score))
    for named in known_normalised():
        slope, offset = named.line
        unit = 2 * DB if named.summed == "magnitude" else DB
        marked = MARK * (
            marks.floored and named.top_db is not None and abs(marks.high - marks.low - _span(named)) < NEAR
        )
        found.append((named, NAMED + marked + _plausible(unit * (values - offset) / slope, named.base, known_top=True)))
    return found


def _span(levels: ValueScale) -> float:
    """What top_db is in values."""
    unit = 2 * DB if levels.summed == "magnitude" else DB
    return (levels.top_db or 0.0) / unit * levels.line[0]


def looks(level: Floats) -> Floats:
    """(ln spread, ln step between bands, ln bend between bands, ln bend between frames, top / 20) of levels in dB.

    spread: 95th minus 5th percentile.  step, bend: median of |first difference|, |second difference / 2|.  Cells in
    the lowest hundredth of the range, where a clip may lie, are left out.
    """
    lowest, highest = float(level.min()), float(level.max())
    heard = level > lowest + FLOOR_SHARE * (highest - lowest)
    heard |= not heard.any()  # a range that is no number's
    low, high = np.quantile(level[heard], (0.05, 0.95))
    bands, frames = level.T, level
    return np.array(
        [
            math.log(max(high - low, 1e-3)),
            _typical(level[1:] - level[:-1], heard[1:] & heard[:-1]),
            _bend(frames, heard),
            _bend(bands, heard.T),
            highest / 20,
        ]
    )


def _bend(level: Floats, heard: Cells) -> float:
    """Along the first axis."""
    return _typical(level[1:-1] - (level[2:] + level[:-2]) / 2, heard[1:-1] & heard[2:] & heard[:-2])


def _typical(difference: Floats, heard: Cells) -> float:
    size = np.abs(difference[heard])
    return math.log(max(float(np.median(size)), 1e-3)) if size.size else 0.0


def _plausible(level: Floats, name: str, known_top: bool) -> float:
    """Logarithm of the density of LOOKS at what level looks like; without its top where that was normalised away."""
    mean, covariance = (np.array(part) for part in LOOKS["magnitude" if "magnitude" in name else "power"])
    count = mean.size if known_top else mean.size - 1
    away = (looks(level) - mean)[:count]
    covariance = covariance[:count, :count]
    distance = float(away @ np.linalg.solve(covariance, away))
    # Student's t: sounds far from all others are rare, but not as rare as a Gaussian has it.
    density = -0.5 * (FREEDOM + count) * math.log1p(distance / FREEDOM)
    density -= 0.5 * float(np.linalg.slogdet(2 * np.pi * covariance)[1])
    return density - (0.0 if known_top else 0.5 * math.log(2 * math.pi * math.e * mean_square_top(name)))


def mean_square_top(name: str) -> float:
    """Variance of the top: what a scale that has none pays for it, so that leaving it out is no advantage."""
    return LOOKS["magnitude" if "magnitude" in name else "power"][1][-1][-1]
