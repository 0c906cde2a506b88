"""A waveform whose delay moves: a clock that runs off, wow and flutter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.arrays import median, quantile
from diagnose.causes.words import milliseconds, percent
from diagnose.results.cause import Cause, cause

if TYPE_CHECKING:
    from diagnose.analysis import Pair
    from diagnose.arrays import Floats
    from diagnose.audio import Samples
    from diagnose.causes.evidence import Evidence

BLOCK_S = 0.04  # in which the delay hardly moves
FIRST_S, NEXT_S = 0.08, 0.0015  # by which the first delay, and then each next one, may differ
FLOOR = 1e-3  # of the loudest block's power, under which no delay is read
SURE_R, LEAST_R = 0.8, 0.5  # of a block that is found; of one that says at least where to look next
FEWEST = 24  # blocks
TRIED = 16  # blocks, of which half have to be found, before the rest is looked for
FOUND = 0.75  # share of the blocks that are found
LONGEST_S = 60.0  # that is followed
STRAIGHT_S = 0.0003  # of the delay from a line, for four fifths of the time, of a clock
SLIPPED = 5  # blocks, by the median of which a slip by a period is put right
NEARER = 0.05  # of r: what a place at the end of the reach has to be better by than one in its middle
LEAST_PPM = 150.0  # a clock's: what is less is a sound card's
MOMENT_S, PARTS = 0.003, (-0.4, -0.2, 0.0, 0.2, 0.4)  # of a block: its delay may jump in one of them
WHOLE, MOSTLY_WHOLE = 0.1, 0.4  # samples from a whole delay; share of the blocks: then samples are left out
JUMPS = 0.1  # median of the speeds over the fastest: a delay that jumps stands still between
SWING_S = 0.00006  # of the delay, for four fifths of the time, of a wow
SURE_SWING_S, UNSURE = 0.0005, 0.8  # a filter moves a delay too, by less; strength of what may be one
SMOOTH = 0.4  # r of the speeds of neighbouring blocks, from which a swing is one for sure
MOST_SPEED = 0.15  # slope of a delay


class Track(msgspec.Struct, frozen=True, eq=False):
    """Delays in s of the generated sound at times in s of the reference [shape=(n,)]; found: share of the blocks."""

    times: Floats
    delays: Floats
    found: float


class Clock(msgspec.Struct, frozen=True, eq=False):
    """How the delay of a track runs: slope in s a s; off: each delay from the line of that slope [shape=(n,)], in s.

    spread: of these, for four fifths of the time.  whole: whether the delay is a number of samples at each moment.
    """

    track: Track
    slope: float
    off: Floats
    spread: float
    whole: bool

    @property
    def runs(self) -> bool:
        """Whether the delay grows evenly."""
        return abs(self.slope) * 1e6 > LEAST_PPM and self.spread < STRAIGHT_S

    @property
    def evidence(self) -> list[str]:
        share, count = percent(self.track.found), self.track.times.size
        return [
            f"block by block the waveform is the reference's, in {share} of {count} blocks",
            f"the delay lies within {milliseconds(self.spread)} of a line of {1e6 * self.slope:+.0f} ppm",
        ]


def clock_of(pair: Pair) -> Clock | None:
    """How the delay runs where it moves; None where it stands still, or cannot be followed."""
    steady = pair.timeline.method == "waveform" and len(pair.timeline.segments) < FEWEST
    if steady or pair.timeline.method == "none" or pair.silent:
        return None
    track = follow(pair.reference.mono, pair.generated.mono, pair.rate)
    if track is None or track.found < FOUND:
        return None
    slope = _slope(track)
    off = track.delays - slope * track.times
    off = _without_slips(off - median(off))
    return Clock(track, slope, off, quantile(off, 0.9) - quantile(off, 0.1), _is_whole(pair, track))


def runs_off(found: Clock | None) -> Cause | None:
    """sample-rate where the delay grows evenly: at each moment the waveform is the reference's."""
    if found is None or not found.runs or found.whole:
        return None
    slope = found.slope
    size = f"{100 * abs(slope):.2f} % {'longer' if slope > 0 else 'shorter'}, pitch and all"
    return cause(
        "sample-rate",
        1.0,
        f"the clock runs {abs(slope) * 1e6:.0f} ppm too {'slow' if slope > 0 else 'fast'}: {size}",
        found.evidence,
        "look for a resampling by a rounded quotient of rates, two clocks without a common one, or frames that are "
        "counted as if a hop were another",
    )


def samples_lost(found: Clock | None, pair: Pair) -> Cause | None:
    """chunk-seams where the delay grows evenly, and by whole samples."""
    if found is None or not found.runs or not found.whole:
        return None
    samples = round(pair.files[1].rate / pair.rate / abs(found.slope))
    lost = "lost" if found.slope < 0 else "too many"
    return cause(
        "chunk-seams",
        0.95,
        f"a sample is {lost} each {samples} samples, or some in each block of several",
        [*found.evidence, "the delay is a whole number of samples throughout: it jumps, and does not run"],
        "count samples, not milliseconds: a block of a rounded length drifts; look for [:-1], // and odd chunk sizes",
    )


