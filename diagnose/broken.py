"""Broken samples: where a sound is NaN or infinite, and what stands there instead, so that the rest can be measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.arrays import run_edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]
    Mask = NDArray[np.bool_]

FADE_S = 0.005  # a longer line from one sample to another, far away, would be a bias
MOST_STRETCHES = 8  # more places than these are a texture
STEP = 1 << 18  # samples that are filled at a time: bounds the temporary arrays


class Broken(msgspec.Struct, frozen=True):
    """What of a sound was NaN or infinite, and was filled.

    count: samples of all channels.  share: of all samples of all channels, 0 to 1.  first_s: time of the first, s.
    longest: (start, end) in s of the longest stretch in which any channel is broken, of equals the first.
    stretches: the up to 8 longest, in their order in time.  channels: which, from 1.
    """

    count: int
    share: float
    first_s: float
    longest: tuple[float, float]
    stretches: tuple[tuple[float, float], ...]
    channels: tuple[int, ...]


def mended(samples: Samples, rate: int) -> tuple[Samples, Broken]:
    """A copy of samples [shape=(channels, n)] in which each is finite, and what was not; some have to be broken.

    Each channel is filled by itself: a stretch of up to 5 ms by the line between its two neighbours, a longer one by
    silence, into which the neighbours fade in 5 ms.  At the ends of the sound the missing neighbour is 0, so that a
    channel without any finite sample becomes silent.  No filled sample is beyond its neighbours.
    """
    filled = samples.copy()
    anywhere = np.zeros(samples.shape[1], np.bool_)
    counts = []
    for channel in filled:
        bad = ~np.isfinite(channel)
        counts.append(int(np.count_nonzero(bad)))
        if counts[-1]:
            _fill(channel, bad, max(round(FADE_S * rate), 1))
            anywhere |= bad
    starts, stops = run_edges(anywhere)
    longest = np.argsort(starts - stops, kind="stable")[:MOST_STRETCHES]
    stretches = [(int(starts[one]) / rate, int(stops[one]) / rate) for one in longest]
    return filled, Broken(
        count=sum(counts),
        share=sum(counts) / samples.size,
        first_s=int(starts[0]) / rate,
        longest=stretches[0],
        stretches=tuple(sorted(stretches)),
        channels=tuple(number for number, count in enumerate(counts, 1) if count),
    )


def _fill(channel: Samples, bad: Mask, fade: int) -> None:
    """Write into channel what stands where it is bad."""
    starts, stops = run_edges(bad)
    last = channel.size - 1
    before = np.where(starts > 0, channel[np.maximum(starts - 1, 0)], 0)
    after = np.where(stops <= last, channel[np.minimum(stops, last)], 0)
    reach = np.minimum(stops - starts + 1, fade)
    for first in range(0, channel.size, STEP):
        at = first + np.flatnonzero(bad[first : first + STEP])
        run = np.searchsorted(starts, at, "right") - 1
        near = [np.maximum(1 - distance / reach[run], 0) for distance in (at - starts[run] + 1, stops[run] - at)]
        channel[at] = before[run] * near[0] + after[run] * near[1]
