"""Fractions of a sample, and clocks that differ: how the delay of a copy moves along it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import soxr

from diagnose.arrays import fast_size, median
from diagnose.spectrogram import hann
from diagnose.timeline.correlation import loudest_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.arrays import Floats
    from diagnose.audio import Samples
    from diagnose.timeline.path import Run

BLOCK_S = 0.25
BLOCKS = 24  # that the delay is read at
NEAR = 24  # samples around a run's delay within which a block's may lie
FINER = 4  # places a sample
LEAST_R = 0.55  # of a block at its delay: white noise half a sample off has 0.64
SHORTEST_S = 2.0  # of a sound whose drift is said
MOVED = 0.3  # samples that the delay moves by over the sound, from which it drifts
WHOLE = 0.005  # of a sample, within which a delay is a whole one
LEAST_FRACTION = 0.02  # of a sample, that can be told from none
SHOWS_DB = 3.0
MOST_DRIFT = 0.002  # 2000 ppm, ten times what two bad crystals differ by; beyond it, another rate
APART_S = 0.004  # delays that lie nearer are one delay that moves
ONE_FRACTION = 0.05  # samples, median distance of the blocks from one fraction
ON_LINE = 0.5  # samples, median distance of the blocks from one line


class Clock(msgspec.Struct, frozen=True):
    """delay(t) = delay + drift * t, in samples of the generated sound; drift is 0 where it is not seen.

    fraction: whether the delay's fraction of a sample is worth a resampling.
    """

    delay: float
    drift: float = 0.0
    fraction: bool = False


def read(
    reference: Samples, generated: Samples, rate: int, runs: Sequence[Run], least_moved: float = MOVED
) -> Clock | None:
    """The clock of runs whose delays are one, or move along a line; None where they do not, or cannot be read.

    least_moved: samples that the delay has to move by over the sound.
    """
    places = _places(runs, round(BLOCK_S * rate), reference.size)
    found = [
        (*each, run.delay) for run, start, size in places if (each := _block(reference, generated, run, start, size))
    ]
    if not found:
        return None
    times, delays, weights, whole = (np.array(column) for column in zip(*found, strict=True))
    if times[-1] - times[0] >= (SHORTEST_S - 2 * BLOCK_S) * rate and len(found) >= 4:
        slope, middle = _line(times, delays, weights)
        if np.median(np.abs(delays - slope * times - middle)) <= ON_LINE:
            moved = abs(slope) * (times[-1] - times[0])
            if moved >= least_moved and abs(slope) <= MOST_DRIFT:
                return Clock(middle, slope)
    if apart(runs, rate):
        return _common_fraction(reference, generated, rate, runs, delays - whole)
    still = median(delays)
    if np.median(np.abs(delays - still)) > ON_LINE:
        return None
    near = np.abs(delays - median(delays)) <= ON_LINE
    still = float(np.average(delays[near], weights=weights[near]))
    if abs(still - round(still)) < WHOLE:
        still = float(round(still))
    return Clock(still, fraction=_shows(reference, generated, still, *_loudest(generated, rate)))


def apart(runs: Sequence[Run], rate: int) -> bool:
    """Whether the delay jumps, and does not move along."""
    steps = [abs(later.delay - earlier.delay) for earlier, later in itertools.pairwise(runs)]
    return max(steps, default=0) > APART_S * rate


def _common_fraction(
    reference: Samples, generated: Samples, rate: int, runs: Sequence[Run], over: Floats
) -> Clock | None:
    """The clock of runs that are whole samples apart, by what their blocks' delays are over the runs' own."""
    over = over - np.round(over - over[0])  # half a sample is as well half a sample less
    still = median(over)
    if np.median(np.abs(over - still)) > ONE_FRACTION:
        return None
    longest = max(runs, key=lambda run: run.end - run.start)
    delay = float(longest.delay + still)
    shows = _shows(reference, generated, delay, longest.start, min(longest.end, longest.start + rate))
    return Clock(delay, fraction=True) if shows else None


def _loudest(samples: Samples, rate: int) -> tuple[int, int]:
    start = loudest_start(samples, min(rate, samples.size))
    return start, min(start + rate, samples.size)


def _shows(reference: Samples, generated: Samples, delay: float, first: int, last: int) -> bool:
    """Whether resampling by the delay's fraction takes SHOWS_DB off what a whole delay leaves over."""
    if abs(delay - round(delay)) < LEAST_FRACTION:
        return False
    begin = max(first - round(delay), 0)
    ours = reference[begin : begin + last - first].astype(np.float64)
    left = []
    for later in (0.0, round(delay) - delay):
        theirs = shifted(generated[begin + round(delay) : begin + round(delay) + ours.size], later)
        part = ours[: theirs.size]
        middle = slice(part.size // 16, part.size - part.size // 16)
        part, theirs = part[middle], theirs[middle]
        gain = float(np.dot(part, theirs)) / max(float(np.dot(part, part)), 1e-30)
        left.append(float(np.square(theirs - gain * part).sum()))
    return left[1] * 10 ** (SHOWS_DB / 10) < left[0]


def sharpened(clock: Clock, rest: Clock) -> Clock:
    """A clock that drifts, corrected by what is left of it in a sound that was brought on it by on_clock()."""
    moved = round(clock.delay) - clock.delay
    drift = 1 - (1 - clock.drift) * (1 - rest.drift)
    return msgspec.structs.replace(clock, drift=drift, delay=rest.delay - moved * (1 - rest.drift))


def on_clock(samples: Samples, clock: Clock) -> Samples:
    """The generated sound on the reference's clock, as long as it is then: without drift, and with a whole delay."""
    moved = samples
    if clock.drift:
        moved = soxr.resample(samples, 1.0 / (1.0 - clock.drift), 1.0, quality="VHQ")
    return shifted(moved, round(clock.delay) - clock.delay)


def shifted(samples: Samples, later: float) -> Samples:
    """Samples a fraction of a sample later, by a phase ramp; silence on both sides keeps the ends apart."""
    if later == 0:
        return samples
    size = fast_size(samples.size + 256)
    spectrum = np.fft.rfft(samples, size)
    spectrum *= np.exp(-2j * np.pi * later * np.arange(spectrum.size) / size)
    return np.fft.irfft(spectrum, size)[: samples.size].astype(np.float32)


def _places(runs: Sequence[Run], size: int, length: int) -> list[tuple[Run, int, int]]:
    """(run, start, size) of blocks spread evenly over what the runs cover, in order."""
    total = sum(run.end - run.start for run in runs)
    longest = max((run.end - run.start for run in runs), default=0)
    size = min(size, max(total // 4, 64), max(longest // 2, 64))  # of a clock that runs away, runs are short
    every = max((total - size) // max(BLOCKS - 1, 1), size // 2, 1)
    found = []
    for run in runs:
        first, last = max(run.start, run.delay + NEAR), min(run.end, length + run.delay - NEAR) - size
        count = max((last - first) // every + 1, 1)
        if last >= first:
            found += [(run, int(start), size) for start in np.linspace(first, last, count)]
    return found


def _block(
    reference: Samples, generated: Samples, run: Run, start: int, size: int
) -> tuple[float, float, float] | None:
    """(middle of the block, its delay to a fraction of a sample, weight)."""
    delay = run.delay
    theirs = generated[start : start + size].astype(np.float64)
    ours = reference[start - delay - NEAR : start - delay + size + NEAR].astype(np.float64)
    whole = fast_size(ours.size)
    # Between the samples too: half a sample off, a high note is more like itself a period away.
    cross = np.fft.irfft(np.fft.rfft(ours, whole) * np.conj(np.fft.rfft(theirs, whole)), FINER * whole)
    best = round(int(np.argmax(np.abs(cross[: 2 * NEAR * FINER + 1]))) / FINER)
    if best in (0, 2 * NEAR):
        return None
    ours = ours[best : best + size]
    norm = float(np.dot(ours, ours) * np.dot(theirs, theirs))
    if norm <= 0 or abs(np.dot(ours, theirs)) < LEAST_R * norm**0.5:
        return None
    return start + size / 2, delay + NEAR - best + _fraction(ours, theirs), float(np.dot(theirs, theirs)) ** 0.5


def _fraction(ours: Floats, theirs: Floats) -> float:
    """Samples by which theirs is later than ours, within half a sample: slope of the phase of their cross-spectrum.

    Least squares over the bins, each weighted by |cross-spectrum|: bins where only one of the two sounds say little.
    """
    window = hann(ours.size - ours.size % 2)
    spectra = [np.fft.rfft(part[: window.size] * window) for part in (ours, theirs)]
    cross = spectra[1] * np.conj(spectra[0])
    if float(np.dot(ours, theirs)) < 0:
        cross = -cross
    omega = 2 * np.pi * np.arange(cross.size) / window.size
    weights = np.abs(cross)
    later = 0.0
    for _ in range(3):  # the first steps bring the phase near 0, where its noise does not wrap
        phase = np.angle(cross * np.exp(1j * omega * later))
        later -= float(np.sum(weights * omega * phase) / max(float(np.sum(weights * omega * omega)), 1e-300))
    return later


def _line(times: Floats, delays: Floats, weights: Floats) -> tuple[float, float]:
    """(slope, value at 0): the median of all slopes (Theil and Sen), then least squares over what lies near it."""
    first, second = np.triu_indices(times.size, 1)
    slopes = np.sort((delays[second] - delays[first]) / (times[second] - times[first]))
    slope = float(slopes[slopes.size // 2])
    rest = delays - slope * times
    off = np.abs(rest - median(rest))
    near = off <= max(ON_LINE, 3 * median(off))
    w, t, d = weights[near], times[near], delays[near]
    t0, d0 = float(np.average(t, weights=w)), float(np.average(d, weights=w))
    slope = float(np.sum(w * (t - t0) * (d - d0)) / max(float(np.sum(w * (t - t0) ** 2)), 1e-300))
    return slope, float(d0 - slope * t0)
