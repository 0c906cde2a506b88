"""Causes of time: delay, length, holes, rate, speed, order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.causes.clock import runs_off
from diagnose.causes.evidence import Evidence, ramp
from diagnose.causes.places import at_times, locally
from diagnose.causes.timeline import exchanged_parts, is_crowded
from diagnose.causes.words import decibels, milliseconds, percent
from diagnose.mel.known import MISTAKEN_HOPS, MISTAKEN_RATES
from diagnose.results.cause import Cause, cause

if TYPE_CHECKING:
    from diagnose.audio import Samples

# Hops in samples that are mistaken for each other, and rates in Hz.
RATIO_FIT = 0.006  # a frame more or less in 170
UNEVEN = 0.11, 0.07  # from which no hop was wrong: hops of any kind stay under 0.05, another reading is over 0.12
BEHIND_SOUND, SILENT_DB = 0.7, -40.0  # of a delay behind something that sounds; to the level of the whole
CUT_HEAD = 0.3
DROPOUT_FIX = "look for lost packets, a gate, NaN replaced by 0, or chunks that are joined with gaps"


def _laid(e: Evidence) -> float:
    """0 to 1: how surely the two are laid on each other where they belong."""
    if e.method == "none":
        return 0.0
    return max(e.copied, ramp(e.match.same, 0.7, 0.88) if e.method == "spectrogram" else 0.0)


def _first(e: Evidence) -> int:
    """The delay of the first part that is matched, in samples."""
    return next((round(step.delay) for step in e.pair.timeline.segments if step.kind == "matched"), 0)


def delay(e: Evidence) -> Cause | None:
    """generated(t + delay) = reference(t).

    Misleads: on a steady tone every period fits, and the nearest to none is taken.  Found by spectrogram it is
    as coarse as a frame, and a sound that runs slower has a delay of its own.
    """
    late = _first(e)
    seconds = late / e.pair.rate
    sure = ramp(abs(seconds), 0.02, 0.04) * e.copied
    if e.method == "spectrogram":
        sure = ramp(abs(seconds), 0.04, 0.08) * _laid(e)
    head, _, surplus = _ends(e)
    if head and not surplus:  # early, and shorter by as much or more: the start was cut
        sure *= CUT_HEAD
    if late > 0 and _begins_with_sound(e, late):  # then it is not late: something else stands before it
        sure *= BEHIND_SOUND
    way = "late" if seconds > 0 else "early"
    return cause(
        "delay",
        sure,
        f"{milliseconds(abs(seconds))} {way}",
        [f"the best fit is at {1000 * seconds:+.1f} ms, r = {e.pair.timeline.correlation:.2f}"],
        (
            f"cut or pad {_in_file(e, abs(late))} samples at the start; look for centred frames on "
            "one side only, or a codec's priming"
        ),
    )


def _begins_with_sound(e: Evidence, late: int) -> bool:
    """Whether what stands before the first matched sample is no silence."""
    return _level(e.pair.generated.mono[:late], e.pair.generated.mono) > SILENT_DB


def _in_file(e: Evidence, samples: int) -> int:
    """Samples at the common rate in those of the generated file."""
    return round(samples * e.pair.files[1].rate / e.pair.rate)


def _ends(e: Evidence) -> tuple[int, int, int]:
    """Samples (missing at the start, missing at the end, added at the end) beyond what is matched."""
    matched = [step for step in e.pair.timeline.segments if step.kind == "matched"]
    if not matched:
        return 0, 0, 0
    ours, theirs = e.pair.reference.mono.size, e.pair.generated.mono.size
    head = matched[0].reference[0] - matched[0].generated[0]
    last = (ours - matched[-1].reference[1]) - (theirs - matched[-1].generated[1])
    return max(head, 0), max(last, 0), max(-last, 0)


def truncated(e: Evidence) -> Cause | None:
    """A part of the reference at its start or end has no counterpart.

    Misleads: a delayed sound of the same length has lost its end too; the delay is then named first.
    """
    head, tail, _ = _ends(e)
    lost = (head + tail) / e.pair.rate
    ours = e.pair.reference.mono
    parts = [part for part in (ours[:head], ours[ours.size - tail :]) if part.size]
    loudness = max((_level(part, ours) for part in parts), default=-120.0)
    where = "start" if head > tail else "end"
    return cause(
        "truncated",
        ramp(lost, 0.015, 0.03) * _laid(e) * (0.4 + 0.6 * ramp(loudness, -50, -35)),
        f"{milliseconds(lost)} are missing at the {where}",
        [
            f"{e.pair.generated.mono.size} samples, {ours.size} in the reference",
            f"what is missing holds up to {loudness:.0f} dB of the sound's level",
        ],
        (
            "look for a length counted in whole frames (n // hop), a batch cut to its shortest item, or "
            "a missing last frame"
        ),
    )


def padded(e: Evidence) -> Cause | None:
    """Silence after the end.

    Misleads: a reverberation that the reference lacks is not silent, and is not this.
    """
    surplus = _ends(e)[2]
    last = e.pair.timeline.segments[-1] if e.pair.timeline.segments else None
    if not surplus or (last is not None and last.kind == "repeated"):
        return None
    tail = e.pair.generated.mono[e.pair.generated.mono.size - surplus :]
    quiet = _level(tail - np.float32(e.pair.means[1]), e.pair.generated.mono)
    return cause(
        "padded",
        ramp(surplus / e.pair.rate, 0.015, 0.03) * _laid(e) * ramp(-quiet, 25, 40),
        f"{milliseconds(surplus / e.pair.rate)} of silence are added at the end",
        [f"the added part lies at {decibels(quiet)} of the sound's level"],
        (
            f"cut the output to the input's length: y[: {_in_file(e, e.pair.reference.mono.size)}]; a batch or a "
            "multiple of frames was padded"
        ),
    )


def _level(part: Samples, whole: Samples) -> float:
    """Power of a part over that of the whole, dB."""
    power = float(np.square(part, dtype=np.float64).mean())
    return float(10 * np.log10(max(power / max(float(np.square(whole, dtype=np.float64).mean()), 1e-20), 1e-12)))


def dropout(e: Evidence) -> Cause | None:
    """Stretches in which the reference sounds and nothing is left of it.

    Misleads: a gate on a quiet passage; a low-pass on a sound that is at times only high.
    """
    if e.residual is not None:
        share, spans = e.residual.silences
        strength = ramp(share, 0.002, 0.008) * ramp(e.residual.filter_gain_db, 10, 5)
        strength *= ramp(share / max(e.residual.holes, 1e-6), 0.3, 0.6)
        strength *= e.local.are(e.local.holes, 0.1, 0.3)
        lengths = [end - start for start, end in spans] or [0.0]
        evidence = [
            f"{percent(share)} of the energy is gone, in {len(spans)} holes of up to {milliseconds(max(lengths))}",
            *(f"from {start:.3f} to {end:.3f} s" for start, end in sorted(spans, key=lambda s: s[0] - s[1])[:3]),
        ]
        few = 0.9 * locally(e) * ramp(e.local.share(e.local.holes), 0.5, 0.8)
        if few > strength:
            return _few_holes(e, few)
    else:
        share = e.change("missing_share")
        strength = 0.7 * ramp(share, 0.03, 0.12) * ramp(e.levels.floor_share, 0.6, 0.4)
        evidence = [f"{percent(share)} of the sounding frames are 30 dB down or more"]
    return cause(
        "dropout",
        strength,
        f"{percent(share)} of the sound is missing in holes",
        evidence,
        DROPOUT_FIX,
    )


def _few_holes(e: Evidence, strength: float) -> Cause | None:
    """Holes too few or too short to tell in the whole's energy."""
    holes = e.local.holes
    return cause(
        "dropout",
        strength,
        f"{'a hole' if len(holes) == 1 else f'{len(holes)} holes'} of up to "
        f"{milliseconds(max(hole.length for hole in holes))}",
        [
            at_times(e, holes),
            f"{decibels(max(hole.level_db for hole in holes))} of the reference's level or less is left there",
        ],
        DROPOUT_FIX,
    )


