"""Find the axes and the colour bar: rectangles with a frame on a background of one colour.

A side of a rectangle is a long straight line of pixels that differ from the background and have it on their outer
side.  Ticks stick out of a side and make short gaps; they are bridged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from diagnose.arrays import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from diagnose.picture.load import Pixels

    Mask = NDArray[np.bool_]

INK = 64  # difference from the background, of 255: above the ringing of a JPEG, below the thinnest frame line
SHORTEST_SIDE = 8  # pixels, of a side by which a rectangle is found
NARROWEST = 3  # pixels, of a colour bar in a picture of 200 by 100
MOST_COLUMNS = 240  # with most ink that has background at its left, in which sides are looked for
MOST_SIDES = 60  # the longest on either hand; white specks in a grey picture make thousands
SIDE_INKED = 0.98
SIDE_FREE = 0.8  # share of a side that has to be free of ticks and labels
THICKEST = 12  # pixels, of a frame line
BORDER_SHARE = 0.6  # of the outermost pixels that have to be background
BAR_ASPECT = 4.0  # a colour bar is at least so much longer than it is thick; matplotlib draws 20
SHORTEST_BAR = 2 * (THICKEST + 1) + 8
BAR_COLOURS = 8


class Box(msgspec.Struct, frozen=True):
    """A framed rectangle; all in pixels, rows counted from the top.

    left, right, top, bottom: where the axis' limits lie, to half a pixel.
    line: thickness of the frame's lines.
    """

    left: float
    right: float
    top: float
    bottom: float
    line: int

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def upright(self) -> bool:
        return self.height >= self.width

    @property
    def outline(self) -> Outline:
        """The outermost pixels of the frame."""
        half = self.line // 2
        far = self.line - half - 1
        return Outline(
            *(int(place) for place in (self.left - half, self.right + far, self.top - half, self.bottom + far))
        )

    def inside(self) -> tuple[slice, slice]:
        """(rows, columns) free of the frame and of the pixels mixed with it."""
        left, right, top, bottom = self.outline
        margin = self.line + 1
        return slice(top + margin, bottom - margin + 1), slice(left + margin, right - margin + 1)


class Side(NamedTuple):
    """A straight line at a place, from start to end (not included) along it."""

    place: int
    start: int
    end: int


class Outline(NamedTuple):
    """First and last column, first and last row of a rectangle."""

    left: int
    right: int
    top: int
    bottom: int

    @property
    def sizes(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top + 1, self.right - self.left + 1

    def cut(self, array: NDArray[Any]) -> NDArray[Any]:
        """That part of a picture or mask."""
        return array[self.top : self.bottom + 1, self.left : self.right + 1]

    @property
    def upright(self) -> bool:
        height, width = self.sizes
        return height >= width


class Canvas(NamedTuple):
    """A picture and its ground: ink is where it differs [shape=(height, width)]."""

    pixels: Pixels
    ground: NDArray[np.int16]
    ink: Mask

    def darkness(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Largest difference of a channel from the ground, 0..1."""
        difference = np.abs(self.pixels[rows, columns].astype(np.int16) - self.ground).max(axis=2)
        return difference.astype(np.float32) / 255


def lay_out(pixels: Pixels) -> Canvas | None:
    """Tell ink from ground, the commonest colour of the outermost pixels; None where they have no one colour."""
    border = np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])).astype(np.int16)
    colours, counts = np.unique(border, axis=0, return_counts=True)
    ground = colours[np.argmax(counts)]
    if np.mean(np.abs(border - ground).max(axis=1) < INK) < BORDER_SHARE:
        return None
    mask = np.zeros(pixels.shape[:2], bool)
    for channel in range(3):
        mask |= np.abs(pixels[..., channel].astype(np.int16) - ground[channel]) >= INK
    return Canvas(pixels, ground, mask)


def find_outlines(mask: Mask) -> list[Outline]:
    """All rectangles with four straight sides, largest first; one within another is left out."""
    framed = np.pad(mask, 1)  # so that every side has an outer neighbour
    # An upright rectangle is found by its left and right side, a lying one by its top and bottom.
    found = set(_rectangles(framed))
    found |= {Outline(top, bottom, left, right) for left, right, top, bottom in _rectangles(framed.T)}
    outlines = [Outline(*(place - 1 for place in outline)) for outline in sorted(found, key=_area, reverse=True)]
    return [one for i, one in enumerate(outlines) if not any(_within(one, other) for other in outlines[:i])]


def _area(outline: Outline) -> int:
    return (outline.right - outline.left) * (outline.bottom - outline.top)


def _within(one: Outline, other: Outline) -> bool:
    beside = other.left <= one.left and one.right <= other.right
    return beside and other.top <= one.top and one.bottom <= other.bottom


