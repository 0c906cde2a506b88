"""Tick marks outside a frame and the letters of the label beside each.

A label is cut into letters at columns without ink.  In DejaVu Sans two letters of a word are at most 0.35 digit
heights apart; a word ("dB") or the axis' title begins at least 0.55 away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from diagnose.arrays import runs
from diagnose.picture.boxes import INK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.picture.boxes import Box, Canvas

    Side = Literal["left", "right", "bottom"]

DARK = INK / 255
FAR = 3  # tick lengths between a tick and its label; matplotlib leaves one
WORD_GAP, LABEL_GAP = 0.45, 1.0  # digit heights; a space is 0.6 wide
# matplotlib's ticks are 3.5 points long and its digits 7.3 points high: the first guess at a digit's height.
DIGIT_PER_TICK = 2.08
CENTRED = 0.5  # digit heights
REACH = 2.2  # tick lengths on either side of a tick in which its label's rows lie: letters of up to 20 points
LONGEST_LABEL = 12  # digit heights


class Letter(msgspec.Struct, frozen=True, eq=False):
    """One letter: its ink, 0..1 [shape=(height, width)], and where it stands in its line.

    top, bottom: edges of its ink below the top of the line, in heights of the line; width: in the same unit.
    """

    ink: Floats
    top: float
    bottom: float
    width: float

    def part(self, start: int, end: int) -> Letter | None:
        """The columns from start to end as a letter of their own; None where they hold no ink."""
        ink = self.ink[:, start:end]
        rows = np.flatnonzero(_inked(ink, 1))
        if not rows.size:
            return None
        row = (self.bottom - self.top) / len(self.ink)
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        return Letter(
            ink[top:bottom],
            self.top + top * row,
            self.top + bottom * row,
            self.width * (end - start) / len(self.ink[0]),
        )


class Tick(msgspec.Struct, frozen=True, eq=False):
    """A tick mark: its place along the axis in pixels (rows from the top), and the letters of its label."""

    place: float
    letters: tuple[Letter, ...]


def find_ticks(canvas: Canvas, box: Box, side: Side) -> list[Tick]:
    """Ticks of one side with their labels, in order of place; [] where it has none."""
    left, right, _, bottom = box.outline
    if side == "bottom":
        return _below(canvas.darkness(slice(bottom + 1, None), slice(None)), box)
    if side == "right":
        return _beside(canvas.darkness(slice(None), slice(right + 1, None)), box)
    mirrored = canvas.darkness(slice(None), slice(0, left))[:, ::-1]
    return [
        Tick(tick.place, tuple(_turned(letter) for letter in tick.letters[::-1])) for tick in _beside(mirrored, box)
    ]


def _inked(zone: Floats, axis: int) -> NDArray[np.bool_]:
    """Whether there is ink anywhere along an axis."""
    return np.asarray((zone >= DARK).any(axis=axis))


def _turned(letter: Letter) -> Letter:
    return msgspec.structs.replace(letter, ink=letter.ink[:, ::-1])


def _marks(zone: Floats, line: int, start: float, end: float) -> tuple[list[float], int]:
    """Places of tick marks and their length, from the ground beyond a side [shape=(outwards, along)].

    A mark begins at the frame and is as thick as its line.
    """
    if len(zone) < 2:
        return [], 0
    found = runs(_inked(zone[:1], 0) & _inked(zone[1:2], 0))
    middles = [(first, last) for first, last in found if last - first <= line + 2 and start - 2 <= first <= end + 2]
    lengths = [int(np.argmin(np.append(zone[:, (first + last) // 2] >= DARK, False))) for first, last in middles]
    # Drawn snapped as the frame is: see box_of.
    places = [(first + last) / 2 - (line % 2) / 2 for first, last in middles]
    return places, int(np.median(lengths)) if lengths else 0


def _beside(zone: Floats, box: Box) -> list[Tick]:
    """Ticks with labels beside them [shape=(rows, outwards)]."""
    places, length = _marks(zone.T, box.line, box.top, box.bottom)
    if not places:
        return []
    spacing = min(np.diff(places), default=np.inf)
    reach = int(min(spacing / 2, REACH * length))
    height = DIGIT_PER_TICK * length
    for _ in range(2):  # the second time with the height that the letters have
        lines = [_line(zone, round(place), reach, length, height) for place in places]
        heights = [len(line) for line, _ in lines if len(line)]
        height = float(np.median(heights)) if heights else height
    return [Tick(place, _letters(line, words)) for place, (line, words) in zip(places, lines, strict=True)]


def _line(zone: Floats, row: int, reach: int, length: int, height: float) -> tuple[Floats, list[tuple[int, int]]]:
    """The rows of the label beside a tick, and the columns of its letters."""
    window = zone[max(0, row - reach) : row + reach + 1, : length + int(LONGEST_LABEL * height)]
    columns = [pair for pair in runs(_inked(window, 0)) if pair[0] >= length]
    words = _words(columns, WORD_GAP * height)
    if not words or words[0][0][0] - length > FAR * length:
        return window[:0], []
    word = words[0]
    rows = np.flatnonzero(_inked(window[:, word[0][0] : word[-1][1]], 1))
    return window[rows[0] : rows[-1] + 1], word


def _below(zone: Floats, box: Box) -> list[Tick]:
    """Ticks with labels below them, all in one line of text [shape=(outwards, columns)]."""
    places, length = _marks(zone, box.line, box.left, box.right)
    if not places:
        return []
    around = slice(max(0, int(places[0]) - 4 * length), int(places[-1]) + 4 * length)
    rows = [pair for pair in runs(_inked(zone[:, around], 1)) if pair[0] >= length]
    if not rows or rows[0][0] - length > FAR * length:
        return [Tick(place, ()) for place in places]
    line = zone[rows[0][0] : rows[0][1]]
    columns = runs(_inked(line, 0))
    # Labels may stand as close together as the words of one ("-10 dB"): what is centred on the tick is its label.
    labels = [*_words(columns, WORD_GAP * len(line)), *_words(columns, LABEL_GAP * len(line))]
    ticks = []
    for place in places:
        near = [label for label in labels if abs((label[0][0] + label[-1][1]) / 2 - place) < CENTRED * len(line)]
        ticks.append(Tick(place, _letters(line, _words(near[0], WORD_GAP * len(line))[0]) if near else ()))
    return ticks


def _words(columns: list[tuple[int, int]], gap: float) -> list[list[tuple[int, int]]]:
    """Stretches of inked columns, those together that are at most a gap apart."""
    words: list[list[tuple[int, int]]] = []
    for start, end in columns:
        if words and start - words[-1][-1][1] <= gap:
            words[-1].append((start, end))
        else:
            words.append([(start, end)])
    return words


def _letters(line: Floats, columns: list[tuple[int, int]]) -> tuple[Letter, ...]:
    letters = []
    height = len(line)
    for start, end in columns:
        rows = np.flatnonzero(_inked(line[:, start:end], 1))
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        letters.append(Letter(line[top:bottom, start:end], top / height, bottom / height, (end - start) / height))
    return tuple(letters)
