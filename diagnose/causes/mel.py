"""Causes at the mel interface: the values, their scale, their level or their range are not what the vocoder reads."""

from __future__ import annotations

import math

from diagnose.causes.evidence import Evidence, ramp
from diagnose.causes.match import made_for_hz
from diagnose.causes.reading import roughness
from diagnose.causes.spectrum import better_by, warps_better
from diagnose.causes.words import percent
from diagnose.results.cause import Cause, cause

NATS_DB = 20 / math.log(10)
NO_COMB, WHITE, AS_NOISE = (
    0.1,
    2.5,
    0.8,
)  # change of comb_share; times the reference's roughness, of hiss; what it leaves of the strength
LOG10, LOG2 = 0.4343, 1.4427  # log10(x) = 0.4343 ln(x), log2(x) = 1.4427 ln(x)
Finding = tuple[float, str, list[str], str]  # strength, summary, evidence, and how the fix begins
READS = (
    "give the vocoder what it reads: BigVGAN, HiFi-GAN: ln(clamp(mel_basis @ |STFT|, 1e-5)), natural log of the "
    "magnitude, slaney filters with norm, frames not centred (reflect padding of (n_fft - hop) / 2), fmax 8000 in "
    "bigvgan_base_22khz_80band"
)


def vocoder_input_scale(e: Evidence) -> Cause | None:
    """A vocoder that reads ln(magnitude) was given values on another scale.

    Linear values and ones from 0 to 1 span next to nothing for it: a spectrum that is loud and hardly changes, in
    time or frequency.  It answers with one waveform a frame, a hum on the multiples of the frame rate, or with hiss,
    and with whatever bias it has.  Decibels span 8.7 times too much: only the loudest survives.  log10 spans 0.434 of
    it.  Each is a curve of the generated log-mel over the reference's.
    Misleads: noise far louder than the sound flattens a mel too, but keeps its loudest cells.
    """
    if e.copied > 0.3 or e.brief:
        return None
    best = max((_flattened(e), _decibels(e), _log10(e), _log2(e)), key=lambda found: found[0])
    strength, summary, evidence, first = best
    return cause("vocoder-input-scale", strength, summary, evidence, first + READS)


def _flattened(e: Evidence) -> Finding:
    levels = e.levels
    before, after = levels.spreads
    squeezed = ramp(after / max(before, 0.1), 0.62, 0.48) * ramp(levels.slope, 0.42, 0.36) * ramp(before, 2.0, 3.0)
    comb_change = e.change("comb_share")
    # A comb of a high rate is resolved, and its teeth keep the spread up.
    squeezed = max(squeezed, ramp(comb_change, 0.4, 0.7) * ramp(levels.slope, 0.42, 0.36))
    raised = ramp(levels.medians[1] - levels.medians[0], 0.5, 1.4)
    # It hums, or what little is left still follows the reference; noise and another sound do neither.
    # Values from 0 up, read as nats, are magnitudes from 1 up: next to no spread, at that level.
    level = ramp(levels.loudest[1] - levels.medians[1], 5.0, 3.5) * ramp(after, 5.0, 4.0)
    at_one = ramp(after, 2.0, 1.4) * ramp(abs(levels.medians[1]), 1.2, 0.8)
    constant = max(ramp(comb_change, 0.1, 0.25), level * max(ramp(levels.r, 0.1, 0.2), at_one))
    comb, dc = e.after("comb_share"), e.after("dc_share")
    evidence = [
        f"log-mel spread {after:.1f} nats, the reference has {before:.1f}: the spectrum hardly changes",
        f"of each nat in the reference {levels.slope:.2f} are left (1 for the right scale)",
        (
            f"the median of the log-mel rose from {levels.medians[0]:.1f} to {levels.medians[1]:.1f} "
            "nats: quiet cells became loud"
        ),
    ]
    if comb_change > 0.1:
        detail = e.rows["comb_share"].detail
        evidence.append(
            f"{percent(comb)} of the energy lies on multiples of {float(detail['spacing_hz']):.2f} Hz, the frame rate "
            f"at hop {detail['hop_samples']} ({percent(e.before('comb_share'))} in the reference): "
            "the same waveform in every frame"
        )
    if e.change("dc_share") > 0.01:
        evidence.append(f"{percent(dc)} of the power is DC: the network's own bias")
    evidence.append(
        f"time structure lost: envelope r = {e.change('envelope_correlation'):.2f}, frame energies vary by "
        f"{e.after('frame_energy_spread_db'):.1f} dB ({e.before('frame_energy_spread_db'):.1f} in the reference)"
    )
    if comb_change < NO_COMB and roughness(e.pair.generated.mono) > WHITE * roughness(e.pair.reference.mono):
        constant *= AS_NOISE  # hiss without a frame rate in it may be anything that was misread
    summary = "the vocoder got nearly constant values: linear ones (or 0 to 1) where it reads natural logarithms"
    return squeezed * raised * constant, summary, evidence, ""