def wow(e: Evidence) -> Cause | None:
    """The delay swings to and fro: at each moment the waveform is the reference's.

    Misleads: a very regular sound, which fits itself a period later as well; a filter moves a delay too, by less.
    """
    found = e.clock
    if found is None or found.runs or found.spread < SWING_S:
        return None
    speeds = np.abs(np.diff(found.off) / np.diff(found.track.times))
    if median(speeds) < JUMPS * quantile(speeds, 0.95):
        return None
    if not _comes_back(found.off):
        return None
    swing_s = quantile(found.off, 0.975) - quantile(found.off, 0.025)
    return cause(
        "wow",
        0.95 if swing_s > SURE_SWING_S and _is_smooth(found.off) else UNSURE,
        f"the speed goes up and down by {percent(quantile(speeds, 0.95))}: the delay swings by {milliseconds(swing_s)}",
        [*found.evidence, f"it comes back about each {_period(found.track.times, found.off):.2g} s"],
        "look for a resampler that is driven by a moving quotient, a clock that is corrected again and again, or a "
        "tape among the references",
    )


def _is_whole(pair: Pair, track: Track) -> bool:
    """Whether the delay is a whole number of samples in moments so short that few blocks end in them."""
    rate, size = pair.rate, round(MOMENT_S * pair.rate)
    ours, theirs = pair.reference.mono, pair.generated.mono
    found = []
    for time, delay in zip(track.times, track.delays, strict=True):
        for part in PARTS:
            start = max(round((time + part * BLOCK_S) * rate), 0)
            at, r = _delay_near(ours[start : start + size], theirs, start + round(delay * rate), 3)
            if r > SURE_R:
                found.append(at)
    places = np.array(found)
    return places.size > 0 and float((np.abs(places - np.rint(places)) < WHOLE).mean()) > MOSTLY_WHOLE


def _slope(track: Track) -> float:
    """The median of the slopes between blocks half the sound apart (Theil, 1950)."""
    half = track.times.size // 2
    return median(
        (track.delays[half:] - track.delays[: track.delays.size - half])
        / (track.times[half:] - track.times[: track.times.size - half])
    )


def _without_slips(delays: Floats) -> Floats:
    padded = np.pad(delays, SLIPPED // 2, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, SLIPPED), axis=1))


def follow(reference: Samples, generated: Samples, rate: int) -> Track | None:
    """The delay of each block of 40 ms, looked for near that of the one before; None where it is soon lost."""
    size = round(BLOCK_S * rate)
    starts = np.arange(0, min(reference.size, round(LONGEST_S * rate)) - size, size)
    power = np.array([float(np.square(reference[start : start + size], dtype=np.float64).mean()) for start in starts])
    starts = starts[power > FLOOR * power.max(initial=0.0)] if starts.size else starts
    if starts.size < FEWEST:
        return None
    reach, delay, last = round(FIRST_S * rate), 0.0, int(starts[0])
    times, delays, tried = [], [], 0
    for start in starts.tolist():
        near = reach + round(MOST_SPEED * 0.1 * max(start - last - size, 0))
        at, r = _delay_near(reference[start : start + size], generated, start + round(delay), near)
        tried += 1
        if r > LEAST_R:
            delay = at - start
        if r > SURE_R:
            times.append((start + size / 2) / rate)
            delays.append(delay / rate)
            reach, last = round(NEXT_S * rate), start
        if tried == TRIED and len(times) < TRIED // 2:
            return None
    if len(times) < FEWEST // 2:
        return None
    return Track(np.array(times), np.array(delays), len(times) / tried)


def _delay_near(block: Samples, generated: Samples, place: int, reach: int) -> tuple[float, float]:
    """(place of the block in the generated sound, between samples; |r| there), at most so many samples from a place."""
    first = max(place - reach, 0)
    part = generated[first : max(place + reach, 0) + block.size].astype(np.float64)
    if part.size < block.size:
        return float(place), 0.0
    ours = block.astype(np.float64)
    product = np.correlate(part, ours, "valid")
    summed = np.concatenate(([0.0], np.cumsum(np.square(part))))
    power = (summed[block.size :] - summed[: -block.size]) * float(np.dot(ours, ours))
    r = np.abs(product) / np.sqrt(np.maximum(power, 1e-30))
    away = np.abs(np.arange(r.size) - (place - first)) / max(reach, 1)
    top = int(np.argmax(r * (1 - NEARER * away)))
    off = 0.0
    if 0 < top < r.size - 1:
        below, above = r[top - 1], r[top + 1]
        off = 0.5 * (below - above) / min(below - 2 * r[top] + above, -1e-12)
    return first + top + float(off), float(r[top])


def _is_smooth(off: Floats) -> bool:
    """Whether the speed of one block is about that of the next: parts that were left out make it jump."""
    steps = np.diff(off)
    power = float(np.dot(steps, steps))
    return float(np.dot(steps[1:], steps[:-1])) > SMOOTH * max(power, 1e-30)


def _comes_back(off: Floats) -> bool:
    above = off > median(off)
    return int((above[1:] & ~above[:-1]).sum()) > 1


def _period(times: Floats, off: Floats) -> float:
    """Seconds from one rise through the median to the next."""
    above = off > median(off)
    rises = times[1:][above[1:] & ~above[:-1]]
    return float(np.diff(rises).mean()) if rises.size > 1 else float(times[-1] - times[0])
