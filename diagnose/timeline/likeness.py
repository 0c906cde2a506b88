"""Whether two sounds have the same content, in whatever timing: how much nearer they are than by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.timeline.features import Features, features
from diagnose.timeline.warp import best_path, distances, usual_distance

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.stft_cache import StftCache

SURE = 0.4  # of the usual distance of two frames: nothing unrelated comes so near, the nearest of 200 pairs is 0.55
ALIKE = 0.68  # of the distance by chance; the same sentence by another voice 0.66, a shifted pitch 0.72, another 0.94
OTHER, TURNED = 0.92, 1.3  # from which nothing is alike; beyond it, the other order is the nearer one
HARDLY, ELSEWHERE = 0.905, 0.5  # from which nothing is, where the course (see below) is another too
RESTLESS = 0.5  # of the usual distance, from frame to frame: noise has 0.7, voices and instruments under 0.45
CHANGING = 5.5  # nepers that frames of a sound of its own differ by; what hardly survives a vocoder differs less
LIVELY = 3.9  # nepers that frames differ by; hums, noise and what is clipped through and through differ less
PLACES, NEAR = 160, 8  # frames of each sound whose distances are compared
COURSE = 0.82  # r of their distances from which the one is the other, changed; unrelated tunes of one metre reach 0.77


class Likeness(msgspec.Struct, frozen=True):
    """ratio: the distance along the best warp over that of a reference in another order.  other: see Timeline."""

    ratio: float
    other: bool

    @property
    def same(self) -> bool:
        """Whether the content is the same."""
        return self.ratio <= ALIKE


def compared(ours: StftCache, theirs: StftCache, rate: int) -> Likeness | None:
    """The likeness of two signals; None where either has under 8 frames, or the reference does not change."""
    first, second = features(ours, rate), features(theirs, rate)
    if min(len(first.rows), len(second.rows)) < 8 or spread(first) < LIVELY:
        return None
    distance = best_path(first, second)[1]
    ratio = distance / (1.0 if distance < SURE else _by_chance(first, second))
    sounds = all(spread(each) >= CHANGING and restlessness(each) <= RESTLESS for each in (first, second))
    if not sounds or not HARDLY <= ratio <= TURNED:
        return Likeness(ratio, False)
    return Likeness(ratio, course(first, second) < (COURSE if ratio >= OTHER else ELSEWHERE))


def _by_chance(first: Features, second: Features) -> float:
    """The least distance to the reference backwards, and with its halves exchanged."""
    half = len(first.rows) // 2
    turned = Features(first.rows[::-1], first.sounding[::-1], first.hop)
    moved = Features(np.roll(first.rows, half, axis=0), np.roll(first.sounding, half), first.hop)
    return max(min(best_path(each, second)[1] for each in (turned, moved)), 1e-9)


def course(first: Features, second: Features) -> float:
    """r of the distances of frames of the one among each other and of the other's at the same places, -1 to 1.

    A fault that changes each frame alike (another pitch, mel range, filter, rate) keeps which frames are like which.
    Places are shares of each sound's length; frames nearer than NEAR places are alike in any sound, and left out.
    """
    tables = []
    for side in (first, second):
        rows = side.rows[np.linspace(0, len(side.rows) - 1, PLACES).astype(int)]
        tables.append(distances(rows, rows))
    one, other = np.triu_indices(PLACES, NEAR)
    ours = tables[0][one, other] - tables[0][one, other].mean()
    best = 0.0
    for shift in range(-2, 3):
        theirs = np.roll(tables[1], (shift, shift), (0, 1))[one, other]
        theirs = theirs - theirs.mean()
        norm = float(np.sqrt(np.square(ours).sum() * np.square(theirs).sum()))
        best = max(best, float(np.dot(ours, theirs)) / norm if norm > 0 else 0.0)
    return best


def spread(one: Features) -> float:
    """Usual distance of two sounding frames of one sound, in nepers."""
    return usual_distance(one, one) if one.sounding.any() else 0.0


def restlessness(one: Features) -> float:
    """Mean distance of a sounding frame from the next, over the usual distance."""
    both = one.sounding[1:] & one.sounding[:-1]
    if not both.any():
        return 1.0
    steps: Floats = np.sqrt(np.square(np.diff(one.rows, axis=0)).sum(axis=1))[both]
    return float(steps.mean()) / usual_distance(one, one)
