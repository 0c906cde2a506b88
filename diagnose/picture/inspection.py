"""Findings in a training picture: energy of the bands over time, missing bands, bright bands at the edges."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
import numpy as np

from diagnose.arrays import runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.picture.read import Picture

BAND_EDGES_HZ = (1024.0, 4096.0, 8192.0)  # those of the metrics band_0_1024_db and so on
QUARTERS = 4  # of the bands, where Hz are not known
SLOTS = 10
QUIET_DB = 55.0  # below the loudest cell
QUIET_SHARE = 0.1  # of the range above its low end: where the range itself is small
SHORTEST = 0.1  # of all frames, for a band to be missing
GAP = 0.02  # of all frames, that may be louder in between
NEAR = 0.05  # of all frames, by which the times of two neighbouring bands may differ to be told as one
EDGE_DB = 10.0  # over the bands' own median, on average over all bands
STEP_DB = 6.0  # by which an edge band begins or ends within two frames: a note's own attack decays more slowly
EDGE_SHARE = 0.15  # of all frames; what is longer is no edge
FEWEST_FRAMES = 8


class Part(msgspec.Struct, frozen=True):
    """A rectangle of bands and frames (ends not included), in Hz and seconds where those are known."""

    low_band: int
    high_band: int
    start_frame: int
    end_frame: int
    low_hz: float | None
    high_hz: float | None
    start_s: float | None
    end_s: float | None


class BandOverTime(msgspec.Struct, frozen=True):
    """Mean power of a band in dB, in each of about ten slots of time."""

    part: Part
    levels_db: tuple[float, ...]


class Missing(msgspec.Struct, frozen=True):
    """A band that for a while has next to nothing in it: its mean power, dB."""

    part: Part
    level_db: float


class Edge(msgspec.Struct, frozen=True):
    """A bright band at the left or right edge: how far it is over the bands' own median, dB."""

    side: Literal["left", "right"]
    part: Part
    excess_db: float


class Band(NamedTuple):
    """Rows from and to (not included), and their limits in Hz where those are known."""

    rows: tuple[int, int]
    hz: tuple[float | None, float | None]

    @property
    def slice(self) -> slice:
        return slice(*self.rows)


class Findings(msgspec.Struct, frozen=True):
    """slots: frames at which the slots begin, and the end of the last; notes: what was not to be told."""

    slots: tuple[int, ...]
    bands: tuple[BandOverTime, ...]
    missing: tuple[Missing, ...]
    edges: tuple[Edge, ...]
    notes: tuple[str, ...]


def findings(picture: Picture) -> Findings:
    """Levels over time of four bands, the edges, and what is missing outside them."""
    power = 10.0 ** (picture.levels_db.astype(np.float64) / 10)
    frames = power.shape[1]
    slots = sorted(set(np.linspace(0, frames, min(SLOTS, frames) + 1).round().astype(int).tolist()))
    spans = list(pairwise(slots))
    bands = [
        BandOverTime(
            _part(picture, band, (0, frames)), tuple(_decibels(power[band.slice, start:end]) for start, end in spans)
        )
        for band in _bands(picture)
    ]
    edges = _edges(picture)
    start = next((edge.part.end_frame for edge in edges if edge.side == "left"), 0)
    end = next((edge.part.start_frame for edge in edges if edge.side == "right"), frames)
    return Findings(tuple(slots), tuple(bands), _missing(picture, power, start, end), edges, _notes(picture))


def _part(picture: Picture, band: Band, frames: tuple[int, int]) -> Part:
    """The rectangle of these bands and frames."""
    edges = picture.frame_edges_s
    # The first cell of librosa's begins half a frame before the sound.
    times = (None, None) if edges is None else (max(float(edges[frames[0]]), 0.0), float(edges[frames[1]]))
    return Part(*band.rows, *frames, *band.hz, *times)


def _bands(picture: Picture) -> list[Band]:
    """The bands that are told apart: those of the metrics, or quarters where Hz are not known."""
    count = len(picture.levels_db)
    edges = picture.band_edges_hz
    if edges is None or picture.fmax_hz is None:
        rows = np.linspace(0, count, QUARTERS + 1).round().astype(int).tolist()
        return [Band(pair, (None, None)) for pair in pairwise(rows) if pair[1] > pair[0]]
    between = [hz for hz in BAND_EDGES_HZ if edges[0] < hz < picture.fmax_hz]
    rows = [0, *np.searchsorted((edges[1:] + edges[:-1]) / 2, between).tolist(), count]
    limits = pairwise([_hz(picture, 0), *between, picture.fmax_hz])
    return [Band(pair, hz) for pair, hz in zip(pairwise(rows), limits, strict=True) if pair[1] > pair[0]]


