"""The ways to take values before a line is laid through them: as logarithms or linear, from which level up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from diagnose.infer.values import Marks, guesses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

CEILING_CELLS = 3
FLOOR_SHARE = 0.01  # of the range
LINEAR_RANGE = 1e-14  # of the loudest: what float32 holds of a power
COMPUTED_NATS = 60.0
LEARNT_NATS = 12.0
HEAP_BINS = 120
HEAP = 3.0


class View(msgspec.Struct, frozen=True, eq=False):
    """logarithms [shape=(bands, frames)]: the values, or their logarithm where they are taken to be linear.

    heard: the cells that count: above the floor, and under a ceiling that several share.
    lowest_nats: how far under its loudest magnitude the sound is followed.  An array that was computed follows it into
    silence; one that a model has learnt ends in a floor, and in noise on it.
    """

    linear: bool
    logarithms: Floats
    heard: NDArray[np.bool_]
    lowest_nats: float


def views(values: Floats) -> Iterator[View]:
    """The likelier first."""
    for linear in dict.fromkeys(guess.levels.name in ("power", "magnitude") for guess in guesses(values)):
        logarithms = np.log(np.maximum(values, values.max() * LINEAR_RANGE)) if linear else values
        lowest, highest = float(logarithms.min()), float(logarithms.max())
        shared = np.count_nonzero(logarithms == highest) >= CEILING_CELLS
        below = logarithms < highest if shared else np.ones(values.shape, bool)
        end, heap = lowest + FLOOR_SHARE * (highest - lowest), _heap_end(logarithms)
        computed = View(linear, logarithms, (logarithms > end) & below, COMPUTED_NATS)
        learnt = View(linear, logarithms, (logarithms > max(heap, end)) & below, LEARNT_NATS)
        yield from (computed, learnt) if heap <= end or Marks(values).floored else (learnt, computed)


def _heap_end(values: Floats) -> float:
    """Where a heap of values at the low end stops: a floor that a model has learnt, and its noise; or the lowest value.

    A heap has 3 times as many values as bins further up; it is taken to be as wide above its peak as below.
    """
    lowest, highest = float(values.min()), float(values.max())
    counts, edges = np.histogram(values, HEAP_BINS, (lowest, highest))
    peak = int(np.argmax(counts[: HEAP_BINS // 6]))
    usual = np.sort(counts[HEAP_BINS // 5 : 2 * HEAP_BINS // 3])[HEAP_BINS // 4]
    return float(edges[peak] + edges[peak + 1]) - lowest if counts[peak] > HEAP * usual else lowest
