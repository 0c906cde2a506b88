"""Averaged levels: along time or along frequency, and frames that are held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.log_mel.scene import averaged
from diagnose.operations.operation import Fitted, price_of

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.log_mel.scene import LogMelScene
    from diagnose.operations.operation import Predicted

WIDTHS_S = (0.03, 0.04, 0.055, 0.075, 0.1, 0.14, 0.2, 0.28, 0.4, 0.6)
WIDTHS_BANDS = (3, 5, 7, 9, 13, 17, 25, 41)


def smoothed_in_time(scene: LogMelScene, before: Predicted) -> Fitted | None:
    """Levels averaged along time, as a model gives them that is not sure when."""
    widths = sorted({int(width / scene.frame_s) // 2 * 2 + 1 for width in WIDTHS_S} - {1})
    width = _best(scene, before, [(each, 1) for each in widths])
    if width is None:
        return None
    parameters = {"time": (1000 * width[0] * scene.frame_s, "ms")}
    return Fitted("over-smoothed", lambda z: twice(z, *width), 1, parameters)


def smoothed_in_frequency(scene: LogMelScene, before: Predicted) -> Fitted | None:
    """Levels averaged along the bands, as a model gives them that is not sure where."""
    width = _best(scene, before, [(1, each) for each in WIDTHS_BANDS])
    if width is None:
        return None
    return Fitted("over-smoothed", lambda z: twice(z, *width), 1, {"bands": (float(width[1]), "")})


def twice(levels: Floats, frames: int, bands: int) -> Floats:
    """Two averages of a width: a triangle, near to a bell."""
    return averaged(averaged(levels, frames, bands), frames, bands)


def _best(scene: LogMelScene, before: Predicted, widths: list[tuple[int, int]]) -> tuple[int, int] | None:
    floored = before.samples
    if not widths:
        return None
    prices = [price_of(scene, before, twice(floored, *width), 1) for width in widths]
    return widths[int(np.argmin(prices))]
