"""Find the borders of the cells in the picture: the bands and frames of the array that was drawn.

A drawn array changes colour at the edges of its cells and nowhere else.  So the number of cells is the one whose
edges lie where the changes are; edges that show no change (silence) are filled in by the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from diagnose.arrays import Floats

    Spacing = Callable[[int], Floats]

# Pixels: cells are looked for down to the one height, so that the right number is among those asked, and believed
# from the other on, for of thinner ones a wrong number explains nearly as much as the right one.
THINNEST, BELIEVED = 2.0, 2.5
FEWEST, MOST = 4, 2100  # cells; librosa draws at most 1025 bands, and pictures are rarely 5000 pixels wide
EXPLAINED = 0.85  # of what could be: 1 where every change lies on an edge, about 0 for a wrong number
SMALL = 0.2  # of the largest changes but one in twenty
SEEN = 0.25  # of the edges: a picture with three changes fits any number of cells
_SHIFT = np.linspace(-0.5, 0.5, 5)
# Pixels by which a frame line may miss the limit it stands for, at the start and at the end [shape=(25, 2)].
SHIFTS = np.stack(np.meshgrid(_SHIFT, _SHIFT), axis=-1).reshape(-1, 2)


class Cells(msgspec.Struct, frozen=True, eq=False):
    """Edges of cells along one direction, pixels [shape=(cells + 1,)], rising.

    score: share of the changes that lie on the edges, less the share that would by chance.
    """

    edges: Floats
    score: float

    @property
    def count(self) -> int:
        return len(self.edges) - 1


def changes(values: Floats, axis: int) -> Floats:
    """Mean absolute difference of neighbouring rows (axis 0) or columns (axis 1) [shape=(n,)]; the first is 0.

    A NaN, a pixel that is not of the map, has no difference.  Small ones, as a line across the picture makes them, do
    not count; large ones are cut at their median, so that one strong edge does not stand for all.
    """
    each = np.abs(np.diff(values, axis=axis))
    known = ~np.isnan(each)
    difference = np.where(known, each, 0).sum(axis=1 - axis) / np.maximum(known.sum(axis=1 - axis), 1)
    counts = difference > SMALL * np.quantile(difference, 0.95)
    cut = np.minimum(difference, np.median(difference[counts])) * counts if counts.any() else 0 * difference
    return np.concatenate(([0.0], cut))


def find_cells(change: Floats, first: float, length: float, spacing: Spacing) -> Cells | None:
    """The cells along an axis that explain the changes; None where none do.

    The axis is length pixels long, and change begins first pixels after its start: so do the edges that are returned.
    spacing(n) gives the edges of n cells as shares of the axis [shape=(n + 1,)].
    """
    total = float(change.sum())
    if not total:
        return None
    best = None
    for count in range(FEWEST, min(MOST, int(length / THINNEST)) + 1):
        shares = spacing(count)
        if np.diff(shares).min() * length < THINNEST:
            continue
        edges = SHIFTS[:, :1] + shares * (length + SHIFTS[:, 1:] - SHIFTS[:, :1])
        scores = _scores(change, edges - first, total)
        index = int(np.argmax(scores))
        if best is None or scores[index] > best.score:
            best = Cells(edges[index], float(scores[index]))
    if best is None or np.diff(best.edges).min() < BELIEVED - 0.05 or not _is_told(change, best, first):
        return None
    return best


def _is_told(change: Floats, cells: Cells, first: float) -> bool:
    """Whether the cells explain the changes, and enough of their edges show one."""
    places = _places(cells.edges - first, len(change))
    seen = int(np.count_nonzero(change[places]))
    enough = seen >= max(FEWEST, SEEN * (cells.count - 1))
    return enough and cells.score >= EXPLAINED * (1 - cells.count / len(change))


def _scores(change: Floats, edges: Floats, total: float) -> Floats:
    """The score of each of several sets of edges [shape=(sets, cells + 1)]."""
    places = _places(edges, len(change))
    return change[places].sum(axis=1) / total - (places > 0).sum(axis=1) / len(change)


def _places(edges: Floats, length: int) -> NDArray[np.intp]:
    """The first pixel after each inner edge; 0, which is after none, for those outside the picture."""
    # A pixel belongs to the cell that holds its middle.
    places = np.ceil(edges[..., 1:-1] - 0.5).astype(np.intp)
    return np.where((places < 0) | (places >= length), 0, places)


def even(count: int) -> Floats:
    """Edges of cells of one width: 4 -> 0, 1/4, 1/2, 3/4, 1."""
    return np.arange(count + 1) / count


def pixel_edges(count: int, first: float, length: float) -> Floats:
    """Edges of the pixels themselves, where no cells can be told apart; the outermost reach to the axis' limits."""
    return np.concatenate(([0.0], first + np.arange(1, count), [length]))


def pooled(values: Floats, edges: Floats, first: float, axis: int) -> Floats:
    """The median over the pixels of each cell along an axis of values; a cell without a pixel has its nearest one's."""
    values = np.moveaxis(values, axis, 0)
    places = np.clip(np.ceil(edges - first - 0.5).astype(int), 0, len(values))
    starts = np.minimum(places[:-1], len(values) - 1)
    ends = np.maximum(places[1:], starts + 1)
    if (ends - starts == 1).all():
        return np.moveaxis(values[starts], 0, axis)
    pools = [np.median(values[start:end], axis=0) for start, end in zip(starts, ends, strict=True)]
    return np.moveaxis(np.stack(pools), 0, axis)
