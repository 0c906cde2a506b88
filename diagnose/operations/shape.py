"""The shape of a filter in words of causes: what is lost above, below or between, the slope of the rest, its level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.arrays import median

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats

LOWEST_HZ, PIVOT_HZ = 40.0, 1000.0
LEAST_DB = -60.0  # as good as gone
MOST_LOSSES = 2
FEWEST = 3  # bands that are kept, and beside a loss
NARROWEST = 2  # bands of a loss
TOP = 1  # bands above a loss that are no more than what leaks over a cutoff
LOST_DB = 7.0  # mean depth of a loss under the line through the rest
LEAVES = 0.5  # share of the squares that a loss may leave
SLOPED_DB = 0.5  # dB an octave
RANGE_DB = 2.0  # from end to end of what is kept, of a slope
STRAIGHT = 0.8  # share of the variance that a slope has to take away
SLOPED_OCTAVES = 3.0  # over which a slope is a slope, and not the flank of a loss
GAIN_DB, GAIN_BESIDE_SLOPE_DB = 1.0, 2.0  # at 1 kHz
Parameters = dict[str, tuple[float, str]]


class Loss(msgspec.Struct, frozen=True):
    """Bands first to last (not in it) that lie under the line through the rest.  depth: their mean, in dB."""

    id: str
    first: int
    last: int
    depth: float


def shape(hz: Floats, gains: Floats) -> tuple[tuple[str, ...], Parameters]:
    """(cause ids, what changes the sound most first; parameters) of a filter's gains at these frequencies.

    No id where they are but ripples.
    """
    heard = hz > LOWEST_HZ
    octaves = np.log2(hz[heard] / PIVOT_HZ)
    level = np.maximum(20 * np.log10(gains[heard]), LEAST_DB)
    kept, found = np.ones(level.size, bool), []
    parameters: Parameters = {}
    for _ in range(MOST_LOSSES):
        loss = _largest_loss(octaves, level, kept)
        if loss is None:
            break
        kept[loss.first : loss.last] = False
        found.append(loss.id)
        parameters = _of_loss(loss, hz[heard]) | parameters
    losses = len(found)
    slope, offset = _line(octaves[kept], level[kept])
    around = level[kept] - level[kept].mean()
    straight = 1 - float(np.square(level[kept] - slope * octaves[kept] - offset).sum()) / max(
        float(np.square(around).sum()), 1e-12
    )
    reach = abs(slope) * float(np.ptp(octaves[kept]))
    wide = float(np.ptp(octaves[kept])) > SLOPED_OCTAVES
    if wide and abs(slope) > SLOPED_DB and reach > RANGE_DB and straight > STRAIGHT:
        found.append("tilt")
        parameters["slope"] = (slope, "dB/octave")
        passed, least = offset, GAIN_BESIDE_SLOPE_DB
    else:
        passed, least = median(level[kept]), GAIN_DB
    if abs(passed) > least and not (losses and "tilt" in found):  # beside both, a level is a matter of where it is read
        found.append("gain")
        parameters["gain"] = (passed, "dB")
    return tuple(dict.fromkeys(found)), parameters


def _of_loss(loss: Loss, hz: Floats) -> Parameters:
    if loss.id == "band-gap":
        return {"low": (float(hz[loss.first]), "Hz"), "high": (float(hz[loss.last - 1]), "Hz")}
    if loss.id == "low-frequency-loss":
        return {"low cutoff": (float(hz[loss.last - 1]), "Hz"), "low loss": (loss.depth, "dB")}
    return {"cutoff": (float(hz[loss.first]), "Hz"), "loss": (loss.depth, "dB")}


def _largest_loss(octaves: Floats, level: Floats, kept: NDArray[np.bool_]) -> Loss | None:
    """The loss that, with a line through the rest, leaves the least; None where it leaves much.

    Every stretch of bands at once, by sums up to each band of 1, o, o**2, db, db**2 and o db: an entry [i, j] of the
    arrays is of the bands i to j.
    """
    where = np.flatnonzero(kept)
    o, db = octaves[where], level[where]
    of_each = np.array([np.ones(o.size), o, o * o, db, db * db, o * db])
    sums = np.concatenate((np.zeros((6, 1)), np.cumsum(of_each, axis=1)), axis=1)
    inside = sums[:, None, :] - sums[:, :, None]
    outside = sums[:, -1, None, None] - inside
    slope, offset, left = _lines(outside)
    whole = _lines(sums[:, -1, None, None])[2]
    count = np.maximum(inside[0], 1)
    depth = (slope * inside[1] - inside[3]) / count + offset
    left = left + inside[4] - inside[3] ** 2 / count
    possible = (inside[0] >= NARROWEST) & (outside[0] >= FEWEST) & (depth >= LOST_DB)
    possible &= _beside(db) - inside[3] / count >= LOST_DB
    if not possible.any():
        return None
    first, last = np.unravel_index(int(np.argmin(np.where(possible, left, np.inf))), left.shape)
    if left[first, last] > LEAVES * float(whole.item()):
        return None
    name = _named(bool(first == 0), bool(last + TOP >= o.size))
    return Loss(name, int(where[first]), int(where[last - 1]) + 1, float(depth[first, last]))


def _beside(level: Floats) -> Floats:
    """Entry [i, j]: mean level of the three bands next to the bands i to j, of the lower side where there are two."""
    means = np.convolve(np.pad(level, FEWEST, mode="edge"), np.ones(FEWEST) / FEWEST, "valid")
    before = np.concatenate(([np.inf], means[1 : level.size + 1]))
    after = np.concatenate((means[FEWEST : FEWEST + level.size], [np.inf]))
    return np.asarray(np.minimum(before[:, None], after[None, :]))


def _lines(sums: Floats) -> tuple[Floats, Floats, Floats]:
    """(slope, offset, squares left) of the lines through points with these sums [shape=(6, ...)]."""
    count, o, oo, db, squares, products = sums
    count = np.maximum(count, 1)
    varied, together = oo - o * o / count, products - o * db / count
    slope = together / np.maximum(varied, 1e-9)
    return slope, (db - slope * o) / count, np.maximum(squares - db * db / count - slope * together, 0.0)


def _named(from_start: bool, to_end: bool) -> str:
    if to_end:
        return "high-frequency-loss"
    return "low-frequency-loss" if from_start else "band-gap"


def _line(octaves: Floats, level: Floats) -> tuple[float, float]:
    """(slope in dB an octave, level at 1 kHz) by least squares."""
    middle = float(octaves.mean())
    centred = octaves - middle
    slope = float(np.dot(centred, level)) / max(float(np.dot(centred, centred)), 1e-12)
    return slope, float(level.mean()) - slope * middle
