"""Masking: how loud a wrong sound may be before it is heard beside the reference, by frame and band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.analysis.cells import decibels, total_db
from diagnose.arrays import quantile

if TYPE_CHECKING:
    from diagnose.analysis.cells import Cells
    from diagnose.arrays import Floats

# By band (Zwicker and Fastl, Psychoacoustics, chapter 4, with straight slopes): a sound hides what comes 20 ms after it
# nearly as well as what comes with it, and less the later.  Over the 20 to 50 ms before a sharp beginning a codec
# spreads its noise, and nobody calls that a click.
AFTER_S, AFTER_DB_PER_S = 0.15, 160.0
BEFORE_S, BEFORE_DB_PER_S = 0.05, 500.0
UPWARDS_DB = 18.0  # by which a band hides less in the next higher one than in itself
HEARD_DB = -45.0  # of the loud frames' level: what is softer is not heard anywhere in this sound
LOUD = 0.9  # share of the frames that are softer than a loud one
SILENT_DB = -60.0  # of the loudest frame


def hidden_db(cells: Cells) -> Floats:
    """How loud a residual may be, by frame and band, dB: see the constants above [shape=(frames, bands)]."""
    own = decibels(cells.reference)
    hidden = np.maximum(
        _decayed(own, AFTER_DB_PER_S * cells.hop_s, round(AFTER_S / cells.hop_s)),
        _decayed(own[::-1], BEFORE_DB_PER_S * cells.hop_s, round(BEFORE_S / cells.hop_s))[::-1],
    )
    for band in range(1, hidden.shape[1]):
        hidden[:, band] = np.maximum(hidden[:, band], hidden[:, band - 1] - UPWARDS_DB)
    return np.maximum(hidden, loud_db(cells) + HEARD_DB)


def _decayed(levels: Floats, step: float, frames: int) -> Floats:
    """max over d of levels[t - d] - d * step, for d = 0 .. about frames."""
    reached, width = levels.copy(), 1
    while width <= frames and width < len(levels):
        later = reached[:-width] - np.float32(width * step)
        reached = np.concatenate([reached[:width], np.maximum(reached[width:], later)])
        width *= 2
    return reached


def loud_db(cells: Cells) -> float:
    """Level of the reference's loud frames, dB: the 90th percentile of what sounds."""
    level = total_db(cells.reference)
    return quantile(level[level >= level.max() + SILENT_DB], LOUD)
