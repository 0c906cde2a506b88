"""The rows of the picture as bands: the limits of each in pixels, and in Hz if they are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from diagnose.picture.axis import MEL
from diagnose.picture.cells import changes, even, find_cells, pixel_edges
from diagnose.spectrogram import MEL_FORMULAS

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.arrays import Floats
    from diagnose.picture.axis import Axis

    Edges = Callable[[int], Floats]

LOWEST_TOP_HZ = 1500.0  # of an axis that is believed to be in Hz: numbers of bands, and kHz, mostly end below
UNIT = 0.02  # how near to 1 the height of a cell has to be for labels that count bands
TURNS = 4  # of the iteration for the limits of a mel axis; each leaves a tenth of the error


class Bands(msgspec.Struct, frozen=True, eq=False):
    """Rows of the picture, low ones first.

    places: edges in pixels upwards from the bottom of the axes [shape=(bands + 1,)]; hz: the same in Hz, or None.
    cells: whether they are the drawn array's own; else each is a row of pixels.
    scale: "mel", "linear", "log", or None.  top_hz: the middle of the highest band (the array's fmax) where there are
    cells, else the upper limit of the axis.
    """

    places: Floats
    hz: Floats | None
    cells: bool
    scale: str | None
    top_hz: float | None
    notes: tuple[str, ...] = ()


class Layout(NamedTuple):
    """A way in which bands may have been drawn.

    hz: the edges of n bands in Hz [shape=(n + 1,)].
    labelled: the same by the labels, and so where they are drawn on a mel axis; None for rows of one height.
    """

    name: str
    hz: Edges
    labelled: Edges | None

    def shares(self, count: int) -> Floats:
        """Edges of n bands as shares of the axis, 0 to 1."""
        if self.labelled is None:
            return even(count)
        u = MEL.forward(self.labelled(count))
        return (u - u[0]) / (u[-1] - u[0])


def find_bands(values: Floats, first: float, height: float, axis: Axis | None, fmax: float | None) -> Bands:
    """Bands of the places on the colour map [shape=(pixels, columns)], low ones first, NaN where they are not of it.

    The axis is height pixels high and its places count upwards from its lower limit, first pixels below the first
    row.  fmax (Hz, of the highest band) counts more than the labels.
    """
    change = changes(values, 0)
    rows = pixel_edges(len(values), first, height)
    notes: list[str] = []
    if axis is not None and not _is_hz(axis, change, first, height):
        notes.append("the labels at the left are not frequencies in Hz (band numbers, or kHz?): give --fmax")
        axis = None
    best = None
    for layout in _layouts(axis, height, fmax):
        cells = find_cells(change, first, height, layout.shares)
        if cells is not None and (best is None or cells.score > best[0].score):
            best = cells, layout
    if best is None:
        hz = None if axis is None else _rows_hz(axis, rows, height, fmax)
        if fmax is not None and hz is None:
            notes.append("neither labels nor cells show the scale of the frequency axis: --fmax was not used")
        top = None if hz is None else float(hz[-1])
        return Bands(rows, hz, False, axis.scale.name if axis and hz is not None else None, top, tuple(notes))
    cells, layout = best
    hz = layout.hz(cells.count)
    if axis is None and fmax is None:
        return Bands(cells.edges, None, True, None, None, tuple(notes))
    name = layout.name
    if layout.labelled is None and fmax is not None:
        name = "linear" if _is_fft(cells.count) else "mel"
        what = "frequencies of an FFT" if name == "linear" else "Slaney's mel scale"
        notes.append(f"{cells.count} bands of one height without labels: assuming {what} from 0 Hz to --fmax")
    return Bands(cells.edges, np.maximum(hz, 0), True, name, float(hz[-2:].mean()), tuple(notes))


def _is_hz(axis: Axis, change: Floats, first: float, height: float) -> bool:
    if not axis.value(height) >= LOWEST_TOP_HZ:
        return False
    cells = find_cells(change, first, height, even) if axis.scale.name == "linear" else None
    return cells is None or abs(abs(axis.slope) * height / cells.count - 1) > UNIT


def _layouts(axis: Axis | None, height: float, fmax: float | None) -> list[Layout]:
    """The ways to be tried, those first that win where two explain the picture alike."""
    if axis is None:
        if fmax is None:
            return [Layout("", lambda count: np.arange(count + 1.0), None)]
        whole = [_mel(formula, 0.0, fmax) for formula in MEL_FORMULAS]
        return [Layout("", lambda count: _even_hz(count, fmax), None), *(Layout("mel", hz, hz) for hz in whole)]
    low, high = float(axis.value(0.0)), float(axis.value(height))
    if axis.scale.name == "linear":
        if fmax is None:
            return [Layout("linear", lambda count: low + (high - low) * even(count), None)]
        return [Layout("linear", lambda count: _fft_edges(count, fmax), None)]
    if axis.scale.name == "mel":
        labelled = [(formula, _mel_between(formula, low, high)) for formula in MEL_FORMULAS]
        return [Layout("mel", _mel(formula, 0.0, fmax) if fmax else hz, hz) for formula, hz in labelled]
    return []


def _even_hz(count: int, fmax: float) -> Floats:
    return _fft_edges(count, fmax) if _is_fft(count) else _mel("slaney", 0.0, fmax)(count)


def _is_fft(count: int) -> bool:
    """Whether it is 2^k + 1, as an FFT gives it."""
    return (count - 1) & (count - 2) == 0


def _fft_edges(count: int, fmax: float) -> Floats:
    """Edges around count even frequencies from 0 to fmax."""
    return (np.arange(count + 1) - 0.5) * fmax / (count - 1)


def around(middles: Floats) -> Floats:
    """Edges half way between the middles of cells, the outermost as far beyond: what pcolormesh draws.

    1 2 4 -> 0.5 1.5 3 5
    """
    half = np.diff(middles) / 2
    return np.concatenate(([middles[0] - half[0]], middles[:-1] + half, [middles[-1] + half[-1]]))


def _mel(formula: str, fmin: float, fmax: float) -> Edges:
    """Edges around bands whose middles lie evenly in mel from fmin to fmax, as librosa.display.specshow has them."""
    to_mel, to_hz = MEL_FORMULAS[formula]
    low, high = to_mel(np.array([fmin, fmax]))
    return lambda count: around(to_hz(np.linspace(low, high, count)))


def _mel_between(formula: str, low: float, high: float) -> Edges:
    """The same where the outermost edges are known, and not the middles of the outermost bands."""

    def edges(count: int) -> Floats:
        bottom, top = max(low, 0.0), high
        found = _mel(formula, bottom, top)(count)
        for _ in range(TURNS):
            bottom = max(bottom + low - found[0], 0.0)
            top *= high / found[-1]
            found = _mel(formula, bottom, top)(count)
        return found

    return edges


def _rows_hz(axis: Axis, rows: Floats, height: float, fmax: float | None) -> Floats:
    """Edges of rows of pixels in Hz; the uppermost is fmax where that is given."""
    top = float(axis.value(height)) if fmax is None else fmax
    u_low, u_high = axis.scale.forward(axis.value(0.0)), axis.scale.forward(top)
    return np.maximum(axis.scale.inverse(u_low + (u_high - u_low) * rows / height), 0)
