"""lay(): two sounds side by side, in the first of three ways that holds: waveform, spectrogram, warped."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.timeline.edits import period_of, script
from diagnose.timeline.likeness import compared
from diagnose.timeline.search import runs as search
from diagnose.timeline.segment import Segment, Timeline
from diagnose.timeline.single_delay import FRAMING, Alignment, align, log_bands
from diagnose.timeline.spectral import Spectra
from diagnose.timeline.waveform import copied

if TYPE_CHECKING:
    from diagnose.audio import Samples
    from diagnose.stft_cache import StftCache
    from diagnose.timeline.edits import Quiet
    from diagnose.timeline.likeness import Likeness
    from diagnose.timeline.path import Copy
    from diagnose.timeline.waveform import Copied

SPECTRAL_S = 0.06  # the shortest edit that is believed where the phases are its own: a voice may move so much by itself
SILENT = 1e-4  # of the loud frames' energy: 40 dB lower
NOISY = 2.0  # times the noise's energy, under which a stretch is silence with noise
SLIDES, SLIDES_BY = 1.4, 0.05  # times, and usual distances, that a warp has to be nearer than a steady delay
LAID = 0.8  # r of two spectrograms at one delay, from which they are laid so whatever their frames say
MOVED = 0.3  # of what comes from the reference; more in another order is no timeline: reversed, shuffled, another tune
LIKE = 1.0  # nats a sounding frame, from which two spectrograms are one with other phases


def lay(ours: StftCache, theirs: StftCache, rate: int) -> Timeline:
    """The timeline of two mono signals at one rate in Hz: the reference and the generated one."""
    whole = align(ours, theirs, rate)
    reference, generated = (_centred(signal) for signal in (ours, theirs))
    if min(reference.size, generated.size) < 64:
        return _as_a_whole(whole, reference.size, generated.size)
    found = copied(reference, generated, rate, whole)
    if found is not None:
        timeline = _of_copy(found, reference, generated, rate, whole)
        if timeline.moved <= MOVED:
            return timeline
    return _of_content(ours, theirs, rate, whole)


def lay_waveforms(reference: Samples, generated: Samples, rate: int) -> Timeline | None:
    """The timeline of a copy whose parts are found by their waveforms alone; None where it is no copy."""
    sides = [samples - np.float32(samples.mean(dtype=np.float64)) for samples in (reference, generated)]
    unlaid = Alignment()
    found = copied(sides[0], sides[1], rate, unlaid)
    return None if found is None else _of_copy(found, sides[0], sides[1], rate, unlaid)


def _of_content(ours: StftCache, theirs: StftCache, rate: int, whole: Alignment) -> Timeline:
    """By what is heard: at the same times, in parts, or along a warp; else not at all."""
    lengths = ours.samples.size, theirs.samples.size
    likeness = compared(ours, theirs, rate)
    steady = _of_spectra(ours, theirs, rate, whole) if whole.method == "spectrogram" else _as_a_whole(whole, *lengths)
    if steady.moved > MOVED:
        steady = _as_a_whole(whole, *lengths)
    if likeness is None:
        return steady
    if likeness.same and likeness.along(steady) > likeness.warp.distance * SLIDES + SLIDES_BY:
        return _of_warp(likeness, rate, whole)
    if steady.method == "none" or (likeness.other and whole.correlation < LAID):
        unlaid = msgspec.structs.replace(whole, method="none", delay=0)
        return msgspec.structs.replace(_as_a_whole(unlaid, *lengths), likeness=likeness.ratio, other=likeness.other)
    return msgspec.structs.replace(steady, likeness=likeness.ratio)


def _of_warp(likeness: Likeness, rate: int, whole: Alignment) -> Timeline:
    warp = likeness.warp
    segments = [
        Segment("matched", (a[0], b[0]), (a[1], b[1]), float(a[1] - a[0])) for a, b in itertools.pairwise(warp.knots)
    ]
    return Timeline(
        method="warped",
        segments=tuple(segments),
        delay=float(round(warp.delay)),
        gain=whole.gain,
        correlation=1.0 - min(likeness.ratio, 1.0),
        warp=warp.knots,
        tempo=warp.tempo,
        deviation=warp.deviation_s * rate,
        likeness=likeness.ratio,
    )


def _centred(signal: StftCache) -> Samples:
    return signal.samples - np.float32(signal.mean)


def _of_copy(found: Copied, reference: Samples, generated: Samples, rate: int, whole: Alignment) -> Timeline:
    segments = script(found.runs, (reference.size, found.copy.generated.size), rate, _silent(found.copy))
    stretch = generated.size / max(found.copy.generated.size, 1)
    if found.clock is not None and found.clock.drift:
        segments = tuple(_stretched(segment, stretch, generated.size) for segment in segments)
    matched = [segment for segment in segments if segment.kind == "matched"]
    longest = max(matched, key=lambda segment: segment.generated[1] - segment.generated[0], default=None)
    delay = longest.delay if longest else float(whole.delay)
    clock = found.clock
    drift = None
    if clock is not None:
        if clock.drift or abs(clock.delay - delay) < 1:  # a steady tone fits at every period
            delay = clock.delay
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
        resampled=clock is not None and (clock.drift != 0 or (clock.fraction and delay == clock.delay)),
    )


def _stretched(segment: Segment, factor: float, length: int) -> Segment:
    start, end = (min(round(at * factor), length) for at in segment.generated)
    return Segment(
        segment.kind, segment.reference, (start, end), start - segment.reference[0], segment.source, segment.content
    )


def _correlation(found: Copied, reference: Samples) -> float:
    """r over all that is matched."""
    sums = np.zeros(3)
    for run in found.runs:
        ours = reference[run.start - run.delay : run.end - run.delay]
        theirs = found.copy.generated[run.start : run.end]
        sums += (float(np.dot(ours, theirs)), float(np.dot(ours, ours)), float(np.dot(theirs, theirs)))
    return float(sums[0] / np.sqrt(sums[1] * sums[2])) if min(sums[1:]) > 0 else 0.0


def _of_spectra(ours: StftCache, theirs: StftCache, rate: int, whole: Alignment) -> Timeline:
    lengths = ours.samples.size, theirs.samples.size
    spectra = Spectra(log_bands(ours, rate), log_bands(theirs, rate), FRAMING.hop, lengths, rate)
    runs, explained = search(spectra, spectra, [whole.delay])
    if explained < LIKE:
        return _as_a_whole(whole, *lengths)
    silent = _quiet(_centred(ours)), _quiet(_centred(theirs))
    segments = script(runs, lengths, rate, silent, SPECTRAL_S)
    return Timeline(
        method="spectrogram",
        segments=segments,
        delay=float(whole.delay),
        gain=whole.gain,
        polarity=None,
        correlation=whole.correlation,
        period=period_of(segments, rate),
    )


def _silent(copy: Copy) -> tuple[Quiet, Quiet]:
    """Whether samples of either sound are silence, or the noise that lies under all of it."""
    limit = max(SILENT * copy.loud, NOISY * copy.noise) / (3 * copy.hop)
    return _under(copy.reference, limit / copy.gain**2), _under(copy.generated, limit)


def _under(samples: Samples, limit: float) -> Quiet:
    def quiet(start: int, end: int) -> bool:
        margin = (end - start) // 8  # a border lies a few samples in the sound beside it
        power = np.square(samples[start + margin : end - margin], dtype=np.float64)
        return bool(power.mean() <= limit)

    return quiet


def _quiet(samples: Samples) -> Quiet:
    """Whether samples lie 40 dB under the loudest twentieth of the sound."""
    size = 256
    power = np.square(samples[: samples.size // size * size].reshape(-1, size), dtype=np.float64).mean(axis=1)
    rank = max(power.size // 20, 1)
    return _under(samples, SILENT * float(np.partition(power, -rank)[-rank]) if power.size else 0.0)


def _as_a_whole(whole: Alignment, ours: int, theirs: int) -> Timeline:
    """One matched part at the whole's delay, and what is over at the ends."""
    late, early = max(whole.delay, 0), max(-whole.delay, 0)
    length = max(0, min(ours - early, theirs - late))
    steps = []
    if early:
        steps.append(Segment("lost", (0, early), (0, 0)))
    if late:
        steps.append(Segment("inserted", (0, 0), (0, late)))
    if length:
        steps.append(Segment("matched", (early, early + length), (late, late + length), float(whole.delay)))
    if early + length < ours:
        steps.append(Segment("lost", (early + length, ours), (late + length, late + length)))
    if late + length < theirs:
        steps.append(Segment("inserted", (early + length, early + length), (late + length, theirs)))
    return Timeline(
        method=whole.method,
        segments=tuple(steps),
        delay=float(whole.delay),
        gain=whole.gain,
        polarity=whole.polarity,
        correlation=whole.correlation,
        drift_ppm=whole.drift_ppm,
    )
