"""lay(): two sounds side by side: by their waveforms, else by what is heard, at steady delays or along a warp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.timeline.content import MOVED, lay_content
from diagnose.timeline.edits import period_of, script
from diagnose.timeline.segment import Segment, Timeline
from diagnose.timeline.silence import heard_in, quiet_in
from diagnose.timeline.single_delay import Alignment, align, as_a_whole
from diagnose.timeline.waveform import copied

if TYPE_CHECKING:
    from diagnose.audio import Samples
    from diagnose.stft_cache import StftCache
    from diagnose.timeline.clock import Clock
    from diagnose.timeline.waveform import Copied

LEAST = 64  # samples, under which nothing is laid on anything
UNBIASED = 1e-6  # of the power: a mean that is 60 dB lower
RESCALED = 6  # edits that a stretched sound has at least
MIXED, MIXED_LEAST = 0.8, 0.2  # share of them among all, and of either kind among them
MANY = 12  # edits, none of them periodic, that may be all of one kind: at one tempo nothing but periods is left out
PERIODS_S = 0.04  # a period or a few


def lay(ours: StftCache, theirs: StftCache, rate: int) -> Timeline:
    """The timeline of two mono signals at one rate in Hz: the reference and the generated one."""
    if min(ours.samples.size, theirs.samples.size) < LEAST:
        return as_a_whole(Alignment(), ours.samples.size, theirs.samples.size)
    whole = align(ours, theirs, rate)
    reference, generated = (_centred(signal) for signal in (ours, theirs))
    found = copied(reference, generated, rate, whole)
    if found is not None:
        timeline = _of_copy(found, reference, generated, rate, whole)
        if timeline.moved > MOVED:
            return lay_content(ours, theirs, rate, whole)
        if not _is_rescaled(timeline, rate):
            return timeline
        warped = lay_content(ours, theirs, rate, whole)
        return warped if warped.method == "warped" else timeline
    return lay_content(ours, theirs, rate, whole)


def _is_rescaled(timeline: Timeline, rate: int) -> bool:
    """Whether periods were left out here and repeated there, as time is stretched by overlap and add."""
    edits = [one for one in timeline.edits if one.kind in ("lost", "repeated")]
    if len(edits) < RESCALED or timeline.period is not None or len(edits) < len(timeline.edits) * MIXED:
        return False
    lost = sum(one.kind == "lost" for one in edits) / len(edits)
    lengths = [max(one.reference[1] - one.reference[0], one.generated[1] - one.generated[0]) for one in edits]
    mixed = MIXED_LEAST <= lost <= 1 - MIXED_LEAST or len(edits) >= MANY
    return mixed and sorted(lengths)[len(lengths) // 2] <= PERIODS_S * rate


def lay_waveforms(reference: Samples, generated: Samples, rate: int) -> Timeline | None:
    """The timeline of a copy whose parts are found by their waveforms alone; None where it is no copy."""
    sides = [samples - np.float32(samples.mean(dtype=np.float64)) for samples in (reference, generated)]
    unlaid = Alignment()
    found = copied(sides[0], sides[1], rate, unlaid)
    return None if found is None else _of_copy(found, sides[0], sides[1], rate, unlaid)


def _centred(signal: StftCache) -> Samples:
    """The samples without their mean; as they are, where it is too little to matter."""
    power = float(np.dot(signal.samples, signal.samples)) / max(signal.samples.size, 1)
    return signal.samples if signal.mean**2 <= UNBIASED * power else signal.samples - np.float32(signal.mean)


def _of_copy(found: Copied, reference: Samples, generated: Samples, rate: int, whole: Alignment) -> Timeline:
    segments = script(
        found.runs, (reference.size, found.copy.generated.size), rate, quiet_in(found.copy), heard_in(found.copy)
    )
    clock = found.clock
    if clock is not None:
        segments = tuple(_timed(segment, clock, found.copy.generated.size, generated.size) for segment in segments)
    matched = [segment for segment in segments if segment.kind == "matched"]
    longest = max(matched, key=lambda segment: segment.generated[1] - segment.generated[0], default=None)
    delay = longest.delay if longest else float(whole.delay)
    drift = None
    if clock is not None:
        delay = clock.delay if clock.drift else delay
        if generated.size >= 2 * rate:
            drift = 1e6 * clock.drift / (1 - clock.drift)
    return Timeline(
        method="waveform",
        segments=segments,
        delay=delay,
        gain=abs(found.gain),
        polarity=1 if found.gain > 0 else -1,
        correlation=_correlation(found, reference),
        drift_ppm=drift,
        period=period_of(segments, rate),
        drift=clock.drift if clock is not None else 0.0,
        resampled=clock is not None and (clock.drift != 0 or clock.fraction),
    )


def _timed(segment: Segment, clock: Clock, moved: int, length: int) -> Segment:
    """A segment in samples of the generated sound as it is, its delay with what the clock says of it.

    moved, length: samples of the generated sound on the clock, and as it is.
    """
    start, end = segment.generated
    if clock.drift:
        start, end = (min(round(at * length / max(moved, 1)), length) for at in (start, end))
    delay = segment.delay
    if segment.kind == "matched":
        if clock.drift or abs(clock.delay - delay) < 1:
            delay = clock.delay + clock.drift * start
        elif clock.fraction:
            delay += clock.delay - round(clock.delay)
    return msgspec.structs.replace(segment, generated=(start, end), delay=delay)


def _correlation(found: Copied, reference: Samples) -> float:
    """r over all that is matched."""
    sums = np.zeros(3)
    for run in found.runs:
        ours = reference[run.start - run.delay : run.end - run.delay]
        theirs = found.copy.generated[run.start : run.end]
        sums += (float(np.dot(ours, theirs)), float(np.dot(ours, ours)), float(np.dot(theirs, theirs)))
    return float(sums[0] / np.sqrt(sums[1] * sums[2])) if min(sums[1:]) > 0 else 0.0
