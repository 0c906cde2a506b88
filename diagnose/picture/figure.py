"""Find the rectangle of the spectrogram, and that of its colour bar."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from diagnose.errors import InputError
from diagnose.picture.boxes import bar_of, box_of, find_outlines, lay_out
from diagnose.picture.colours import FOREIGN, bar_map, locate

if TYPE_CHECKING:
    from diagnose.picture.boxes import Box, Canvas
    from diagnose.picture.load import Pixels

SMALLEST = 16  # pixels inside the axes, either way
ALIKE_IN_SIZE = 0.7  # axes at least this large beside the largest may be the spectrogram, or another one
SAMPLE = 4  # every fourth pixel either way tells whether axes hold the bar's colours
MOST_FOREIGN = 0.5  # share of pixels that are not


class Figure(NamedTuple):
    """The picture, the axes with the spectrogram, their colour bar, and what is to be said about them."""

    canvas: Canvas
    axes: Box
    bar: Box | None
    notes: tuple[str, ...]


def find_figure(pixels: Pixels, path: str) -> Figure:
    """The largest framed rectangle that holds its colour bar's colours; of several the first, in reading order.

    Raises InputError where there is none.
    """
    canvas = lay_out(pixels)
    outlines = find_outlines(canvas.ink) if canvas is not None else []
    if canvas is None or not outlines:
        raise InputError(
            f"{path}: no axes found (a framed rectangle on a background of one colour); "
            "save the whole figure of librosa.display.specshow"
        )
    least = ALIKE_IN_SIZE * math.prod(outlines[0].sizes)
    large = sorted((one for one in outlines if math.prod(one.sizes) >= least), key=lambda one: (one.top, one.left))
    framed = [box_of(pixels, one, bar_of(one, outlines, pixels)) for one in large]
    roomy = [pair for pair in framed if min(pixels[pair[0].inside()].shape[:2]) >= SMALLEST]
    if not roomy:
        raise InputError(f"{path}: the axes are under {SMALLEST} pixels wide or high; draw them larger")
    coloured = [(axes, bar) for axes, bar in roomy if bar is None or _holds(pixels, axes, bar)]
    if not coloured:
        raise InputError(f"{path}: the axes do not show a spectrogram in the colours of the colour bar")
    notes = (f"{len(coloured)} axes of equal size: only the first was read",) if len(coloured) > 1 else ()
    return Figure(canvas, *coloured[0], notes)


def _holds(pixels: Pixels, axes: Box, bar: Box) -> bool:
    sample = pixels[axes.inside()][::SAMPLE, ::SAMPLE]
    distance = locate(sample, bar_map(pixels, bar, bar.upright)).distance
    return bool(np.mean(distance > FOREIGN) <= MOST_FOREIGN)
