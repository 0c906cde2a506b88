"""Operations on moments: parts that are silenced, and single samples that are replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.arrays import runs
from diagnose.explain.operation import Fitted

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.explain.scene import Scene

BLOCK_S = 0.001
GONE, SOUNDS = 1e-3, 1e-6  # power of the generated over the reference; of the reference over its loud blocks
LOUD = 0.95
NEAR = 3  # blocks between two holes that are one
SHORTEST = 2  # blocks
MOST_HOLES = 300
FADED = 8  # blocks beside a hole in which it may fade
WHOLE = 0.97  # gain from which a fade is over
CLICK_S = 0.005
OVER_MEDIAN = 12.0  # second difference of a click, over the median around it
SMALLEST = 1e-5
MOST_CLICKS = 0.02  # share of the samples


def dropout(scene: Scene, before: Floats, _variance: Floats | None) -> Fitted | None:
    """b = m a, m 0 in holes of 2 ms and more, with a fade of up to 8 ms on either side by the quotient of the two."""
    size = max(round(BLOCK_S * scene.rate), 8)
    count = before.size // size
    if count < 4:
        return None
    ours, theirs = (
        np.square(part[: count * size].reshape(count, size)).mean(axis=1) for part in (before, scene.generated)
    )
    loud = float(np.quantile(ours, LOUD))
    gone = (theirs < GONE * ours) & (ours > SOUNDS * loud)
    quiet = (ours <= SOUNDS * loud) & (theirs <= SOUNDS * loud)
    holes: list[list[int]] = []
    for first, last in runs(gone):
        if holes and ((gone | quiet)[holes[-1][1] : first].all() or first - holes[-1][1] < NEAR):
            holes[-1][1] = int(last)
        else:
            holes.append([int(first), int(last)])
    holes = [hole for hole in holes if hole[1] - hole[0] >= SHORTEST]
    if not holes or len(holes) > MOST_HOLES:
        return None
    gains, fades = np.ones(count), 0
    for first, last in holes:
        gains[first:last] = 0.0
        fades += _fade(gains, before, scene.generated, size, range(first - 1, max(first - 1 - FADED, -1), -1))
        fades += _fade(gains, before, scene.generated, size, range(last, min(last + FADED, count)))
    middles = (np.arange(count) + 0.5) * size
    mask = np.interp(np.arange(before.size), middles, gains)
    inside = np.repeat(gains == 0.0, size)
    mask[: inside.size][inside] = 0.0
    for first, last in holes:
        _cut_sharply(mask, before, scene.generated, slice((first - 2) * size, first * size), 1)
        _cut_sharply(mask, before, scene.generated, slice(last * size, (last + 2) * size), -1)
    length = sum(last - first for first, last in holes) * size / scene.rate
    return Fitted(
        "dropout",
        lambda x: mask * x,
        2 * len(holes) + fades,
        {
            "holes": (float(len(holes)), "count"),
            "length": (length, "s"),
            "first": (holes[0][0] * size / scene.rate, "s"),
        },
    )


def _cut_sharply(mask: Floats, before: Floats, after: Floats, part: slice, way: int) -> None:
    """Where the sound ends at one sample beside a hole, the mask does so: 1 before it and 0 after, or the other way."""
    if part.start < 0 or part.stop > before.size:
        return
    ours, theirs = before[part][::way], after[part][::way]
    kept, cut = (np.concatenate(([0.0], np.cumsum(np.square(each)))) for each in (theirs - ours, theirs))
    left = kept + cut[-1] - cut
    at = int(np.argmin(left))
    if left[at] < float(np.square(theirs - mask[part][::way] * ours).sum()):
        mask[part] = (np.arange(ours.size) < at).astype(np.float64)[::way]


def _fade(gains: Floats, before: Floats, after: Floats, size: int, order: range) -> int:
    """Set the gains of blocks beside a hole, away from it, until they are whole; how many."""
    for done, block in enumerate(order):
        part = slice(block * size, (block + 1) * size)
        power = float(np.dot(before[part], before[part]))
        factor = float(np.dot(before[part], after[part])) / power if power > 0 else 1.0
        if factor >= WHOLE or gains[block] == 0.0:
            return done
        gains[block] = max(factor, 0.0)
    return len(order)


def clicks(scene: Scene, before: Floats, _variance: Floats | None) -> Fitted | None:
    """b = a + spikes: samples whose second difference stands out are taken from the generated sound, and paid for."""
    error = scene.generated - before
    bend = np.abs(np.diff(error, 2, prepend=error[0], append=error[-1]))
    size = max(round(CLICK_S * scene.rate), 16)
    count = bend.size // size
    if count < 1:
        return None
    usual = np.median(bend[: count * size].reshape(count, size), axis=1)
    usual = np.maximum(usual, np.median(usual))
    around = np.pad(usual, 1, mode="edge")
    usual = np.maximum(np.maximum(around[:-2], around[2:]), usual)
    allowed = np.pad(np.repeat(usual, size), (0, bend.size - count * size), mode="edge")
    places = np.flatnonzero(bend > OVER_MEDIAN * allowed + SMALLEST)
    if not places.size or places.size > MOST_CLICKS * error.size:
        return None
    spikes = np.zeros_like(error)
    spikes[places] = error[places]
    apart = 1 + int((np.diff(places) > size).sum())
    parameters = {"clicks": (float(apart), "count"), "first": (float(places[0]) / scene.rate, "s")}
    return Fitted("clicks", lambda x: x + spikes, 2 * int(places.size), parameters, copied=int(places.size))
