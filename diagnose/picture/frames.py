"""The columns of the picture as frames: the limits of each in pixels, and in seconds if they are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from diagnose.picture.cells import changes, even, find_cells, pixel_edges

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.picture.axis import Axis

LONGEST_FRAME_S = 0.5
LONGEST_S = 60.0  # of labels without a colon; librosa writes longer times as minutes:seconds
UNIT = 0.02  # how near to 1 the width of a cell has to be for labels that count frames


class Frames(msgspec.Struct, frozen=True, eq=False):
    """Columns of the picture.

    places: edges in pixels from the left of the axes [shape=(frames + 1,)]; seconds: the same in seconds, or None.
    cells: whether they are the drawn array's own; else each is a column of pixels.
    """

    places: Floats
    seconds: Floats | None
    cells: bool
    notes: tuple[str, ...] = ()


def find_frames(values: Floats, first: float, width: float, axis: Axis | None, seconds: float | None) -> Frames:
    """Frames of the places on the colour map [shape=(rows, pixels)], NaN where they are not of it.

    The axis is width pixels wide and its places count from its left limit, first pixels before the first column.
    seconds, the length of the whole, counts more than the labels.
    """
    cells = find_cells(changes(values, 1), first, width, even)
    places = cells.edges if cells else pixel_edges(values.shape[1], first, width)
    shares = even(cells.count) if cells else places / width
    if seconds is not None:
        return Frames(places, shares * seconds, cells is not None)
    if axis is None:
        return Frames(places, None, cells is not None)
    start, end = float(axis.value(0.0)), float(axis.value(width))
    if not _is_seconds(end - start, cells.count if cells else None, axis.clock):
        note = "the labels at the bottom are not seconds (frame numbers, or milliseconds?): give --seconds"
        return Frames(places, None, cells is not None, (note,))
    return Frames(places, start + (end - start) * shares, cells is not None)


def _is_seconds(length: float, frames: int | None, clock: bool) -> bool:
    if length <= 0:
        return False
    if clock:
        return True
    if frames is None:
        return length <= LONGEST_S
    return length / frames <= LONGEST_FRAME_S and abs(length / frames - 1) > UNIT
