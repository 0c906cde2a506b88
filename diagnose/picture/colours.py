"""Colour -> place on the colour map, 0 at its low end to 1 at its high end.

The colour bar in the picture is the map: every pixel is looked up along it.  Without a bar one of a few known maps
is taken, where the picture's colours tell which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from diagnose.picture.maps import MAPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.picture.boxes import Box
    from diagnose.picture.load import Pixels

STEPS = 1024  # points on a map: four for each of the 256 colours that matplotlib has
BLOCK = 8192  # colours a step: bounds the table of distances to 32 MiB
MOST_COLOURS = 1 << 17  # with more, as a large photograph has, the two lowest bits of each channel do not count
FOREIGN = 40.0  # distance from the map, of 441, from which a pixel is a line or a letter over the picture
ALIKE = 5.0  # two maps, or a picture's colours and a map, that are nearer than this on average are the same
REPEATS = 6.0  # two places on a map nearer than this in colour
APART = 0.1  # ... and further than this along it make it ambiguous


class Places(NamedTuple):
    """values: place on the map of every pixel, 0..1 [shape=(height, width)]; distance: from it, of 441."""

    values: NDArray[np.float32]
    distance: NDArray[np.float32]


def bar_map(pixels: Pixels, bar: Box, upright: bool) -> Floats:
    """The colours along a bar from its low end (bottom or left) to its high end [shape=(1024, 3)]."""
    outline = bar.outline
    drawn = outline.cut(pixels)[::-1].transpose(1, 0, 2) if upright else outline.cut(pixels)
    # The middle third across, away from the frame: a bar may be four pixels wide.
    third, margin = len(drawn) // 3, bar.line + 1
    colours = drawn[third : len(drawn) - third, margin:-margin].mean(axis=0, dtype=np.float64)
    first = outline.bottom + 1 - bar.bottom if upright else bar.left - outline.left
    length = bar.height if upright else bar.width
    along = (np.arange(len(colours)) + 0.5 + margin - first) / length
    # A bar higher than 256 pixels shows a colour on several: it stands for the middle of its step.
    steps = np.concatenate(([0], np.flatnonzero((np.diff(colours, axis=0) != 0).any(axis=1)) + 1, [len(colours)]))
    centres = (along[steps[:-1]] + along[steps[1:] - 1]) / 2
    return _stretched(centres, colours[steps[:-1]])


def _stretched(places: Floats, colours: Floats) -> Floats:
    """The map at 1024 even places from 0 to 1; beyond the outermost places it goes on as it ended."""
    wanted = (np.arange(STEPS) + 0.5) / STEPS
    reach = max(2, len(places) // 25)
    ends = []
    for near, far in ((0, reach - 1), (-1, -reach)):
        slope = (colours[near] - colours[far]) / (places[near] - places[far])
        target = 0.0 if near == 0 else 1.0
        ends.append((target, colours[near] + slope * (target - places[near])))
    (low, first), (high, last) = ends
    xs = np.concatenate(([min(low, places[0] - 1e-9)], places, [max(high, places[-1] + 1e-9)]))
    ys = np.clip(np.concatenate(([first], colours, [last])), 0, 255)
    return np.stack([np.interp(wanted, xs, ys[:, channel]) for channel in range(3)], axis=1)


def locate(pixels: Pixels, colours: Floats) -> Places:
    """The nearest place on a map for every pixel; every colour is looked up once."""
    wide = pixels.astype(np.uint32)
    packed = (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]
    unique, inverse = np.unique(packed, return_inverse=True)
    if len(unique) > MOST_COLOURS:
        unique, inverse = np.unique(packed & 0xFCFCFC | 0x020202, return_inverse=True)
    points = np.stack([unique >> 16, (unique >> 8) & 255, unique & 255], axis=1).astype(np.float32)
    table = colours.astype(np.float32)
    places, distance = np.empty(len(points), np.float32), np.empty(len(points), np.float32)
    for start in range(0, len(points), BLOCK):
        part = slice(start, start + BLOCK)
        # |a - b|^2 = |a|^2 - 2 a.b + |b|^2
        squares = (points[part] ** 2).sum(axis=1)[:, None] - 2 * points[part] @ table.T + (table**2).sum(axis=1)
        places[part] = (squares.argmin(axis=1) + 0.5) / len(table)
        distance[part] = np.sqrt(np.maximum(squares.min(axis=1), 0))
    inverse = inverse.reshape(packed.shape)
    return Places(places[inverse], distance[inverse])


def named(colours: Floats) -> str | None:
    """The name of a map, "_r" added where it is turned round; None where it is none of the known ones."""
    for name, points in MAPS.items():
        known = spread(points)
        for ending, turned in (("", known), ("_r", known[::-1])):
            if np.linalg.norm(turned - colours, axis=1).mean() < ALIKE:
                return name + ending
    return None


def guessed(pixels: Pixels) -> str | None:
    """The known map that a picture without a bar is drawn in; None where none, or more than one, fits its colours."""
    step = max(1, int(np.sqrt(pixels.size / 3 / 40_000)))
    sample = pixels[::step, ::step]
    distances = {name: float(locate(sample, spread(points)).distance.mean()) for name, points in MAPS.items()}
    first, second = sorted(distances, key=lambda name: distances[name])[:2]
    # A picture of one colour, black say, lies on several maps.
    fits = distances[first] < ALIKE and distances[second] > max(2 * distances[first], ALIKE)
    return first if fits else None


def spread(points: Floats) -> Floats:
    """A map given by evenly spaced points, at 1024 places [shape=(1024, 3)]."""
    wanted = (np.arange(STEPS) + 0.5) / STEPS
    known = np.linspace(0, 1, len(points))
    return np.stack([np.interp(wanted, known, points[:, channel]) for channel in range(3)], axis=1)


def is_ambiguous(colours: Floats) -> bool:
    """Whether a map shows nearly one colour at two places far apart, so that a pixel does not tell its level."""
    some = colours[:: STEPS // 128]
    apart = np.abs(np.arange(len(some))[:, None] - np.arange(len(some))) / len(some)
    distance = np.linalg.norm(some[:, None] - some, axis=2)
    return bool((distance[apart > APART] < REPEATS).any())
