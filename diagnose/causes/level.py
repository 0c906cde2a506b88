"""Causes of amplitude: gain, bias, clipping, polarity, word length, channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.causes.evidence import Evidence, ramp
from diagnose.causes.words import decibels, percent, times
from diagnose.results.cause import Cause, cause

if TYPE_CHECKING:
    from diagnose.audio import Samples

LOUDNESS_ALONE = 0.25
LATTICE_SAMPLES = 1 << 15
SURE = 0.99
FEW_VALUES = 256
LATTICE_FIT = 0.02  # of a step


def gain(e: Evidence) -> Cause | None:
    """One factor for all samples: b = g a, with little left over.  A mere difference in RMS is a weak form of it.

    Misleads: a limiter or an automatic gain that hardly moved reads as a gain.  Where the phases are not the
    reference's, the factor is that of the powers, and what was added counts as gain.
    """
    level = 20 * np.log10(e.pair.gain)
    if e.residual is not None:
        strength = ramp(abs(level), 0.6, 1.2) * ramp(-e.residual.level_db, 12, 22)
        strength *= ramp(e.transfer.flatness_db, 2.5, 1.0)
        rest = f"with that gain removed the waveforms differ by {decibels(e.residual.level_db)} of the sound"
    else:
        strength = (0.6 + 0.3 * ramp(abs(level), 3, 8)) * ramp(abs(level), 1.0, 2.5)
        strength *= ramp(e.transfer.flatness_db, 4.0, 2.5)
        if strength:
            right = ramp(e.levels.slope, 0.8, 0.95) * ramp(e.levels.slope, 1.2, 1.05)
            strength *= right * ramp(e.match.same, 0.75, 0.9)
        rest = "the spectrograms agree otherwise"
    if strength < LOUDNESS_ALONE:
        return _loudness(e)
    way = "loud" if level > 0 else "quiet"
    return cause(
        "gain",
        strength,
        f"{times(10 ** (abs(level) / 20))} too {way} ({level:+.1f} dB), and otherwise the same sound",
        [
            f"gain {level:+.1f} dB by least squares, 0 dB expected",
            rest,
            f"all bands alike to {decibels(e.transfer.flatness_db)}",
        ],
        f"multiply the output by {10 ** (-level / 20):.3g}; look for a normalisation on one side only",
    )


def _loudness(e: Evidence) -> Cause | None:
    """Another RMS without one factor behind it: mostly what something else has done."""
    ratio = max(e.change("rms_ratio", 1.0), 1e-6)
    level = 20 * float(np.log10(ratio))
    return cause(
        "gain",
        LOUDNESS_ALONE * ramp(abs(level), 1.0, 3.0),
        f"{times(max(ratio, 1 / ratio))} too {'loud' if level > 0 else 'quiet'}",
        [f"RMS {e.after('rms_ratio'):.3g} with DC, {e.before('rms_ratio'):.3g} in the reference ({level:+.1f} dB)"],
        f"find what else differs first; a plain factor of {1 / ratio:.3g} would leave the rest as it is",
    )


def dc_offset(e: Evidence) -> Cause | None:
    """A constant in every sample: mean(x)**2 of the power.

    Misleads: a sound under 50 ms, or one with energy below 10 Hz, has a mean of its own.
    """
    share, mean = e.after("dc_share"), e.pair.generated.moments.mean
    return cause(
        "dc-offset",
        ramp(e.change("dc_share"), 0.003, 0.01),
        f"a constant of {mean:+.3f} is added to every sample: {percent(share)} of the power is DC",
        [
            f"dc_share {percent(share)}, the reference has {percent(e.before('dc_share'))}",
            f"mean {mean:+.4f} of full scale",
        ],
        f"x = x - x.mean(), or a high-pass at 20 Hz, and find what adds {mean:+.3f} (a bias in the last layer?)",
    )


def clipping(e: Evidence) -> Cause | None:
    """The loud is squeezed: flat tops, or a curve of b over a that bends down at both ends.

    Misleads: a compressor with a fast attack is such a curve too.  In a sound whose phases were made up only
    flat tops can be seen.
    """
    flat = e.change("clipped_share")
    evidence = [
        (
            f"{percent(e.after('clipped_share'))} of the samples lie on a flat top, "
            f"{percent(e.before('clipped_share'))} before"
        )
    ]
    strength = ramp(flat, 0.0003, 0.002)
    if e.residual is not None:
        bend = e.residual.compression
        bent = ramp(e.residual.curve_share, 0.45, 0.7) * ramp(bend, 0.95, 0.85) * ramp(e.residual.level_db, -48, -38)
        bent *= ramp(e.residual.filter_gain_db, 9, 5)
        strength = max(strength * ramp(bend, 1.1, 0.98), bent)
        evidence += [
            f"one curve, output over input, explains {percent(e.residual.curve_share)} of the difference",
            f"its slope at the loud ends is {bend:.2f} of that in the middle, 1 expected",
        ]
    return cause(
        "clipping",
        strength,
        "the loud samples are cut off or squeezed",
        [*evidence, f"crest {e.before('crest_db'):.1f} dB before, {e.after('crest_db'):.1f} dB after"],
        "lower the level before the stage that clips (peak under 1.0), or write float or 24 bit",
    )


def polarity(e: Evidence) -> Cause | None:
    """b = -g a.

    Misleads: two different takes of one note can correlate by chance, at |r| under 0.5.
    """
    r = e.pair.timeline.correlation
    turned = ramp(abs(r), 0.3, 0.5) * e.copied if e.pair.timeline.polarity == -1 else 0.0
    return cause(
        "polarity",
        turned * ramp(abs(e.change("f0_deviation_cents")), 100, 40),  # the octave of a note shares its partials
        "the waveform is upside down",
        [f"the waveforms correlate with r = {r:.2f}, +1 expected"],
        "x = -x; no magnitude shows this, but mixed with the original it cancels",
    )


def quantisation(e: Evidence) -> Cause | None:
    """Every sample is a multiple of one step, and the reference's are multiples of a finer one or of none.

    Misleads: a sound that was quantised and resampled or scaled by a filter since is on no lattice; then it reads
    as noise.  A sound so quiet that it uses few steps of 16 bits passes from 13 bits on.
    """
    if not e.copied:  # of another sound, or of the dither that is left of one, it would say nothing
        return None
    step = lattice_step(e.pair.files[1].audio.samples)
    if step is None:
        return _few_values(e)
    before = lattice_step(e.pair.files[0].audio.samples)
    if before is not None and before > 0.4 * step:
        return None
    bits = float(np.log2(2 / step))
    return cause(
        "quantisation",
        ramp(bits, 13.0, 11.5),
        f"every sample is a multiple of {step:.3g}: {bits:.0f} bits",
        [f"step {step:.4g} of full scale ({bits:.1f} bits), 16 bits have 3.05e-05"],
        "write 16 bit or float, and dither when the word length is cut; look for an int8 or a mu-law on the way",
    )


def _few_values(e: Evidence) -> Cause | None:
    """A lattice whose steps are not of one size: mu-law, A-law."""
    after = distinct_values(e.pair.files[1].audio.samples)
    if not 1 < after <= FEW_VALUES:  # of one value is a hole, not a lattice
        return None
    before = distinct_values(e.pair.files[0].audio.samples)
    if before <= 3 * after:
        return None
    return cause(
        "quantisation",
        1.0,
        f"the samples take only {after} values",
        [f"{after} distinct values in 32,768 samples, {before} in the reference"],
        "look for a mu-law or A-law of 8 bits on the way; write 16 bit or float",
    )


def distinct_values(samples: Samples) -> int:
    """How many different values 32,768 samples from the middle of the loudest channel take."""
    values = _middle(samples)
    return int((np.diff(values) > 0).sum()) + 1


def _middle(samples: Samples) -> Samples:
    """Up to 32,768 samples from the middle of the loudest channel, in order of size."""
    start = max((samples.shape[1] - LATTICE_SAMPLES) // 2, 0)
    parts = samples[:, start : start + LATTICE_SAMPLES]
    return np.sort(parts[int(np.argmax(np.square(parts).sum(axis=1)))])


def lattice_step(samples: Samples) -> float | None:
    """The step of which all of 32,768 samples are multiples to 2 %; None where there is none."""
    jumps = np.diff(_middle(samples).astype(np.float64))
    jumps = jumps[jumps > 1e-7]
    if jumps.size < 4:
        return None
    step = float(jumps.min())
    off = jumps / step
    return step if float((np.abs(off - np.rint(off)) < LATTICE_FIT).mean()) > 0.99 else None


def silence(e: Evidence) -> Cause:
    """Nothing sounds in the generated sound, or next to nothing.

    Nothing else can be told of such a pair.
    """
    return Cause(
        "dropout",
        SURE,
        "nothing is left: the generated sound is silent, or next to it",
        (f"RMS {e.before('rms_ratio'):.3g} in the reference, {e.after('rms_ratio'):.3g} in the generated sound",),
        "look for a gain of 0, an empty buffer, NaN replaced by 0, a mel at its floor, or the wrong channel",
    )


def mono_stereo(e: Evidence) -> Cause | None:
    """Two channels became one, or several another number.

    Misleads: a mono vocoder behind a stereo reference is meant to be so; then this is a note, not a fault.
    """
    counts = [signal.audio.channels for signal in e.pair.files]
    if min(counts) > 1 and counts[0] != counts[1]:
        return cause(
            "mono-stereo",
            1.0,
            f"{counts[0]} channels became {counts[1]}",
            ["of so many and so many, only the means can be compared"],
            "write as many channels as the reference has, or compare with a mix of it that has as many",
        )
    sides = e.before("side_share"), e.after("side_share")
    shown = f"side share {percent(sides[0])} before, {percent(sides[1])} after"
    fix = "pass both channels on, or compare with the mono mix of the reference"
    if counts[0] == 2 and counts[1] <= 2 and sides[0] > 1e-4 and sides[1] < 0.01 * sides[0]:
        return cause(
            "mono-stereo",
            0.7 if e.copied else 0.4,
            "the two channels became one",
            [shown, f"{counts[0]} channels before, {counts[1]} after"],
            fix,
        )
    return None
