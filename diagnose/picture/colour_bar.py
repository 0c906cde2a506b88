"""The colour map of a picture and the levels in dB at its two ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from diagnose.errors import InputError
from diagnose.picture.axis import LINEAR, read_axis
from diagnose.picture.colours import bar_map, guessed, is_ambiguous, named, spread
from diagnose.picture.maps import MAPS
from diagnose.picture.ticks import find_ticks

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.picture.boxes import Box, Canvas
    from diagnose.picture.figure import Figure
    from diagnose.picture.load import Pixels

SMALL_RANGE, LARGE_RANGE = 10.0, 400.0  # dB; beyond them the colour bar shows something else


class ColourBar(NamedTuple):
    """colours along the map [shape=(1024, 3)], its name where it is known, the dB at its low and its high end."""

    colours: Floats
    name: str | None
    low: float
    high: float
    notes: tuple[str, ...]


def find_levels(figure: Figure, inside: Pixels, db_range: tuple[float, float] | None, path: str) -> ColourBar:
    """The map from the colour bar, or a known one that fits; its range from db_range, or from the bar's labels.

    Raises InputError where they do not tell it.
    """
    notes = []
    bar = figure.bar
    if bar is None:
        if db_range is None:
            raise InputError(
                f"{path}: no colour bar found; draw one with plt.colorbar(format='%+2.0f dB'), "
                "or give --db-range LOW HIGH"
            )
        name = guessed(inside)
        if name is None:
            raise InputError(f"{path}: no colour bar found, and the colours match none of {', '.join(MAPS)}")
        notes.append(f"no colour bar found: assuming the colour map {name} over the range of --db-range")
        return ColourBar(spread(MAPS[name]), name, *db_range, tuple(notes))
    colours = bar_map(figure.canvas.pixels, bar, bar.upright)
    if is_ambiguous(colours):
        notes.append("the colour map has nearly the same colour for several levels: levels may be wrong")
    low, high = db_range or _labelled(figure.canvas, bar, path)
    if not SMALL_RANGE <= abs(high - low) <= LARGE_RANGE:
        notes.append(f"the colour bar goes from {low:g} to {high:g}: is that in dB?")
    return ColourBar(colours, named(colours), low, high, tuple(notes))


def _labelled(canvas: Canvas, bar: Box, path: str) -> tuple[float, float]:
    """Levels at the low and the high end of the bar, by its labels."""
    ends = (bar.bottom, bar.top) if bar.upright else (bar.left, bar.right)
    for side in ("right", "left") if bar.upright else ("bottom",):
        axis = read_axis(find_ticks(canvas, bar, side), (LINEAR,))
        if axis is not None:
            low, high = (round(float(axis.value(end)), 2) + 0.0 for end in ends)
            # Digits may all be read wrongly in one way.
            if 0 < abs(high - low) <= LARGE_RANGE:
                return low, high
    raise InputError(f"{path}: the labels of the colour bar cannot be read; give --db-range LOW HIGH")
