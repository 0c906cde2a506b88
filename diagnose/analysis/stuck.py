"""Stuck stretches: the sound stays at one value of full scale, which is what NaN becomes in an integer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.audio import blocks

if TYPE_CHECKING:
    from diagnose.audio import Samples

FULL_SCALE = 0.999  # 32767 and 32768 of 16 bits, 127 and 128 of 8 (0.992) not: those are few values, not stuck
LEAST_S = 0.005  # the flat tops of music that is clipped hard are under 3 ms
TONE_S = 0.025  # half a period of 20 Hz: a tone, however clipped, is not at one side for so long


def stuck_stretches(samples: Samples, rate: int) -> list[tuple[int, int]]:
    """(start, stop) of the stretches of one channel [shape=(n,)] of 5 ms or more, each of one value, |x| >= 0.999.

    Where such stretches lie at both ends of the scale, they are the tops of a square wave or of a tone clipped to one;
    then only those of 25 ms or more count.
    """
    if max(float(samples.max()), -float(samples.min())) < FULL_SCALE:
        return []
    near = np.concatenate(
        [part.start + np.flatnonzero(np.abs(samples[part]) >= FULL_SCALE) for part in blocks(samples.size)]
    )
    breaks = np.flatnonzero((np.diff(near) > 1) | (np.diff(samples[near]) != 0)) + 1
    first = near[np.concatenate(([0], breaks))]
    length = near[np.concatenate((breaks - 1, [near.size - 1]))] - first + 1
    held = length >= LEAST_S * rate
    if np.unique(np.sign(samples[first[held]])).size > 1:
        held = length >= TONE_S * rate
    return [(int(start), int(start + size)) for start, size in zip(first[held], length[held], strict=True)]
