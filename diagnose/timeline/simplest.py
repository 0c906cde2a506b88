"""The simplest of the likely scripts: runs that are mere likenesses are left out, and jumps that nothing speaks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.timeline.path import CHANGE, WELL, Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.timeline.path import Material
    from diagnose.timeline.search import Path, Source

SAME = 0.35  # of the score that its frames allow, that a run has
LEAST = 0.3  # nats that it has in any case
JUMP_S = 0.005  # a jump of so much costs 0.7 of a change
NOTHING = 1e-4  # of a frame's energy, that is nothing if it is left over: 40 dB
EVIDENCE = 4.0  # that a frame's samples are, of a place that is chosen among likely ones
HARDLY_S = 0.0002  # delays that lie so near are one, which is a fraction or a clock
LONGEST_DETOUR = 3  # runs
EXACT = 0.97  # of WELL: r^2 of 0.98 in nearly all frames
NEARLY = 0.6  # of WELL: r^2 of 0.92
MOST_SIMPLIFIED = 200  # runs
SAME_GAIN = 1.35  # factor within which a run is as loud as the whole


def simplified(path: Path, source: Source, found: Sequence[Run]) -> list[Run]:
    """The runs of a path that are the reference's parts, with the least jumps."""
    runs = joined(found)
    if len(path.delays) == 1:
        return runs
    runs = joined(_simplest(path, source, runs))
    runs = joined([run for run in runs if _is_same(path, run)]) or runs[:1]
    return joined(_without_detours(path, runs))


def joined(runs: Sequence[Run]) -> list[Run]:
    """Runs of one delay as one: what lies between them is in its place, whatever was done to it."""
    found: list[Run] = []
    for run in runs:
        if found and found[-1].delay == run.delay:
            found[-1] = Run(found[-1].start, run.end, run.delay)
        else:
            found.append(run)
    return found


def _is_same(path: Path, run: Run) -> bool:
    """Whether a run is no mere likeness: of the same gain as the whole, and explained as well as may be."""
    copy, state = path.material, path.delays.index(run.delay)
    frames = run.frames(copy.hop)
    sounding = path.sounding()[frames]
    if not sounding.any():
        return False
    score = float(path.scores[state][frames][sounding].mean())
    allowed = min(float(path.allowed()[frames][sounding].mean()), WELL)
    if score < max(SAME * allowed, LEAST):
        return False
    own, cross = (float(rows[frames].sum()) for rows in (path.fits[state].own, path.fits[state].cross))
    return own <= 0 or 1 / SAME_GAIN < cross / own / copy.gain < SAME_GAIN


def _without_detours(path: Path, found: list[Run]) -> list[Run]:
    """The runs without those between two of one delay that are no exact copy: what is there is in its place.

    A filter, a clip, an echo or half a sample leaves a note more like another place of the same note than like itself.
    """
    kept = list(found)
    ours, theirs = path.material.lengths
    near = max(HARDLY_S * path.material.rate, 2 * path.material.step)
    index = 0
    while index < len(kept):
        delays = [0, *(run.delay for run in kept), theirs - ours]  # before and after it, start on start and end on end
        before = delays[index]
        for count in range(1, LONGEST_DETOUR + 1):
            away = kept[index : index + count]
            after = delays[min(index + count + 1, len(delays) - 1)]
            back = abs(after - before) <= near and len(away) == count and len(away) < len(kept)
            if back and all(abs(run.delay - before) > near and not _is_exact(path, run, before) for run in away):
                del kept[index : index + count]
                break
        else:
            index += 1
    return kept


def _is_exact(path: Path, run: Run, in_place: int) -> bool:
    """Whether a run is an exact copy, and what is in its place is not nearly one."""
    copy = path.material
    frames = run.frames(copy.hop)
    sounding = path.sounding()[frames]
    here = copy.scores(copy.residual(copy.fit(in_place)))[frames][sounding]
    there = path.scores[path.delays.index(run.delay)][frames][sounding]
    means = [float(np.minimum(score, WELL).mean()) for score in (there, here)]
    return means[0] >= EXACT * WELL and means[1] < NEARLY * WELL


def _simplest(path: Path, source: Source, found: list[Run]) -> list[Run]:
    """Each run at the delay that explains it for the least jumps.

    In a steady tone many delays explain a run alike, a period apart; then the one on the way from the run before to
    the run after is taken.
    """
    copy = path.material
    if len(found) > MOST_SIMPLIFIED:
        return found
    ends = 0, copy.lengths[1] - copy.lengths[0]  # start on start, end on end
    for index, run in enumerate(found):
        delays = [ends[0], *(each.delay for each in found), ends[1]]
        beside = [delays[index], delays[index + 2]]
        middle = (run.start + run.end) // 2
        size = min(run.end - run.start, round(2 * copy.searched_s * copy.rate)) // 2
        others = {sum(beside) // 2, *beside, *source.likely(middle - size, middle + size, run.delay)}
        fit = {run.delay: path.fits[path.delays.index(run.delay)]}
        fit.update({delay: copy.fit(delay) for delay in others - {run.delay}})
        frames = run.frames(copy.hop)
        least = copy.noise + NOTHING * copy.energy[frames]
        worth = {
            delay: -EVIDENCE * float(np.log(copy.residual(each)[frames] + least).sum())
            - sum(_jump(copy, delay - other) for other in beside)
            for delay, each in fit.items()
        }
        best = max(worth, key=worth.__getitem__)
        if best != run.delay:
            if best not in path.delays:
                path.add(best, fit[best])
                path.rescore()
            found[index] = Run(run.start, run.end, best)
    return found


def _jump(copy: Material, samples: int) -> float:
    """Nats that a change of the delay costs: the farther, the more."""
    return CHANGE * np.log1p(abs(samples) / (JUMP_S * copy.rate))
