"""From a fit to a name: what slope and offset over the logarithm of the sums say of the scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from diagnose.contract import Levels, LogName
from diagnose.infer.values import CLIPS, RANGES, Marks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from diagnose.infer.reading import Fit

    Floats = NDArray[np.floating[Any]]

DB = 10 / math.log(10)
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


def levels_of(fit: Fit, values: Floats, linear: bool) -> Levels:
    """The scale of values = slope * ln(sum) + offset; of ln(values), where they are linear."""
    pooled = fit.reading.pooled
    marks = Marks(values)
    if linear:
        name = "power" if fit.slope > (0.75 if pooled == "power" else 1.5) else "magnitude"
        reference = "max" if marks.high == 1.0 else _reference(fit)
        return Levels(cast(Any, name), reference=cast(Any, reference), top_db=_linear_top(marks, name))
    slopes = SLOPES[pooled]
    nearest = min(slopes, key=lambda each: abs(fit.slope / slopes[each] - 1))
    if abs(fit.slope / slopes[nearest] - 1) > NEAR_SLOPE * max(1.0, fit.residual_db):
        return _normalised(fit, marks)
    reference = "max" if nearest.endswith("-db") and marks.high == 0.0 else _reference(fit)
    if reference not in (1.0, "max") and _ends(marks):
        return _normalised(fit, marks)
    top_db = marks.top_db if nearest.endswith("-db") else None
    clip = None if top_db or reference == "max" else _clip(marks, fit)
    return Levels(cast(LogName, nearest), clip=clip, reference=cast(Any, reference), top_db=top_db)


def _reference(fit: Fit) -> float:
    """The sum that is written as 0 (as 1, where values are linear); 1 within 0.1 dB or what the fit leaves."""
    over = -fit.offset / fit.slope  # ln of it
    unit = 2 * DB if fit.reading.pooled == "magnitude" else DB
    return 1.0 if abs(over) * unit < max(NEAR_DB, fit.residual_db) else float(math.exp(over))


def _clip(marks: Marks, fit: Fit) -> float | None:
    """The sum at which values stop, where several do."""
    if not marks.floored:
        return None
    clip = math.exp((marks.low - fit.offset) / fit.slope)
    known = [each for each in (*CLIPS["magnitude"], *CLIPS["power"]) if abs(math.log(clip / each)) < 0.05]
    return known[0] if known else float(clip)


def _linear_top(marks: Marks, name: str) -> float | None:
    if marks.low <= 0 or not marks.floored:
        return None
    decibels = (10 if name == "power" else 20) * math.log10(marks.high / marks.low)
    return round(decibels) if abs(decibels - round(decibels)) < 0.01 else None


def _ends(marks: Marks) -> list[tuple[float, float]]:
    """Ranges in use that the values stay in, one end of which they reach exactly."""
    inside = [each for each in RANGES if each[0] - 1e-6 <= marks.low and marks.high <= each[1] + 1e-6]
    return [each for each in inside if marks.low == each[0] or marks.high == each[1]]


def _normalised(fit: Fit, marks: Marks) -> Levels:
    """Decibels laid on a range: of which, and from where to where, the fit tells."""
    bottom, top = (_ends(marks) or [(marks.low, marks.high)])[0]
    of: LogName = "magnitude-db" if fit.reading.pooled == "magnitude" else "power-db"
    unit = 2 * DB if of == "magnitude-db" else DB
    low, high = (unit * (value - fit.offset) / fit.slope for value in (bottom, top))
    return Levels("normalised", of=of, low=low, high=high, bottom=bottom, top=top)
