"""Letters of an axis' labels -> text: the nearest of a few drawings of each."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from diagnose.picture.drawings import DRAWINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.picture.ticks import Letter

ROWS, COLUMNS = 12, 8
UNLIKE = 0.14  # distance from which it is none of the letters; those of a figure lie 0.02 from their drawings
UNKNOWN = "?"
ONE_WIDE = 0.95  # line heights: the widest letter, a plus
TWO_WIDE = 0.7  # two letters that touch; a digit has 0.75, so both are tried
A_LETTER = 0.15  # added for each letter of several that touch: as few as fit, no point or dash made of their rims
MOST_COLUMNS = 64  # letters touch where they are few pixels wide


class Drawings(NamedTuple):
    """letters: one for each; ink, 0..1 [shape=(n, 96)]; places: top, bottom, width in line heights [shape=(n, 3)]."""

    letters: str
    ink: NDArray[np.float64]
    places: NDArray[np.float64]


@lru_cache(maxsize=1)
def _drawings() -> Drawings:
    lines = [line.split() for line in DRAWINGS.splitlines()]
    ink = np.array([[int(digit, 16) for digit in line[4]] for line in lines]) / 15
    places = np.array([[int(number) for number in line[1:4]] for line in lines]) / 100
    return Drawings("".join(line[0] for line in lines), ink, places)


def read_text(letters: Sequence[Letter]) -> str:
    """The text of a label; "?" for a letter that is none of 0-9 . : + - k d B."""
    return "".join(map(_text_of, letters))


def _text_of(letter: Letter) -> str:
    """One letter, or several that touch, as they do in a small picture."""
    text, distance = _nearest(letter)
    if distance < UNLIKE:
        return text
    columns = letter.ink.shape[1]
    if letter.width < TWO_WIDE or columns > MOST_COLUMNS:
        return UNKNOWN
    # best[c]: the readings of the first c columns with the least distance, each letter weighted by its columns.
    best = [(0.0, "")] + [(np.inf, UNKNOWN)] * columns
    for end in range(1, columns + 1):
        for start in range(max(0, end - int(ONE_WIDE / letter.width * columns) - 1), end):
            part = letter.part(start, end)
            if part is not None and best[start][0] < np.inf:
                text, distance = _nearest(part)
                if distance < UNLIKE:
                    cost = best[start][0] + distance * (end - start) + A_LETTER
                    best[end] = min(best[end], (cost, best[start][1] + text))
    return best[columns][1]


def _nearest(letter: Letter) -> tuple[str, float]:
    """The nearest drawing and its distance.

    Mean squared difference of ink, weighted by the height of the drawing (a point is stretched out of one or two
    pixels), plus the squared differences of top, bottom and width.
    """
    known = _drawings()
    ink = stretched(letter.ink).ravel()
    apart = known.places - np.array([letter.top, letter.bottom, letter.width])
    heights = known.places[:, 1] - known.places[:, 0]
    distance = heights * ((known.ink - ink) ** 2).mean(axis=1) + (apart**2).sum(axis=1)
    best = int(np.argmin(distance))
    return known.letters[best], float(distance[best])


def stretched(ink: Floats) -> Floats:
    """Ink [shape=(height, width)] as means over 12 by 8 equal parts, its darkest part 1."""
    parts = _parts(ink.shape[0], ROWS) @ ink @ _parts(ink.shape[1], COLUMNS).T
    return parts / max(float(parts.max()), 1e-6)


def _parts(length: int, parts: int) -> Floats:
    """The share that each pixel has in each of equal parts of a line [shape=(parts, length)]; rows sum to 1."""
    edges = np.linspace(0, length, parts + 1)
    pixels = np.arange(length)
    shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.maximum(shared, 0) * parts / length
