"""The scale of a mel from the slope and offset of a fit to the logarithm of the sums."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from diagnose.mel.contract import LogName, ValueScale, normalised
from diagnose.mel.known import CLIPS, RANGES, TOP_DBS
from diagnose.mel.values import DB, Marks

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.mel.fit import Fit

# Slope of the values over ln(sum) for each way to write a sum s.
SLOPES = {
    "power": {
        "ln-power": 1.0,
        "power-db": DB,
        "log10-power": DB / 10,
        "magnitude-db": 2 * DB,
        "ln-magnitude": 0.5,
        "log10-magnitude": DB / 20,
    }
}
SLOPES["magnitude"] = {
    "ln-magnitude": 1.0,
    "magnitude-db": 2 * DB,
    "log10-magnitude": DB / 10,
    "power-db": DB,
    "ln-power": 2.0,
    "log10-power": DB / 5,
}
NEAR_SLOPE = 0.04
NEAR_DB = 0.1
EXACT_DB = 0.1
MOST_NATS = 600.0  # of which e is a number


def levels_of(fit: Fit, values: Floats, linear: bool) -> ValueScale:
    """The scale of values = slope * ln(sum) + offset; of ln(values), where they are linear."""
    pooled = fit.reading.pooled
    marks = Marks(values)
    if linear:
        name: Any = "power" if fit.slope > (0.75 if pooled == "power" else 1.5) else "magnitude"
        over: Any = "max" if marks.high == 1.0 else _reference(fit)
        return ValueScale(name, reference=over, top_db=_linear_top(marks, name))
    slopes = SLOPES[pooled]
    if fit.residual_db > EXACT_DB:  # blur and noise bend a line: no odd combination is taken from one
        slopes = {name: slope for name, slope in slopes.items() if pooled in name}
    nearest = min(slopes, key=lambda each: abs(fit.slope / slopes[each] - 1))
    if abs(fit.slope / slopes[nearest] - 1) > NEAR_SLOPE * max(1.0, fit.residual_db):
        return _normalised(fit, marks)
    reference: Any = _reference(fit)
    if reference != 1.0 and nearest.endswith("-db") and marks.high == 0.0:
        reference = "max"
    if reference not in (1.0, "max") and _ends(marks):
        return _normalised(fit, marks)
    top_db = marks.top_db if nearest.endswith("-db") else None
    clip = None if top_db or reference == "max" else _clip(marks, fit)
    return ValueScale(cast("LogName", nearest), clip=clip, reference=reference, top_db=top_db)


def _reference(fit: Fit) -> float:
    """The sum that is written as 0 (as 1, where values are linear); 1 within 0.1 dB or what the fit leaves."""
    over = -fit.offset / fit.slope  # ln of it
    unit = 2 * DB if fit.reading.pooled == "magnitude" else DB
    if abs(over) * unit < max(NEAR_DB, 2 * fit.residual_db if fit.residual_db > EXACT_DB else 0.0):
        return 1.0
    return math.exp(max(-MOST_NATS, min(over, MOST_NATS)))


def _clip(marks: Marks, fit: Fit) -> float | None:
    """The sum at which values stop, where several do."""
    if not marks.floored:
        return None
    clip = math.exp(max(-MOST_NATS, min((marks.low - fit.offset) / fit.slope, MOST_NATS)))
    known = [each for each in (*CLIPS["magnitude"], *CLIPS["power"]) if abs(math.log(clip / each)) < 0.05]
    return known[0] if known else float(clip)


def _linear_top(marks: Marks, name: str) -> float | None:
    if marks.low <= 0 or not marks.floored:
        return None
    decibels = (10 if name == "power" else 20) * math.log10(marks.high / marks.low)
    return next((top for top in TOP_DBS if abs(decibels - top) < 0.01), None)


def _ends(marks: Marks) -> list[tuple[float, float]]:
    """Ranges in use that the values stay in, one end of which they reach exactly."""
    inside = [each for each in RANGES if each[0] - 1e-6 <= marks.low and marks.high <= each[1] + 1e-6]
    return [each for each in inside if marks.low == each[0] or marks.high == each[1]]


def _normalised(fit: Fit, marks: Marks) -> ValueScale:
    """Decibels laid on a range: of which, and from where to where, the fit tells."""
    for levels in normalised():
        slope, offset = levels.line
        if abs(fit.slope / slope - 1) < NEAR_SLOPE and abs(fit.offset - offset) < NEAR_SLOPE * (
            levels.top - levels.bottom
        ):
            return levels
    bottom, top = (_ends(marks) or [(marks.low, marks.high)])[0]
    of: LogName = "magnitude-db" if fit.reading.pooled == "magnitude" else "power-db"
    unit = 2 * DB if of == "magnitude-db" else DB
    low, high = (unit * (value - fit.offset) / fit.slope for value in (bottom, top))
    return ValueScale("normalised", of=of, low=low, high=high, bottom=bottom, top=top)
