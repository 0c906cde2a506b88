"""Causes in the spectrum: bands lost or tilted, holes, phases, pitch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.causes.evidence import Evidence, ramp
from diagnose.causes.words import decibels, hertz, percent
from diagnose.results.cause import Cause, cause

BENT = "what differs follows the sound everywhere: its phases were bent, or an echo or a room was added"
VOCODER_TOP_HZ = (7300.0, 8700.0)  # where the mels of base vocoders end

if TYPE_CHECKING:
    from diagnose.causes.match import Match


def high_frequency_loss(e: Evidence) -> Cause | None:
    """The levels of the bands step down once, from a level that holds below to next to nothing above.

    Misleads: a reference with nothing up there has nothing to lose.  A vocoder whose mel ends at 8 kHz does this by
    design.
    """
    step = e.transfer.step
    if step is None:
        return None
    drop = step.kept_db - step.lost_db
    straight = e.transfer.line.explains
    above = e.transfer.db[-step.bands :]
    all_gone = ramp(float(above.max()) - step.kept_db, -3, -6)
    by_design = 0.4 if e.copied == 0 and VOCODER_TOP_HZ[0] < step.hz < VOCODER_TOP_HZ[1] else 1.0
    return cause(
        "high-frequency-loss",
        ramp(drop, 5, 12)
        * ramp(step.uneven_db, 3.5, 2.0)
        * (1 if drop > 30 else ramp(straight, 0.97, 0.9))
        * all_gone
        * by_design,
        f"everything above {hertz(step.hz)} is gone",
        [
            f"above {hertz(step.hz)} the level is {decibels(drop)} lower than below, in {step.bands} bands",
            f"cut-off {hertz(e.before('cutoff_hz'))} before, {hertz(e.after('cutoff_hz'))} after",
        ],
        "raise fmax or the rate of the stage that cuts (8 kHz: a base vocoder's mel; 11.025 kHz: a rate of 22,050 Hz)",
    )


def tilt(e: Evidence) -> Cause | None:
    """The levels of the bands lie on a straight line over log frequency.

    Misleads: two shelves, or a microphone's rise, are nearly such a line.
    """
    line = e.transfer.line
    strength = ramp(abs(line.db_per_octave), 0.4, 0.8) * ramp(line.explains, 0.8, 0.93) * ramp(line.octaves, 1, 2)
    way = "brighter" if line.db_per_octave > 0 else "duller"
    return cause(
        "tilt",
        strength,
        f"{way} by {abs(line.db_per_octave):.1f} dB an octave",
        [
            (
                f"a straight line of {line.db_per_octave:+.1f} dB an octave explains "
                f"{percent(line.explains)} of the bands' changes"
            ),
            f"over {line.octaves:.1f} octaves",
        ],
        "look for pre-emphasis without de-emphasis (or twice), an equaliser, or a loss that weighs the bands unevenly",
    )


def band_gap(e: Evidence) -> Cause | None:
    """A band is gone between two that are kept.

    Misleads: a dip between two partials of a sparse sound.
    """
    gap = e.transfer.gap
    if gap is None:
        return None
    strength = ramp(gap.depth_db, 6, 12) * ramp(gap.uneven_db, 3.5, 2.0)
    return cause(
        "band-gap",
        strength,
        f"nothing between {hertz(gap.low_hz)} and {hertz(gap.high_hz)}",
        [f"{decibels(gap.depth_db)} under the bands around it, which are kept to {decibels(gap.uneven_db)}"],
        (
            "look for a notch, mel bands set to the floor, a band that a loss does not see, or a missing "
            "sub-band of a split"
        ),
    )


def spectral_holes(e: Evidence) -> Cause | None:
    """Cells of time and frequency are gone here and there, others are untouched: a starved codec, or masking.

    Misleads: drop-outs and low-passes make holes as well; what goes with whole frames or whole bands is not counted.
    """
    rest = e.residual
    if rest is None:
        return None
    whole = rest.silences[0] / max(rest.holes, 1e-6)
    strength = ramp(rest.holes, 0.0, 0.035) * ramp(whole, 0.6, 0.3) * ramp(rest.level_db, -60, -45)
    strength *= ramp(rest.fine_filter_gain_db, 10, 7)
    gap = e.transfer.gap
    if gap is not None:  # where every other band is kept to the last, the band was filtered out
        strength *= 1 - ramp(gap.uneven_db, 0.4, 0.15) * ramp(gap.depth_db, 6, 12)
    return cause(
        "spectral-holes",
        strength,
        f"{percent(rest.holes)} of the cells of time and frequency are gone, the others are kept",
        [
            f"{percent(rest.holes)} of the audible cells are 13 dB down or more",
            f"no whole stretch of time is gone ({percent(rest.silences[0])})",
            f"the difference lies {decibels(rest.level_db)} under the sound",
        ],
        "raise the codec's bit rate; look for a spectral gate, a mask, or values under a top_db set to nothing",
    )


def phase_incoherent(e: Evidence) -> Cause | None:
    """Magnitudes agree, phases do not: partials turn into bands of noise.

    Misleads: any vocoder makes up its phases; it is named where the harmonics suffer from it.  A room does the
    same to a dry sound.
    """
    rest = e.residual
    if rest is not None and e.copied > 0:
        strength = _bent_phases(e)
        evidence = [
            (
                f"the difference ({decibels(rest.level_db)}) follows the sound in every cell: slope "
                f"{rest.follows:.2f} dB per dB"
            )
        ]
    else:
        agree = ramp(e.match.same, 0.5, 0.75) * ramp(e.levels.slope, 0.55, 0.75) * ramp(e.levels.slope, 1.25, 1.1)
        harmed = max(
            ramp(-e.change("hnr_db"), 1.5, 4),
            ramp(e.change("spectral_convergence"), 0.15, 0.3),
            ramp(-e.change("voiced_share"), 0.05, 0.2),
        )
        strength = 0.8 * agree * harmed * (1 - better_by(e.match, e.match.shifted.r))
        strength *= ramp(e.change("envelope_correlation", 1.0), 0.6, 0.85)
        evidence = [f"the spectrograms agree (r = {e.match.same:.2f}), the waveforms do not"]
    return cause(
        "phase-incoherent",
        strength,
        BENT if rest is not None and e.copied > 0 else "the magnitudes are right, the phases are not",
        [
            *evidence,
            f"harmonic-to-noise ratio {e.before('hnr_db'):.1f} dB before, {e.after('hnr_db'):.1f} dB after",
            f"spectral convergence {e.change('spectral_convergence'):.2f}, 0 for the same magnitudes",
        ],
        "use the phases of the input, more iterations of Griffin-Lim (with momentum), or a neural vocoder",
    )


def _bent_phases(e: Evidence) -> float:
    """A copy whose difference is no filter, no curve, no holes and no lines, and follows the sound."""
    rest = e.residual
    assert rest is not None
    follows = ramp(rest.follows, 0.3, 0.55) * ramp(rest.level_db, -24, -14)
    other = (
        ramp(rest.holes, 0.08, 0.04)
        * ramp(rest.silences[0], 0.03, 0.01)
        * ramp(rest.filter_gain_db, 6, 3)
        * ramp(rest.curve_share, 0.6, 0.35)
        * ramp(rest.loudest_share, 0.6, 0.4)
        * ramp(max(rest.edge_shares), 0.6, 0.3)
    )
    return follows * other * ramp(rest.lined, 0.6, 0.3)


def pitch(e: Evidence) -> Cause | None:
    """The spectrogram fits better shifted along log frequency, at the same speed.

    Misleads: a mel read in another range shifts the partials below 1 kHz alike; a sound with nothing above cannot
    tell the two apart.  A shift of an octave may be one of the fit.
    """
    if e.copied > 0.5 or not e.same_length:
        return None
    shift, f0 = e.match.shifted, e.rows["f0_deviation_cents"].change
    strength = (
        ramp(abs(shift.cents), 15, 25)
        * ramp(abs(shift.cents), 1450, 1350)
        * ramp(shift.r, 0.5, 0.75)
        * better_by(e.match, shift.r)
    )
    agrees = f0 is None or abs(f0 - shift.cents) < 40 or e.before("voiced_share") < 0.2
    if warps_better(e.match) > 0:
        strength *= 1 - warps_better(e.match)
    shown = "not measured" if f0 is None else f"{f0:+.0f} cents"
    return cause(
        "pitch",
        strength * (1 if agrees else 0.7),
        f"{abs(shift.cents):.0f} cents too {'high' if shift.cents > 0 else 'low'} at the same speed",
        [
            (
                f"shifted by {shift.cents:+.0f} cents the spectrograms fit with r = {shift.r:.2f}, as "
                f"they are {e.match.same:.2f}"
            ),
            f"the fundamental moved by {shown}",
            "the length is the reference's, so the rate is right",
        ],
        (
            f"look for a pitch shift or an f0 scaled by {2 ** (shift.cents / 1200):.3f} (Hz against MIDI "
            "or log f0, another octave)"
        ),
    )


def better_by(match: Match, r: float) -> float:
    """0 to 1: how clearly a reading fits better than none, in what is left to gain."""
    return ramp((r - match.same) / max(1 - match.same, 0.02), 0.1, 0.3)


def warps_better(match: Match) -> float:
    """0 to 1: how clearly a mel's mistake explains more than a plain shift in pitch."""
    if match.same > 0.97 or match.shifted.r - match.same < 0.01:
        return 0.0
    gained = match.warped.r - match.shifted.r
    return ramp(gained / max(1 - match.shifted.r, 0.02), 0.05, 0.15) * ramp(gained, 0.004, 0.012)
