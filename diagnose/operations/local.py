"""Operations on moments: parts that are silenced, and single samples that are replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.arrays import median, quantile, runs
from diagnose.operations.gain_curve import swallows_quiet
from diagnose.operations.operation import Fitted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats
    from diagnose.operations.operation import Predicted
    from diagnose.operations.scene import Scene

BLOCK_S = 0.001
GONE, SOUNDS = 1e-3, 1e-6  # power of the generated over the reference; of the reference over its loud blocks
LOUD = 0.95
NEAR = 3  # blocks between two holes that are one
SHORTEST = 2  # blocks
MOST_HOLES = 300
FEWEST_OF_GATE = 3  # holes
OF_GATE = 20  # blocks, over which a gate measures the level
FADED = 8  # blocks beside a hole in which it may fade
FADES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)  # blocks
LEAST_UNDONE = 0.3  # of a fade
LESS = 0.9  # of the error of a shorter fade
CLICK_S = 0.005
OVER_MEDIAN = 12.0  # second difference of a click, over the median around it, and over the RMS of the sound there
SMALLEST = 1e-5
MOST_CLICKS = 0.02  # share of the samples
ONE_CLICK = 4  # samples that are one click
FEWEST_SEAMS = 8
SHARES = (0.1, 0.25, 0.5)  # quantiles of the distances, one of which is the period where some seams are covered
ON_BEAT, OFF_BEAT, THERE = 0.9, 0.02, 0.3  # share on the beat; how far off it, in periods; share of the beats with one


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
        "gated" if len(holes) >= FEWEST_OF_GATE and _is_gate(ours, holes) else "dropout",
        lambda x: mask * x,
        4 * len(holes),
        {
            "holes": (float(len(holes)), "count"),
            "length": (length, "s"),
            "first": (holes[0][0] * size / scene.rate, "s"),
        },
        undo=lambda x: x / np.maximum(mask, LEAST_UNDONE),  # what is gone stays so
    )


def _is_gate(power: Floats, holes: list[list[int]]) -> bool:
    """Whether it is the soft parts of 20 ms that are silenced; power [shape=(n,)]: of each block."""
    shut = np.zeros(power.size)
    for first, last in holes:
        shut[first:last] = 1.0
    count = power.size // OF_GATE
    level, gone = (each[: count * OF_GATE].reshape(count, OF_GATE).mean(axis=1) for each in (power, shut))
    return swallows_quiet(np.sqrt(level), gone > 0.5)


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
    first, apart = float(places[0]), 1 + int((np.diff(places) > size).sum())
    parameters = {"clicks": (float(apart), "count"), "first": (first / scene.rate, "s")}
    period = _beat(places, error.size)
    if period is not None:  # then those that are covered are known too
        beats = first % period + period * np.arange(int(error.size / period) + 1)
        near = np.rint(beats)[:, None].astype(np.intp) + np.arange(-ONE_CLICK, ONE_CLICK + 1)
        places = np.unique(np.append(places, near[(near >= 0) & (near < error.size)]))
        parameters["period"] = (period / scene.rate, "s")
    spikes = np.zeros_like(error)
    spikes[places] = error[places]
    return Fitted(
        "clicks" if period is None else "chunk-seams",
        lambda x: x + spikes,
        2 * places.size,
        parameters,
        undo=lambda x: x - spikes,
        copied=places.size if period is None else 0,
    )


def _beat(places: NDArray[np.intp], count: int) -> float | None:
    """The time, in samples, of which the places are multiples apart; None where they are not, or most are missing."""
    starts = places[np.concatenate(([True], np.diff(places) > ONE_CLICK))]
    if starts.size < FEWEST_SEAMS:
        return None
    apart = np.diff(starts).astype(np.float64)
    found = (_beat_of(starts, quantile(apart, share), count) for share in SHARES)
    return next((period for period in found if period is not None), None)


def _beat_of(starts: NDArray[np.intp], period: float, count: int) -> float | None:
    off = (starts - starts[0]) / period
    period *= float(np.dot(np.rint(off), off)) / max(float(np.dot(np.rint(off), np.rint(off))), 1e-30)
    off = (starts - starts[0]) / period
    on_beat = np.abs(off - np.rint(off)) * period < np.maximum(ONE_CLICK, OFF_BEAT * period)
    there = np.unique(np.rint(off)).size / max(count / period, 1.0)
    return period if on_beat.mean() > ON_BEAT and there > THERE else None
