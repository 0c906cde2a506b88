"""Picture file -> the levels that were drawn, with their places in Hz and seconds."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.errors import InputError
from diagnose.picture.axis import LINEAR, LOG, MEL, read_axis
from diagnose.picture.bands import find_bands
from diagnose.picture.cells import pooled
from diagnose.picture.colour_bar import find_levels
from diagnose.picture.colours import FOREIGN, locate
from diagnose.picture.figure import find_figure
from diagnose.picture.frames import find_frames
from diagnose.picture.load import read_pixels
from diagnose.picture.ticks import find_ticks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.picture.axis import Axis
    from diagnose.picture.boxes import Box
    from diagnose.picture.figure import Figure

MUCH_FOREIGN = 0.02  # share of pixels that are not of the map's colours, from which it is said


class Picture(msgspec.Struct, frozen=True, eq=False):
    """What was read out of a picture.

    levels_db: [shape=(bands, frames)], low frequencies first, in the unit of the colour bar, which is taken for dB.
    db_range: levels at the low and the high end of the colour map.
    colour_map: its name where it is a known one, "_r" added where it is turned round.
    band_edges_hz [shape=(bands + 1,)], frame_edges_s [shape=(frames + 1,)]: None where nothing tells them.
    bands_are_cells, frames_are_cells: whether a band, a frame is one of the drawn array; else it is a line of pixels.
    axis: "mel", "linear", "log", or None.  fmax_hz: middle of the highest band, or upper limit of the axis.
    size: width and height in pixels.
    """

    path: str
    size: tuple[int, int]
    colour_map: str | None
    levels_db: NDArray[np.float32]
    db_range: tuple[float, float]
    band_edges_hz: Floats | None
    frame_edges_s: Floats | None
    bands_are_cells: bool
    frames_are_cells: bool
    axis: str | None
    fmax_hz: float | None
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """Length of the whole."""
        return None if self.frame_edges_s is None else float(self.frame_edges_s[-1] - self.frame_edges_s[0])


def read_picture(
    path: str | os.PathLike[str],
    *,
    fmax: float | None = None,
    db_range: tuple[float, float] | None = None,
    seconds: float | None = None,
) -> Picture:
    """Read the spectrogram in a picture as librosa.display.specshow and plt.colorbar draw it.

    fmax (Hz, of the highest band), db_range (dB, at the low and high end of the colours) and seconds (of the whole)
    count more than what the labels say, and are needed where they cannot be read.  Raises InputError, in one line
    that begins with the path, for what is no picture, has no axes, or does not tell its levels.
    """
    name = os.fspath(path)
    _check_options(fmax, db_range, seconds)
    pixels = read_pixels(name)
    figure = find_figure(pixels, name)
    axes = figure.axes
    rows, columns = axes.inside()
    inside = pixels[rows, columns]
    levels = find_levels(figure, inside, db_range, name)
    places = locate(inside, levels.colours)
    frequency, time, unread = _labels(figure)
    upwards, frequency, below = _turned(frequency, axes, rows)
    turn = slice(None, None, -1 if upwards else 1)
    values = places.values[turn]
    seen = np.where(places.distance[turn] > FOREIGN, np.nan, values)
    beside = columns.start - axes.left
    bands = find_bands(seen, below, axes.height, frequency, fmax)
    frames = find_frames(seen, beside, axes.width, time, seconds)
    cells = pooled(pooled(values, bands.places, below, 0), frames.places, beside, 1)
    return Picture(
        path=name,
        size=(pixels.shape[1], pixels.shape[0]),
        colour_map=levels.name,
        levels_db=(levels.low + (levels.high - levels.low) * cells).astype(np.float32),
        db_range=(levels.low, levels.high),
        band_edges_hz=bands.hz,
        frame_edges_s=frames.seconds,
        bands_are_cells=bands.cells,
        frames_are_cells=frames.cells,
        axis=bands.scale,
        fmax_hz=bands.top_hz,
        notes=(*figure.notes, *levels.notes, *_foreign(places.distance), *unread, *bands.notes, *frames.notes),
    )


def _check_options(fmax: float | None, db_range: tuple[float, float] | None, seconds: float | None) -> None:
    for option, value in (("fmax", fmax), ("seconds", seconds)):
        if value is not None and not 0 < value < math.inf:
            raise InputError(f"--{option} {value:g}: must be above 0")
    if db_range is not None and not -math.inf < db_range[0] < db_range[1] < math.inf:
        raise InputError(f"--db-range {db_range[0]:g} {db_range[1]:g}: give the lower level first")


def _labels(figure: Figure) -> tuple[Axis | None, Axis | None, list[str]]:
    """The frequency axis (places in rows from the top), the time axis (from its left), what could not be read."""
    left, bottom = (find_ticks(figure.canvas, figure.axes, side) for side in ("left", "bottom"))
    frequency, time = read_axis(left, (LINEAR, MEL, LOG)), read_axis(bottom, (LINEAR,))
    sides = (("left", left, frequency), ("bottom", bottom, time))
    unread = [f"the labels at the {side} cannot be read" for side, ticks, axis in sides if ticks and axis is None]
    return frequency, time.seen_from(figure.axes.left, 1) if time is not None else None, unread


def _turned(axis: Axis | None, box: Box, rows: slice) -> tuple[bool, Axis | None, float]:
    """Whether values rise upwards, the axis with its places in that direction, and pixels before the first row."""
    if axis is not None and axis.slope > 0:
        return False, axis.seen_from(box.top, 1), rows.start - box.top
    return True, axis.seen_from(box.bottom, -1) if axis is not None else None, box.bottom - rows.stop


def _foreign(distance: Floats) -> list[str]:
    share = float(np.mean(distance > FOREIGN))
    if share <= MUCH_FOREIGN:
        return []
    return [f"{100 * share:.0f} % of the pixels are not in the colour map: lines or letters over the picture?"]
