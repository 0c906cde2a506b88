"""Parts between two runs that a search has passed over: where edits come again and again, one of them is quiet.

A run that stands where two stood is tried with a part between: at the delay in the middle, and at the usual jump from
either side.  It is there where it leaves clearly less over than the runs beside it do.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.timeline.path import Run
from diagnose.timeline.silence import CHANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.arrays import Floats
    from diagnose.timeline.path import Copy

REACH_S = 3.0  # before and after a border, in which a part may be
SHORTEST_S = 0.03
GAP_S = 0.05  # from run to run; where more lies between them, something else is there
ROUNDS = 3
MOST_RUNS = 200
JUMP_S = 0.002  # the least that a part may lie off either of its neighbours
AS_NOISE = 1.3  # times the noise's energy: nothing else is left over
CLEARLY = 0.5  # of what the runs beside it leave over


def divided(copy: Copy, runs: Sequence[Run]) -> list[Run]:
    """The runs, and the parts that lie between two of them."""
    found = list(runs)
    for _ in range(ROUNDS if len(found) <= MOST_RUNS else 0):
        before = found
        found = _once(copy, before)
        if len(found) == len(before):
            break
    return found


def _once(copy: Copy, runs: Sequence[Run]) -> list[Run]:
    usual = _usual_jump(runs)
    found = list(runs[:1])
    for following in runs[1:]:
        right = following
        part = _between(copy, found[-1], right, usual)
        if part is not None:
            found[-1] = msgspec.structs.replace(found[-1], end=part.start)
            right = msgspec.structs.replace(right, start=part.end)
            found.append(part)
        found.append(right)
    return [run for run in found if run.end > run.start]


def _usual_jump(runs: Sequence[Run]) -> int:
    """The median change of the delay."""
    jumps = sorted((later.delay - earlier.delay for earlier, later in itertools.pairwise(runs)), key=abs)
    return jumps[len(jumps) // 2] if jumps else 0


def _between(copy: Copy, left: Run, right: Run, usual: int) -> Run | None:
    """The part that lies between two runs; None where there is none."""
    tried = {(left.delay + right.delay) // 2, left.delay + usual, right.delay - usual}
    far = JUMP_S * copy.rate
    tried = {delay for delay in tried if min(abs(delay - left.delay), abs(delay - right.delay)) >= far}
    if right.start - left.end > GAP_S * copy.rate:
        return _in_gap(copy, left.end, right.start, tried)
    reach = round(REACH_S * copy.rate)
    first, last = max(left.start, left.end - reach), min(right.end, right.start + reach)
    if not tried or last - first < SHORTEST_S * copy.rate:
        return None
    beside = [_summed(copy, run.delay, first, last) for run in (left, right)]
    parts = [part for delay in sorted(tried) if (part := _best(copy, beside, delay, first, last))]
    return max(parts, key=lambda part: part[0])[1] if parts else None


def _in_gap(copy: Copy, start: int, end: int, delays: set[int]) -> Run | None:
    """The part that fills what no run explains."""
    left_over = {delay: float(copy.errors(delay, start, end).sum()) for delay in delays}
    best = min(left_over, key=left_over.__getitem__, default=0)
    energy = float(np.square(copy.generated[start:end], dtype=np.float64).sum())
    noise = copy.sample_noise
    if best not in left_over or left_over[best] > CLEARLY * energy or energy - left_over[best] <= CHANCE * noise:
        return None
    return Run(start, end, best)


def _best(copy: Copy, beside: list[Floats], delay: int, first: int, last: int) -> tuple[float, Run] | None:
    """(energy that is left over less, the part at this delay) where it is clearly there."""
    ours, (before, after) = _summed(copy, delay, first, last), beside
    # Ends a <= b of the part cost before[a] + (ours[b] - ours[a]) + (after[-1] - after[b]).
    opening = before - ours
    cheapest = np.minimum.accumulate(opening)
    b = int(np.argmin(cheapest + ours - after))
    a = int(np.argmin(opening[: b + 1]))
    without = float(np.min(before - after))
    better = without - float(opening[a] + ours[b] - after[b])
    noise = copy.sample_noise
    left_over = float(ours[b] - ours[a])
    others = min(float(each[b] - each[a]) for each in beside)
    is_there = left_over <= max(AS_NOISE * noise * (b - a), CLEARLY * others)
    if b - a < SHORTEST_S * copy.rate or better <= CHANCE * noise or not is_there:
        return None
    return better, Run(first + a, first + b, delay)


def _summed(copy: Copy, delay: int, first: int, last: int) -> Floats:
    """Running sums, from 0 on, of what the reference at a delay leaves over."""
    return np.concatenate(([0.0], np.cumsum(copy.errors(delay, first, last))))