def modulation(e: Evidence) -> Cause | None:
    """A gain that changes from frame to frame explains what one gain leaves over.

    Misleads: clipping and drop-outs are such gains as well, and are named first where they are told apart.
    """
    rest = e.residual
    if rest is None:
        return None
    gained = rest.frame_gain_db - rest.filter_gain_db
    strength = 0.9 * ramp(gained, 3, 6) * ramp(rest.level_db, -40, -30) * ramp(max(rest.edge_shares), 0.6, 0.3)
    return cause(
        "modulation",
        strength,
        "the level moves where the reference's does not",
        [
            (
                f"one gain leaves {decibels(rest.level_db)} of the sound over, a gain for each frame takes "
                f"{rest.frame_gain_db:.1f} dB off that, a filter {rest.filter_gain_db:.1f} dB"
            ),
            (
                f"frame energies vary by {e.after('frame_energy_spread_db'):.1f} dB, "
                f"{e.before('frame_energy_spread_db'):.1f} in the reference"
            ),
        ],
        "look for a compressor, an automatic gain, a fade, a tremolo, or chunks that are normalised one by one",
    )


def sample_rate(e: Evidence) -> Cause | None:
    """Played at another rate: length and pitch change by one factor, and undone both fit.

    A clock that is off by less is followed block by block.
    A factor in length alone proves nothing (padding to whole frames gave 1.08842, 24000/22050 is 1.08844): the
    spectrogram has to fit better shifted by just that factor.
    Misleads: a sound without structure in frequency (noise) has no pitch to agree.
    """
    if (found := runs_off(e.clock)) is not None:
        return found
    match, ratio = e.match, e.match.length_ratio
    expected = -1200 * float(np.log2(ratio))
    if e.exact > 0.5 or abs(expected) < 20:
        return None
    shift = match.shifted_stretched
    better = shift.r - max(match.same_stretched, match.same)
    strength = (
        ramp(abs(expected), 20, 35)
        * ramp(abs(shift.cents - expected), 30, 12)
        * ramp(shift.r, 0.5, 0.75)
        * ramp(better, 0.0, 0.03)
    )
    label = e.pair.files[1].rate
    true = next((rate for rate in MISTAKEN_RATES if abs(label * ratio / rate - 1) < RATIO_FIT), None)
    pair = (label, true) if true else _nearest_ratio(1 / ratio, MISTAKEN_RATES)
    named = f" ({pair[1]} Hz labelled {pair[0]} Hz)" if pair else ""
    return cause(
        "sample-rate",
        strength,
        f"played {1 / ratio:.4g} times as fast{named}",
        [
            f"length {ratio:.4f} times the reference's, which asks for {expected:+.0f} cents",
            f"the spectrogram is shifted by {shift.cents:+.0f} cents",
            f"read at the right rate it fits with r = {shift.r:.2f}, as it is {match.same:.2f}",
        ],
        (
            f"write the file with rate {round(e.pair.files[1].rate * ratio)}, or resample to "
            f"{e.pair.files[1].rate} Hz before writing"
        ),
    )