def _hz(picture: Picture, row: int) -> float | None:
    """The lower edge of a row, Hz; the highest cell ends beyond its middle, where nothing was measured."""
    if picture.band_edges_hz is None or picture.fmax_hz is None:
        return None
    return min(float(picture.band_edges_hz[row]), picture.fmax_hz)


def _decibels(power: Floats) -> float:
    return float(10 * np.log10(power.mean()))


def _edges(picture: Picture) -> tuple[Edge, ...]:
    """Runs of frames at either side in which the bands are on average 10 dB over their median, and that end sharply."""
    levels = picture.levels_db.astype(np.float64)
    frames = levels.shape[1]
    if frames < FEWEST_FRAMES:
        return ()
    most = max(1, round(EDGE_SHARE * frames))
    excess = levels - np.median(levels[:, most : frames - most], axis=1, keepdims=True)
    found = []
    sides: tuple[Literal["left", "right"], ...] = ("left", "right")
    for side in sides:
        profile = excess.mean(axis=0)[:: 1 if side == "left" else -1]
        length = int(np.argmax(profile <= EDGE_DB))
        if not 0 < length <= most or profile[max(length - 2, 0)] - profile[length] < STEP_DB:
            continue
        where = (0, length) if side == "left" else (frames - length, frames)
        over = excess[:, slice(*where)].mean(axis=1)
        rows = np.flatnonzero(over > EDGE_DB)
        low, high = int(rows[0]), int(rows[-1]) + 1
        band = Band((low, high), (_hz(picture, low), _hz(picture, high)))
        found.append(Edge(side, _part(picture, band, where), float(over.mean())))
    return tuple(found)


def _missing(picture: Picture, power: Floats, start: int, end: int) -> tuple[Missing, ...]:
    """Where between two frames a band is 55 dB or more under the loudest cell for a tenth of all frames."""
    low, high = sorted(picture.db_range)
    quiet = max(float(picture.levels_db.max()) - QUIET_DB, low + QUIET_SHARE * (high - low))
    frames = power.shape[1]
    found: list[tuple[Band, tuple[int, int]]] = []
    for band in _bands(picture):
        loud = 10 * np.log10(power[band.slice, start:end].mean(axis=0)) > quiet
        for first, last in runs(~_opened(loud, max(1, round(GAP * frames)))):
            where = (start + first, start + last)
            if last - first >= max(2, SHORTEST * frames):
                _add(found, band, where, NEAR * frames)
    return tuple(
        Missing(_part(picture, band, where), _decibels(power[band.slice, slice(*where)])) for band, where in found
    )


def _add(found: list[tuple[Band, tuple[int, int]]], band: Band, where: tuple[int, int], near: float) -> None:
    """Add a band with its frames, as one with the band below it where that is missing at nearly the same time."""
    for index, (below, times) in enumerate(found):
        together = all(abs(one - other) <= near for one, other in zip(times, where, strict=True))
        if together and below.rows[1] == band.rows[0]:
            both = Band((below.rows[0], band.rows[1]), (below.hz[0], band.hz[1]))
            found[index] = both, (max(times[0], where[0]), min(times[1], where[1]))
            return
    found.append((band, where))


def _opened(mask: NDArray[np.bool_], longest: int) -> NDArray[np.bool_]:
    """The mask without its runs of at most longest frames."""
    opened = mask.copy()
    for first, last in runs(mask):
        if last - first <= longest:
            opened[first:last] = False
    return opened


def _notes(picture: Picture) -> tuple[str, ...]:
    notes = []
    if float(np.ptp(picture.levels_db)) < 1:
        notes.append("the whole picture has one level")
    if picture.band_edges_hz is None:
        notes.append("the frequencies are unknown, so bands are numbered: give --fmax HZ")
    if picture.frame_edges_s is None:
        notes.append("the times are unknown, so frames are numbered: give --seconds S")
    return tuple(notes)
