"""Where, to the sample, one run of a copy ends and the next begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.timeline.between import divided
from diagnose.timeline.path import FLOOR, Run
from diagnose.timeline.silence import CHANCE, SILENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.arrays import Floats
from diagnose.timeline.path import Copy

REACH_S = 0.02  # a frame's border lies within this of the true one
SMOOTH_S = 0.0025
BETTER = 0.97  # of the energy that the run beside it leaves over
OTHER = 0.35  # of a stretch's energy: what matches leaves less over
HIDDEN = 4.0  # times the noise's energy, under which a frame may be noise alone
NOISE = 1.5  # of the noise's energy: as above, where there is only noise


def placed(copy: Copy, runs: Sequence[Run]) -> list[Run]:
    """The runs with their borders to the sample; a run that vanishes is left out."""
    theirs = copy.lengths[1]
    runs = [Run(max(run.start, 0), min(run.end, theirs), run.delay) for run in runs]
    runs = divided(copy, _with_ends(copy, [run for run in runs if run.end > run.start]))
    for index in range(len(runs) - 1):
        left, right = runs[index], runs[index + 1]
        end, start = _border(copy, left, right)
        runs[index] = msgspec.structs.replace(left, end=end)
        runs[index + 1] = msgspec.structs.replace(right, start=start)
    runs = [run.within(copy.lengths[0]) for run in runs]
    return [run for run in runs if run.end > run.start]


def _with_ends(copy: Copy, runs: list[Run]) -> list[Run]:
    """The runs, with one before the first, start on start, and one after the last, end on end, where these fit better.

    Too little of a quiet or noisy end is explained for a run of its own; but its energy tells which of two it is.
    """
    if not runs:
        return runs
    ours, theirs = copy.lengths
    before, after = Run(0, max(runs[0].start, 1), 0), Run(min(runs[-1].end, theirs - 1), theirs, theirs - ours)
    if before.delay != runs[0].delay:
        end = _border(copy, before, runs[0])[0]
        runs = [before, *runs] if _fits_better(copy, Run(0, end, 0), runs[0]) else runs
    if after.delay != runs[-1].delay:
        start = _border(copy, runs[-1], after)[1]
        runs = [*runs, after] if _fits_better(copy, Run(start, theirs, after.delay), runs[-1]) else runs
    return runs


def _fits_better(copy: Copy, end: Run, beside: Run) -> bool:
    """Whether an end is its own, and no chance: it leaves less over than its noise would make of it."""
    if end.end - end.start < round(REACH_S * copy.rate) or end.within(copy.lengths[0]) != end:
        return False
    own, other = (float(copy.errors(run.delay, end.start, end.end).sum()) for run in (end, beside))
    noise = copy.sample_noise
    return own < BETTER * other or (own < NOISE * noise * (end.end - end.start) and other - own > CHANCE * noise)


def _border(copy: Copy, left: Run, right: Run) -> tuple[int, int]:
    """(end of left, start of right): the two that leave the least energy over.

    Every sample is explained by the one run, by the other, or by neither; neither costs a share of the local energy,
    so that a stretch of silence or of another sound between the two is seen as such.  Silence that was put in is as
    long as the delays differ: where it explains what is there better, or there is noise alone, it lies where it does
    so best.
    """
    first, last = _searched(copy, left, right)
    errors = [np.cumsum(copy.errors(run.delay, first, last)) for run in (left, right)]
    neither = np.cumsum(_neither(copy, first, last))
    before, between, after = (np.concatenate(([0.0], each)) for each in (errors[0], neither, errors[1]))
    # The cost of ends a <= b: before[a] + (between[b] - between[a]) + (after[-1] - after[b]).
    opening = before - between
    cheapest = np.minimum.accumulate(opening)
    b = int(np.argmin(cheapest + between - after))
    a = int(np.argmin(opening[: b + 1]))
    silence = right.delay - left.delay
    if 0 < silence < last - first:
        energy = np.concatenate(([0.0], np.cumsum(np.square(copy.generated[first:last], dtype=np.float64))))
        quiet = before[:-silence] + energy[silence:] - energy[:-silence] - after[silence:]
        at = int(np.argmin(quiet))
        noise = copy.sample_noise
        better = before[a] + energy[b] - energy[a] - after[b] - quiet[at]
        is_noise = b > a and energy[b] - energy[a] <= NOISE * noise * (b - a)
        is_silent = energy[at + silence] - energy[at] <= silence * max(
            NOISE * noise, SILENT * copy.loud / (3 * copy.hop)
        )
        if is_noise or (is_silent and better > CHANCE * noise):
            a, b = at, at + silence
    return first + a, first + b


def _searched(copy: Copy, left: Run, right: Run) -> tuple[int, int]:
    """Samples [first, last) in which the border is: near that of the frames, and where noise hides the sound there."""
    reach = max(round(REACH_S * copy.rate), 3 * copy.hop)
    first, last = left.end, right.start
    while first - copy.hop >= left.start and _is_hidden(copy, first - copy.hop):
        first -= copy.hop
    while last + copy.hop <= right.end and _is_hidden(copy, last):
        last += copy.hop
    least = (left.start + left.end) // 2 if first == left.end else left.start
    most = (right.start + right.end) // 2 if last == right.start else right.end
    return max(first - reach, least), min(last + reach, most)


def _is_hidden(copy: Copy, sample: int) -> bool:
    """Whether the frame of a sample may be noise alone."""
    frame = min(sample // copy.hop, copy.energy.size - 1)
    return bool(copy.energy[frame] <= max(HIDDEN * copy.noise, FLOOR * copy.loud))


def _neither(copy: Copy, first: int, last: int) -> Floats:
    """What a sample costs that no run explains."""
    width = max(min(round(SMOOTH_S * copy.rate), last - first), 1)
    power = np.square(copy.generated[first:last], dtype=np.float64)
    smooth = np.convolve(power, np.full(width, 1 / width), mode="same")
    return OTHER * smooth + NOISE * copy.sample_noise