def time_stretch(e: Evidence) -> Cause | None:
    """Slower or faster at the same pitch: frames laid at another hop than they were taken at.

    Misleads: a performance at another tempo is the same to this; a sound that never changes fits at any speed.
    """
    match, ratio = e.match, e.match.length_ratio
    # What a sound that repeats itself leaves over says nothing where it was laid period by period.
    exact = e.exact > 0.5 and not is_crowded(e.pair)
    if exact or abs(ratio - 1) < 0.012:
        return None
    kept = ramp(match.shifted_stretched.r - match.same_stretched, 0.04, 0.015)
    strength = ramp(abs(ratio - 1), 0.012, 0.02) * ramp(match.same_stretched, 0.6, 0.8) * kept
    if e.method == "warped":  # there they lie on each other already
        strength *= ramp(_unevenness(e, ratio), *UNEVEN)
    else:
        strength *= ramp(match.same_stretched - match.same, 0.0, 0.025)
    pair = _nearest_ratio(ratio, MISTAKEN_HOPS)
    named = f"; hop {pair[1]} read as {pair[0]} would do that" if pair else ""
    return cause(
        "time-stretch",
        strength,
        f"{percent(abs(ratio - 1))} {'longer' if ratio > 1 else 'shorter'} at the same pitch{named}",
        [
            f"length {ratio:.4f} times the reference's",
            (
                f"stretched to one length the spectrograms fit with r = {match.same_stretched:.2f}, as "
                f"they are {match.same:.2f}"
            ),
            f"pitch shift {round(match.shifted_stretched.cents)} cents, so the rate is right",
        ],
        "use one hop (and rate) for the mel and for the vocoder"
        + (f": {pair[1]} samples, not {pair[0]}" if pair else ""),
    )


