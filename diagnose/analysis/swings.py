"""Swings: where the generated sound's level falls under the reference's, or rises over it, for a tenth of a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.analysis.cells import BANDS_HZ, decibels
from diagnose.analysis.masking import loud_db
from diagnose.arrays import window_sums

if TYPE_CHECKING:
    from diagnose.analysis.cells import Cells
    from diagnose.arrays import Floats

WINDOW_S = 0.1  # a vocoder's frames, 12 ms apart, waver by themselves
FLOOR_DB = -25.0  # of the loud frames' level: what is softer on one side counts as this much
# A swing is one of the whole and of what lies from 0.4 to 6.4 kHz alone: a hum that a vocoder adds is no burst, and a
# fricative that it makes softer is no dip.
MIDDLE_HZ = (400.0, 6400.0)


class Swings(msgspec.Struct, frozen=True, eq=False):
    """Level of the generated sound over the reference, dB [shape=(windows,)]; dips <= 0, bursts >= 0.

    Window k covers k * hop_s to k * hop_s + length_s on the joined axis.
    """

    dips: Floats
    bursts: Floats
    hop_s: float
    length_s: float


def measure_swings(cells: Cells) -> Swings:
    """10 log10 of the quotient of both powers within 0.1 s, each at least 25 dB under the reference's loud frames."""
    width = min(max(round(WINDOW_S / cells.hop_s), 1), len(cells.reference))
    middle = [index for index, low in enumerate(BANDS_HZ) if MIDDLE_HZ[0] <= low < MIDDLE_HZ[1]]
    views = (slice(None), slice(middle[0], middle[-1] + 1))
    floor = 10 ** ((loud_db(cells) + FLOOR_DB) / 10)
    changes = []
    for view in views:
        ours, theirs = (
            window_sums(side[:, view].sum(axis=1), width) / width for side in (cells.reference, cells.generated)
        )
        changes.append(decibels(np.maximum(theirs, floor)) - decibels(np.maximum(ours, floor)))
    whole, inner = changes
    return Swings(
        np.minimum(np.maximum(whole, inner), 0),
        np.maximum(np.minimum(whole, inner), 0),
        cells.hop_s,
        (width + 1) * cells.hop_s,
    )