def _decibels(e: Evidence) -> Finding:
    levels = e.levels
    strength = ramp(levels.floor_share, 0.42, 0.55) * ramp(levels.survivors, 0.85, 0.7) * ramp(levels.r, 0.0, 0.1)
    evidence = [
        f"{percent(levels.floor_share)} of the reference's cells are down at the floor of 1e-5",
        f"of the cells 17 to 35 dB under the loudest {percent(levels.survivors)} are left, all for the right scale",
        f"the loudest cell is at {levels.loudest[1]:+.2f} nats (0 is what 0 dB becomes)",
    ]
    summary = "the vocoder got decibels where it reads natural logarithms: one dB became a nat, 8.7 dB"
    return strength, summary, evidence, "undo the decibels, x * ln(10) / 20 for dB of the magnitude; "


def _log10(e: Evidence) -> Finding:
    levels = e.levels
    strength = (
        ramp(abs(levels.slope - LOG10), 0.045, 0.025) * ramp(levels.r, 0.85, 0.93) * ramp(levels.scatter, 0.7, 0.4)
    )
    evidence = [
        f"of each nat in the reference {levels.slope:.3f} are left; log10 for ln leaves 0.434, right is 1",
        f"the curve fits closely (r = {levels.r:.2f}, scatter {levels.scatter:.2f} nats)",
    ]
    summary = "the vocoder got logarithms to base 10 where it reads natural ones"
    return strength, summary, evidence, "multiply by ln(10) = 2.3026, or use np.log for np.log10; "


def _log2(e: Evidence) -> Finding:
    levels = e.levels
    both = ramp(abs(levels.slope - LOG2), 0.12, 0.07) * ramp(abs(levels.top_slope - LOG2), 0.12, 0.07)
    strength = both * ramp(levels.r, 0.8, 0.9) * ramp(levels.survivors, 0.6, 0.8)
    evidence = [f"each nat in the reference became {levels.slope:.2f}; log2 for ln makes 1.443 of it, right is 1"]
    summary = "the vocoder got logarithms to base 2 where it reads natural ones"
    return strength, summary, evidence, "multiply by ln(2) = 0.6931, or use np.log for np.log2; "


def power_magnitude(e: Evidence) -> Cause | None:
    """A power read as a magnitude or the reverse: the log-mel's slope is 2 or 1/2.

    Misleads: an expander or a compressor of 1:2 does the same; log10 for ln (slope 0.434) is near to 1/2.
    """
    if e.copied > 0.3 or e.brief:
        return None
    levels = e.levels
    half = ramp(abs(levels.slope - 0.5), 0.055, 0.033) * ramp(levels.r, 0.85, 0.93) * ramp(levels.scatter, 0.7, 0.4)
    # Steep among the loudest; or over the whole, where the loudest ran into the vocoder's own limit.
    steep = ramp(levels.top_slope, 1.35, 1.6) * ramp(levels.top_slope, 3.2, 2.6) * ramp(levels.r, 0.7, 0.8)
    at_limit = max(ramp(levels.loudest[1], 1.6, 2.1), ramp(e.change("clipped_share"), 0.0003, 0.002))
    steep = max(steep, ramp(levels.slope, 1.06, 1.15) * ramp(levels.r, 0.62, 0.72) * at_limit)
    double = steep * ramp(levels.slope, 0.7, 0.85) * ramp(levels.survivors, 0.6, 0.8)
    double = double * ramp(e.match.same, 0.5, 0.7) if double else 0.0
    strength, slope = (half, levels.slope) if half >= double else (double, max(levels.slope, levels.top_slope))
    mistake = "10**(dB/20) where 10**(dB/10) is right" if half >= double else "10**(dB/10) where 10**(dB/20) is right"
    return cause(
        "power-magnitude",
        strength,
        f"the dynamic range is {'halved' if half >= double else 'doubled'}: {mistake}",
        [
            f"log-mel slope {slope:.2f} over the reference's, 1 expected",
            f"the curve fits with r = {levels.r:.2f}",
            f"log-mel spread {levels.spreads[1]:.1f} nats, {levels.spreads[0]:.1f} in the reference",
        ],
        (
            "power: 10 log10(p), back with 10**(dB/10); magnitude: 20 log10(m), back with 10**(dB/20); "
            "take a root or a square once"
        ),
    )


