"""By what is heard, where waveforms do not tell: at the same times, in parts, or along a warp; else not at all."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.timeline.edits import period_of, script, together
from diagnose.timeline.features import masked
from diagnose.timeline.likeness import compared
from diagnose.timeline.path import Run
from diagnose.timeline.search import runs as search
from diagnose.timeline.segment import Segment, Timeline
from diagnose.timeline.silence import quiet
from diagnose.timeline.single_delay import FRAMING, as_a_whole, log_bands
from diagnose.timeline.spectral import Spectra
from diagnose.timeline.warp import usual_distance, warped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diagnose.stft_cache import StftCache
    from diagnose.timeline.features import Features
    from diagnose.timeline.likeness import Likeness
    from diagnose.timeline.silence import Quiet
    from diagnose.timeline.single_delay import Alignment
    from diagnose.timeline.warp import Warp

SPECTRAL_S = 0.06  # the shortest edit that is believed where the phases are its own: a voice may move so much by itself
SLIDES, SLIDES_BY = 1.25, 0.02  # times, and usual distances, that a warp has to be nearer than steady delays
SLIPS = 3  # delays that change by less than an edit, from which they are steps beside a warp
SKIPPED = 1.4  # usual distances that a frame costs that is on one side only
LAID = 0.8  # r of two spectrograms at one delay, from which they are laid so whatever their frames say
MOVED = 0.3  # of what comes from the reference; more in another order is no timeline: reversed, shuffled, another tune
LIKE = 1.0  # nats a sounding frame, from which two spectrograms are one with other phases
SHOWN = 2.0  # the same, from which they are, whatever is said of their likeness; unrelated ones reach 1.35
PLATEAU_S, PLATEAUS = 0.12, 16  # of one delay of a warp that is tried; so many at most


def lay_content(ours: StftCache, theirs: StftCache, rate: int, whole: Alignment) -> Timeline:
    """The timeline of two sounds at a rate in Hz whose phases are their own; whole: how they lie at one delay."""
    lengths = ours.samples.size, theirs.samples.size
    likeness = compared(ours, theirs, rate)
    if likeness is not None and likeness.same:
        return _of_same(ours, theirs, rate, whole, likeness)
    steady, explained = _steady(ours, theirs, rate, whole, [])
    if likeness is None:
        return steady
    shown = whole.correlation >= LAID or explained >= SHOWN
    if steady.method == "none" or (likeness.other and not shown):
        unlaid = msgspec.structs.replace(whole, method="none", delay=0)
        return msgspec.structs.replace(as_a_whole(unlaid, *lengths), likeness=likeness.ratio, other=likeness.other)
    return msgspec.structs.replace(steady, likeness=likeness.ratio)


def _of_same(ours: StftCache, theirs: StftCache, rate: int, whole: Alignment, likeness: Likeness) -> Timeline:
    """The timeline of one content: at steady delays, where these lie it as near as a warp does."""
    first, second = masked(ours, theirs, rate)
    warp = warped(first, second, (ours.samples.size, theirs.samples.size), rate)
    near = warp.distance * SLIDES + SLIDES_BY
    for delays in ([], plateaus(warp, rate)):
        steady, _ = _steady(ours, theirs, rate, whole, delays)
        is_steady = steady.method != "none" and slips(steady.segments) < SLIPS
        if is_steady and distance_along(steady, first, second) <= near:
            return msgspec.structs.replace(steady, likeness=likeness.ratio)
    found = _of_warp(warp, likeness, rate, whole)
    return msgspec.structs.replace(found, silence=_more_silence(first, second))


def _steady(
    ours: StftCache, theirs: StftCache, rate: int, whole: Alignment, delays: Sequence[int]
) -> tuple[Timeline, float]:
    """(spectrograms at a delay, or at several; nats of a sounding frame that they explain of each other).

    delays: others that are worth a try.
    """
    lengths = ours.samples.size, theirs.samples.size
    if whole.method != "spectrogram" and not delays:
        return as_a_whole(whole, *lengths), 0.0
    spectra = Spectra(log_bands(ours, rate), log_bands(theirs, rate), FRAMING.hop, lengths, rate)
    laid = search(spectra, spectra, [whole.delay, *delays])
    silent, least = (_quiet(ours), _quiet(theirs)), round(SPECTRAL_S * rate)
    segments = script(laid.runs, lengths, rate, silent, least_s=SPECTRAL_S)
    if slips(segments) < SLIPS:
        runs = [run.within(lengths[0]) for run in _without_slips(laid.runs, least)]
        segments = script(runs, lengths, rate, silent, least_s=SPECTRAL_S)
    found = Timeline(
        method="spectrogram",
        segments=segments,
        delay=_longest(segments),
        gain=whole.gain,
        polarity=None,
        correlation=whole.correlation,
        period=period_of(segments, rate),
    )
    if laid.explained < LIKE or found.moved > MOVED:
        return as_a_whole(whole, *lengths), 0.0
    return found, laid.explained


def _quiet(signal: StftCache) -> Quiet:
    return quiet(signal.samples - np.float32(signal.mean))


def _longest(segments: Sequence[Segment]) -> float:
    """The delay of the longest match."""
    matched = [one for one in segments if one.kind == "matched"]
    return max(matched, key=lambda one: one.reference[1] - one.reference[0]).delay if matched else 0.0


def slips(segments: Sequence[Segment]) -> int:
    """Changes of the delay that are no edit."""
    return sum(one.kind == other.kind == "matched" for one, other in itertools.pairwise(segments))


def _without_slips(runs: Sequence[Run], least: int) -> list[Run]:
    """Runs whose delays lie nearer than an edit as one, at the delay of the longest: by bands it is no surer."""
    longest = [(part, max(part, key=lambda run: run.end - run.start)) for part in together(runs, least)]
    return [Run(part[0].start, part[-1].end, run.delay) for part, run in longest]


def plateaus(warp: Warp, rate: int) -> list[int]:
    """Delays in samples that a warp keeps for a while, the longest first."""
    ours, theirs = np.array(warp.knots).T
    delays, lengths = (theirs - ours)[:-1], np.diff(ours)
    same = np.concatenate(([True], np.abs(np.diff(delays)) > 0)).cumsum()
    found: dict[int, int] = {}
    for which in range(1, int(same[-1]) + 1):
        length = int(lengths[same == which].sum())
        delay = int(delays[same == which][0])
        found[delay] = found.get(delay, 0) + length
    kept = [delay for delay in sorted(found, key=lambda each: -found[each]) if found[delay] >= PLATEAU_S * rate]
    return kept[:PLATEAUS]


def distance_along(timeline: Timeline, first: Features, second: Features) -> float:
    """Distance along the matched parts of a timeline, as that of a warp: per step, over the usual one."""
    cost, steps = 0.0, 0
    usual, hop = usual_distance(first, second), first.hop
    for step in timeline.segments:
        ours, theirs = (np.arange(round(a / hop), round(b / hop)) for a, b in (step.reference, step.generated))
        if step.kind != "matched":
            cost += SKIPPED * (ours.size + theirs.size)
            steps += ours.size + theirs.size
            continue
        count = min(ours.size, theirs.size)
        ours, theirs = ours[:count], theirs[:count]
        inside = (ours < len(first.rows)) & (theirs < len(second.rows))
        apart = first.rows[ours[inside]] - second.rows[theirs[inside]]
        cost += 2 * float(np.sqrt(np.square(apart).sum(axis=1)).sum()) / usual
        steps += 2 * int(inside.sum())
    return cost / max(steps, 1)


def _more_silence(first: Features, second: Features) -> tuple[int, int, int]:
    """Samples of silence that the second has more than the first: at its start, inside, at its end."""
    start, inside, end = np.subtract(_silences(second), _silences(first)) * first.hop
    return int(start), int(inside), int(end)


def _silences(one: Features) -> tuple[int, int, int]:
    """Frames of silence at the start, inside and at the end."""
    places = np.flatnonzero(one.sounding)
    if not places.size:
        return 0, 0, 0
    first, last = int(places[0]), int(places[-1])
    return first, last + 1 - first - places.size, len(one.sounding) - last - 1


def _of_warp(warp: Warp, likeness: Likeness, rate: int, whole: Alignment) -> Timeline:
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