def _unevenness(e: Evidence, ratio: float) -> float:
    """The timing's deviation from one tempo over the time that the tempo adds up to: who speaks again is uneven."""
    return (e.pair.timeline.deviation or 0.0) / max(abs(ratio - 1) * e.pair.reference.mono.size, 1.0)


def _nearest_ratio(ratio: float, values: tuple[int, ...]) -> tuple[int, int] | None:
    """The pair of known values whose quotient is the ratio to 0.6 %, the commonest first."""
    common = sorted(
        ((a, b) for a in values for b in values if a != b), key=lambda p: (256 not in p, abs(p[0] / p[1] / ratio - 1))
    )
    return next((p for p in common if abs(p[0] / p[1] / ratio - 1) < RATIO_FIT), None)


def time_structure_lost(e: Evidence) -> Cause | None:
    """The material is there, in another order or in none: parts exchanged, frames shuffled, reversed, or averaged away.

    Misleads: another performance of the same piece has the same long-term spectrum and another order.
    """
    if (found := exchanged_parts(e.pair)) is not None:
        return found
    if e.copied > 0.3:
        return None
    match, envelope = e.match, e.change("envelope_correlation", 1.0)
    turned = (match.reversed_r - match.same) / max(1 - match.same, 0.02)
    backwards = ramp(match.reversed_r, 0.6, 0.8) * ramp(turned, 0.15, 0.4)
    material = ramp(match.average, 0.5, 0.8)
    shuffled = material * ramp(envelope, 0.95, 0.85) * ramp(e.levels.restlessness, 1.0, 1.15)
    frozen = 0.7 * material * ramp(envelope, 0.6, 0.2) * ramp(e.levels.restlessness, 0.7, 0.4)
    shuffled *= ramp(match.same_stretched - match.same, 0.06, 0.02)  # another speed puts frames elsewhere as well
    strength = max(backwards, shuffled, frozen)
    how = {backwards: "runs backwards", shuffled: "has its frames in another order", frozen: "does not move"}[strength]
    return cause(
        "time-structure-lost",
        strength,
        f"the sound {how}",
        [
            f"envelopes correlate with r = {envelope:.2f}, 1 expected",
            f"long-term spectra agree with r = {match.average:.2f}: the material is there",
            f"played backwards the spectrograms fit with r = {match.reversed_r:.2f}, forwards {match.same:.2f}",
            f"it changes {e.levels.restlessness:.2f} times as much from frame to frame",
        ],
        (
            "check the axes of the mel ([bands, frames] or [frames, bands]), shuffling in the loader, "
            "and how chunks are joined"
        ),
    )