def level_reference_lost(e: Evidence) -> Cause | None:
    """dB under the maximum (ref=np.max), turned back without it: the loudest mel cell comes out as exactly 1.

    Rests on three findings: the level is wrong, the scale is right (slope 1), and the loudest cell is at 0 nats.
    Misleads: a vocoder output normalised by chance to that level.
    """
    if e.copied > 0.3 or e.brief:
        return None
    levels = e.levels
    level = 20 * math.log10(e.pair.gain)
    strength = ramp(abs(level), 0.8, 1.6) * (ramp(levels.loudest[1], 0.1, 0.05) * ramp(levels.loudest[1], -0.35, -0.22))
    # Where only the reference of the dB is lost, the level tells which it was: that of the loudest cell.
    strength *= ramp(abs(level + NATS_DB * levels.loudest[0]), 4.0, 2.5) * ramp(levels.scatter, 0.52, 0.46)
    strength *= ramp(levels.slope, 0.75, 0.88) * ramp(levels.slope, 1.2, 1.08) * ramp(levels.r, 0.85, 0.93)
    return cause(
        "level-reference-lost",
        strength,
        f"the absolute level is lost ({level:+.1f} dB): the loudest mel cell is 1, as ref=np.max leaves it",
        [
            f"level {level:+.1f} dB against the reference",
            (
                f"the loudest mel cell is at {levels.loudest[1]:+.2f} nats (0 is a magnitude of 1), "
                f"{levels.loudest[0]:+.2f} in the reference"
            ),
            f"the scale is right: slope {levels.slope:.2f}, r = {levels.r:.2f}",
        ],
        "use power_to_db(S, ref=1.0), or keep ref = S.max() and multiply by it when going back",
    )


def mel_range(e: Evidence) -> Cause | None:
    """A mel was read in another range or by another formula than it was made in: every band sits elsewhere.

    Misleads: a sound with nothing above 1 kHz is shifted by one factor, as a wrong pitch would do it.
    """
    if e.copied > 0.5 or e.brief or not e.same_length or e.match.same > 0.97:
        return None
    if better_by(e.match, e.match.shifted.r) <= 0:
        return None
    warp = e.match.warped
    # Where a plain shift in pitch fits as well, the range stays a possibility.
    better = max(warps_better(e.match), 0.4 * ramp(warp.r - e.match.shifted.r, -0.04, 0.0))
    strength = (
        ramp(warp.r, 0.55, 0.75) * better * better_by(e.match, warp.r) * ramp(e.transfer.line.explains, 0.97, 0.9)
    )
    if warp.name == "fmax":
        made = made_for_hz(warp.scale)
        summary = (
            f"a mel up to {made:.0f} Hz was read as one up to 8000 Hz: low bands sit {warp.scale:.2f} times as high"
        )
        fix = "make the mel with the vocoder's fmax (8000 for bigvgan_base_22khz_80band; librosa's default is rate / 2)"
    else:
        summary = f"a mel by one formula was read by another ({warp.name})"
        fix = (
            "use one formula on both sides: librosa htk=False with norm='slaney' for BigVGAN and HiFi-GAN; "
            "torchaudio's default is htk"
        )
    return cause(
        "mel-range",
        strength,
        summary,
        [
            f"read so, the spectrograms fit with r = {warp.r:.2f}; as they are {e.match.same:.2f}",
            f"a plain shift in pitch ({e.match.shifted.cents:+.0f} cents) reaches {e.match.shifted.r:.2f}",
        ],
        fix,
    )
