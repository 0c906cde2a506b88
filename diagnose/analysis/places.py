"""Bad places: where, for some milliseconds, a copy is not the reference, though it is nearly everywhere else.

What a copy leaves over is judged against what hides it and against what this copy leaves over anyway: a codec leaves
noise everywhere, a fault stands out of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.analysis.cells import decibels, total_db
from diagnose.analysis.masking import hidden_db, loud_db
from diagnose.arrays import quantile, runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.analysis.cells import Cells
    from diagnose.arrays import Floats
    from diagnose.audio import Samples

SOUNDING_DB = -40.0  # of the loud frames, above which a frame tells what the copy usually leaves over
# The residual of a place, dB.  Over what hides it: a hole is at 0, a wrong stretch at +1 to +3; Vorbis, MP3 at 128 and
# Opus at 64 kbit/s stay 3.6 under this in all bands but one.
OVER_MASK_DB = -6.0
# Over the upper quartile of the sounding frames, as wide as its spread up to the 90th percentile, within these.
OVER_USUAL_DB = (6.0, 12.0)
# Over its median within 0.15 s: steady noise is no place in each pause.
OVER_AROUND_DB = 6.0
AROUND_S, BLOCK_S = 0.15, 0.025
# A copy that is otherwise exact shows what is better hidden: half of what stands out by over 20 dB, at most 6.
CLEAN_DB, CLEAN_SHARE, MOST_CLEAN_DB = 20.0, 0.5, 6.0
# From 1.6 kHz on a codec makes up noise of the level that was there; such a band has to stand out by 8 more.
MADE_UP_BAND, SAME_LEVEL_DB, MADE_UP_DB = 3, 3.0, 8.0
# By how much a frame exceeds all that, in two bands, or in one that is not made up and by 3 more.  Good copies reach
# 2.4, holes of 5 ms begin at 4.8, clicks and wrong stretches at 8: benchmarks/places.py.
LEAST_DB = 3.5
ALONE_DB = 3.0
SAME_PLACE_S = 0.020  # what is nearer is one place
JOINT_S = 0.025  # on either side of where two matched parts were joined: their delays are known to a sample or so
REFINED = 256  # places, the worst, whose borders are looked for among the samples; of others the frames' do
HELD = 0.9  # share of the energy left over that lies within the borders


class Place(msgspec.Struct, frozen=True):
    """start, end: s on the joined axis.  excess_db: by how much it stands out, at least 3.5.

    residual_db: what a gain leaves over, over the reference there.  level_db: the generated sound over the reference.
    kept: the reference's amplitude in it, 1 where something was only added, 0 where nothing of it is left.
    """

    start: float
    end: float
    excess_db: float
    residual_db: float
    level_db: float
    kept: float

    @property
    def length(self) -> float:
        """Seconds."""
        return self.end - self.start


def excesses_db(cells: Cells) -> Floats:
    """By how much the residual of each frame stands out, dB [shape=(frames,)]; from LEAST_DB on it is a bad place."""
    assert cells.residual is not None
    sounding = total_db(cells.reference)
    if not sounding.size:
        return sounding
    loud = loud_db(cells)
    rest = decibels(cells.residual)
    hidden = hidden_db(cells)
    over = rest - hidden
    usual = np.array([_usual(column[sounding >= loud + SOUNDING_DB]) for column in over.T], np.float32)
    unusual = np.minimum(over - usual, rest - _around(rest, cells.hop_s) - OVER_AROUND_DB)
    clean = np.clip(CLEAN_SHARE * (unusual - CLEAN_DB), 0, MOST_CLEAN_DB)
    out = np.minimum(over - OVER_MASK_DB + clean, unusual)
    change = np.maximum(decibels(cells.generated), hidden) - np.maximum(decibels(cells.reference), hidden)
    out[:, MADE_UP_BAND:] -= MADE_UP_DB * (np.abs(change[:, MADE_UP_BAND:]) < SAME_LEVEL_DB)
    alone: Floats = out[:, :MADE_UP_BAND].max(axis=1) - ALONE_DB
    return alone if out.shape[1] < 2 else np.maximum(np.partition(out, -2, axis=1)[:, -2], alone)


def _usual(over: Floats) -> float:
    """What a residual has to be over to be unusual for a copy, of one band."""
    upper, highest = (quantile(over, share) for share in (0.75, 0.9))
    return upper + min(max(highest - upper, OVER_USUAL_DB[0]), OVER_USUAL_DB[1])


def _around(levels: Floats, hop_s: float) -> Floats:
    """Median, within 0.15 s, of the medians of blocks of 25 ms, by band [shape=(frames, bands)]."""
    width, reach = max(round(BLOCK_S / hop_s), 1), round(AROUND_S / BLOCK_S)
    count = -(-len(levels) // width)
    padded = np.pad(levels, ((0, count * width - len(levels)), (0, 0)), mode="edge")
    blocks = np.partition(padded.reshape(count, width, -1), width // 2, axis=1)[:, width // 2]
    wide = np.pad(blocks, ((reach, reach), (0, 0)), mode="reflect" if count > reach else "edge")
    near = np.stack([wide[shift : shift + count] for shift in range(2 * reach + 1)])
    return np.repeat(np.partition(near, reach, axis=0)[reach], width, axis=0)[: len(levels)]


def find_places(
    cells: Cells, sides: tuple[Samples, Samples], means: tuple[float, float], gain: float, joints: Sequence[int]
) -> tuple[Place, ...]:
    """All bad places of a copy, in order.

    sides, means, gain: as the cells were measured.  joints: samples at which matched parts are joined.
    """
    out = excesses_db(cells)
    for joint in joints:
        first, last = (round((joint / cells.rate + side * JOINT_S) / cells.hop_s) for side in (-1, 1))
        out[max(first - 1, 0) : max(last, 0)] = 0.0
    found: list[tuple[int, int]] = []
    for start, end in runs(out >= LEAST_DB):
        if found and start - found[-1][1] <= SAME_PLACE_S / cells.hop_s:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    height = {span: float(out[slice(*span)].max()) for span in found}
    worst = set(sorted(found, key=lambda span: -height[span])[:REFINED])
    places = []
    for span in found:
        first, last = span[0] * cells.hop, min((span[1] + 1) * cells.hop, sides[0].size)
        ours, theirs = (side[first:last].astype(np.float64) - mean for side, mean in zip(sides, means, strict=True))
        places.append(_place(ours, theirs / gain, first, cells.rate, height[span], span in worst))
    return tuple(places)


def _place(ours: Floats, theirs: Floats, first: int, rate: int, excess: float, refined: bool) -> Place:
    """A place among its samples: the shortest stretch from and to where 5 % of the energy left over is behind it."""
    left = np.square(theirs - ours)
    start, end = 0, left.size
    if refined:
        summed = left.cumsum()
        edges = np.searchsorted(summed, summed[-1] * np.array([(1 - HELD) / 2, (1 + HELD) / 2]))
        start, end = int(edges[0]), min(int(edges[1]) + 1, left.size)
    ours, theirs, left = ours[start:end], theirs[start:end], left[start:end]
    powers = [float(np.square(side).mean()) for side in (ours, theirs)]
    own, its, rest = (float(decibels(np.array(power))) for power in (*powers, float(left.mean())))
    kept = float(ours @ theirs) / max(float(ours @ ours), 1e-20)
    return Place((first + start) / rate, (first + end) / rate, excess, rest - own, its - own, kept)