def _sides(mask: Mask) -> list[Side]:
    """The longest columns along which ink has background at its left; short gaps are bridged."""
    begins = mask.copy()
    begins[:, 1:] &= ~mask[:, :-1]
    gap = max(6, mask.shape[0] // 60)
    found = []
    counts = begins.sum(axis=0)
    for column in np.argsort(-counts, kind="stable")[:MOST_COLUMNS].tolist():
        if counts[column] < SHORTEST_SIDE:
            break
        start = end = -gap
        for first, last in [*runs(begins[:, column]), (mask.shape[0] + gap + 1, 0)]:
            if first - end > gap:
                if end - start >= SHORTEST_SIDE:
                    found.append(Side(column, start, end))
                start = first
            end = last
    return sorted(found, key=lambda side: side.start - side.end)[:MOST_SIDES]


def _rectangles(mask: Mask) -> Iterator[Outline]:
    """Rectangles by their left and right sides."""
    lefts, rights = _sides(mask), _sides(mask[:, ::-1])
    for left in lefts:
        for mirrored in rights:
            right = Side(mask.shape[1] - 1 - mirrored.place, mirrored.start, mirrored.end)
            shared = min(left.end, right.end) - max(left.start, right.start)
            longest = max(left.end - left.start, right.end - right.start)
            if right.place - left.place + 1 >= NARROWEST and shared >= SIDE_FREE * longest:
                yield from _between(mask, left, right)


def _between(mask: Mask, left: Side, right: Side) -> Iterator[Outline]:
    """Rectangles with these two sides.

    A side can be longer than it is, by a label below it, or by a pixel where its line ends beyond the corner.
    """
    for top in sorted({side.start + more for side in (left, right) for more in (0, 1)}):
        for bottom in sorted({side.end - 1 - more for side in (left, right) for more in (0, 1)}):
            outline = Outline(left.place, right.place, top, bottom)
            if bottom - top >= SHORTEST_SIDE and _closed(mask, outline):
                yield outline


def _closed(mask: Mask, outline: Outline) -> bool:
    """Whether all four sides are ink without a gap, with background outside them wherever no tick stands."""
    left, right, top, bottom = outline
    rows, columns = slice(top, bottom + 1), slice(left, right + 1)
    lines = (mask[rows, left], mask[rows, right], mask[top, columns], mask[bottom, columns])
    beyond = (mask[rows, left - 1], mask[rows, right + 1], mask[top - 1, columns], mask[bottom + 1, columns])
    return all(line.mean() >= SIDE_INKED for line in lines) and all(1 - side.mean() >= SIDE_FREE for side in beyond)


def box_of(pixels: Pixels, axes: Outline, bar: Outline | None = None) -> tuple[Box, Box | None]:
    """The boxes of the axes and of the bar, with the line that both are framed with.

    The thinnest of their frame lines counts: beside a dark picture a dark line looks thicker than it is.
    """
    line = min(_line(pixels, outline) for outline in (axes, bar or axes))
    # The limits are drawn snapped: a line of an even thickness on the nearest edge of a pixel, one of an odd on the
    # middle of the pixel after it.
    half = line // 2

    def limits(one: Outline) -> Box:
        far = line - half - 1
        left, right, top, bottom = one
        return Box(float(left + half), float(right - far), float(top + half), float(bottom - far), line)

    return limits(axes), limits(bar) if bar else None


def _line(pixels: Pixels, outline: Outline) -> int:
    """Thickness of the thinnest of the four frame lines, pixels."""
    box = outline.cut(pixels).astype(np.int16)
    turned = box.transpose(1, 0, 2)
    return min(_thickness(side) for side in (box, box[::-1], turned, turned[::-1]))


def _thickness(rows: NDArray[np.int16]) -> int:
    """How many of the first rows are nearly all of the first one's colour."""
    colour = rows[0, rows.shape[1] // 2]
    alike = (np.abs(rows[:THICKEST] - colour).max(axis=2) < INK).mean(axis=1) > 0.9
    return max(1, int(np.argmin(alike)) if not alike.all() else THICKEST)


def bar_of(axes: Outline, outlines: list[Outline], pixels: Pixels) -> Outline | None:
    """The colour bar nearest to the axes; None where there is none.

    A bar is long, changes along its length alone, and has at least eight colours.
    """
    bars = [
        (_distance(axes, one), one)
        for one in outlines
        if one != axes and max(one.sizes) >= max(BAR_ASPECT * min(one.sizes), SHORTEST_BAR) and _is_graded(pixels, one)
    ]
    return min(bars)[1] if bars else None


def _is_graded(pixels: Pixels, outline: Outline) -> bool:
    inside = outline.cut(pixels).astype(np.int16)
    lines = inside if outline.upright else inside.transpose(1, 0, 2)
    # The middle third across, without the frame: a bar may be four pixels wide.
    third = lines.shape[1] // 3
    lines = lines[2:-2, third : lines.shape[1] - third]
    across = np.abs(lines - lines.mean(axis=1, keepdims=True)).mean()
    along = np.abs(lines - lines.mean(axis=0, keepdims=True)).mean()
    return len(np.unique(lines[:, 0], axis=0)) >= BAR_COLOURS and bool(across < along / 4)


def _distance(one: Outline, other: Outline) -> int:
    """Gap between two rectangles, pixels."""
    beside = max(other.left - one.right, one.left - other.right, 0)
    below = max(other.top - one.bottom, one.top - other.bottom, 0)
    return beside + below
