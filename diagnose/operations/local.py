"""Operations on moments: parts that are silenced, and single samples that are replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.arrays import median, quantile, runs
from diagnose.operations.operation import Fitted

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.operations.operation import Predicted
    from diagnose.operations.scene import Scene

BLOCK_S = 0.001
GONE, SOUNDS = 1e-3, 1e-6  # power of the generated over the reference; of the reference over its loud blocks
LOUD = 0.95
NEAR = 3  # blocks between two holes that are one
SHORTEST = 2  # blocks
MOST_HOLES = 300
FADED = 8  # blocks beside a hole in which it may fade
FADES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)  # blocks
LEAST_UNDONE = 0.3  # of a fade
LESS = 0.9  # of the error of a shorter fade
CLICK_S = 0.005
OVER_MEDIAN = 12.0  # second difference of a click, over the median around it, and over the RMS of the sound there
SMALLEST = 1e-5
MOST_CLICKS = 0.02  # share of the samples


def dropout(scene: Scene, before: Predicted) -> Fitted | None:
    """b = m a, m 0 in holes of 2 ms and more, with a fade of up to 8 ms on either side by the quotient of the two."""
    sound = before.samples
    size = max(round(BLOCK_S * scene.rate), 8)
    count = sound.size // size
    if count < 4:
        return None
    ours, theirs = (
        np.square(part[: count * size].reshape(count, size)).mean(axis=1) for part in (sound, scene.generated)
    )
    loud = quantile(ours, LOUD)
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
    mask = np.ones(sound.size)
    for first, last in holes:
        start = _edge(sound, scene.generated, first * size, size) if first else (0, 0)
        end = _edge(sound[::-1], scene.generated[::-1], sound.size - last * size, size) if last < count else (0, 0)
        _silence(mask, start, (sound.size - end[0], end[1]))
    length = sum(last - first for first, last in holes) * size / scene.rate
    return Fitted(
        "dropout",
        lambda x: mask * x,
        4 * len(holes),
        {
            "holes": (float(len(holes)), "count"),
            "length": (length, "s"),
            "first": (holes[0][0] * size / scene.rate, "s"),
        },
        undo=lambda x: x / np.maximum(mask, LEAST_UNDONE),  # what is gone stays so
    )


def _edge(before: Floats, after: Floats, near: int, size: int) -> tuple[int, int]:
    """(sample at which a hole begins, samples of the straight fade before it): of those near, what leaves the least.

    size: samples of a block, in two of which the hole begins.
    """
    reach = round(FADED * size)
    start, stop = max(near - reach, 0), min(near + 2 * size, before.size)
    ours, theirs = before[start:stop], after[start:stop]
    time = np.arange(start, stop)
    begins = np.arange(max(near - 2 * size, start), stop + 1)
    best, left = (near, 0), np.inf
    for fade in sorted({round(share * size) for share in FADES}):
        masks = np.clip((begins[:, None] - time) / max(fade, 1), 0.0, 1.0)
        each = np.square(theirs - masks * ours).sum(axis=1)
        at = int(np.argmin(each))
        if each[at] < LESS * left:
            best, left = (int(begins[at]), fade), float(each[at])
    return best


def _silence(mask: Floats, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Set the mask to 0 between start and end, with a straight fade before the one and after the other."""
    (first, faded), (last, rising) = start, end
    time = np.arange(max(first - faded, 0), min(last + rising, mask.size))
    fall, rise = (first - time) / max(faded, 1), (time - last + 1) / max(rising, 1)
    mask[time] = np.minimum(mask[time], np.clip(np.maximum(fall, rise), 0.0, 1.0))


def clicks(scene: Scene, before: Predicted) -> Fitted | None:
    """b = a + spikes: samples whose second difference stands out are taken from the generated sound, and paid for."""
    error = scene.generated - before.samples
    bend = np.abs(np.diff(error, 2, prepend=error[0], append=error[-1]))
    size = max(round(CLICK_S * scene.rate), 16)
    count = bend.size // size
    if count < 1:
        return None
    parts = bend[: count * size].reshape(count, size)
    usual = np.partition(parts, size // 2, axis=1)[:, size // 2]
    usual = np.maximum(usual, median(usual))
    around = np.pad(usual, 1, mode="edge")
    usual = np.maximum(np.maximum(around[:-2], around[2:]), usual)
    loud = np.sqrt(np.square(before.samples[: count * size]).reshape(count, size).mean(axis=1))
    least = np.maximum(OVER_MEDIAN * usual, loud) + SMALLEST
    allowed = np.pad(np.repeat(least, size), (0, bend.size - count * size), mode="edge")
    places = np.flatnonzero(bend > allowed)
    if not places.size or places.size > MOST_CLICKS * error.size:
        return None
    spikes = np.zeros_like(error)
    spikes[places] = error[places]
    apart = 1 + int((np.diff(places) > size).sum())
    parameters = {"clicks": (float(apart), "count"), "first": (float(places[0]) / scene.rate, "s")}
    count = int(places.size)
    return Fitted("clicks", lambda x: x + spikes, 2 * count, parameters, lambda x: x - spikes, copied=count)
