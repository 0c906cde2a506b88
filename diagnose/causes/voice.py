"""Causes in a voice: its pitch off by octaves, flattened or late, or lost."""

from __future__ import annotations

from diagnose.causes.evidence import Evidence, ramp
from diagnose.causes.words import percent
from diagnose.results.cause import Cause, cause

STEADY_VOICE = 0.7  # median periodicity of the reference's voiced frames: with less, several sound at once
FEW_LOST = 0.35  # of the voiced frames: where more is lost, a pitch that is left says little
MOVED_DB = (3.0, 8.0)  # of even harmonics over odd ones: a tracker that slips moves neither
SHIFTED_CENTS = (280.0, 200.0)  # of the median: where all moved alike, the melody has another key
LATE = 0.3  # of its strength, where the pitch fits better some frames later
MELODY_CENTS = (40.0, 80.0)  # that a melody has to move, before it can be flattened
UNKNOWN = 0.5  # of its strength, where nothing was without a pitch
KEPT_DB = (6.0, 3.0)  # of what has no pitch: noise, or another scale, changes that too


def octave_error(e: Evidence) -> Cause | None:
    """The pitch is twice or half the reference's, in some frames or in all, and harmonics moved as that asks.

    Misleads: a tracker slips by an octave where a fundamental is weak, but then no harmonic has moved; a pitch shift by
    an octave moves the formants too.
    """
    if not _is_asked(e):
        return None
    voices = e.pair.voices
    share, moved = voices.octave_share, voices.harmonics_moved_db
    up, down = int(voices.octave_up.sum()), int(voices.octave_down.sum())
    strength = (
        ramp(share, 0.04, 0.1)
        * ramp(moved, *MOVED_DB)
        * ramp(share + voices.same_share, 0.6, 0.8)
        * ramp(voices.lost_share, 2 * FEW_LOST, FEW_LOST)
    )
    way = "up" if up >= down else "down"
    return cause(
        "octave-error",
        strength,
        f"the pitch is an octave {way} in {percent(share)} of the voiced frames",
        [
            f"{up} frames an octave up and {down} an octave down, each held for two frames and more",
            f"harmonics moved with it: even ones by {moved:.0f} dB against odd ones",
            f"in {percent(voices.same_share)} the pitch is the reference's",
        ],
        "limit the pitch tracker to the voice's range (fmin, fmax), and mend its octave jumps before the synthesis",
    )


def pitch_flattened(e: Evidence) -> Cause | None:
    """The melody moves less than the reference's, about the same mean.

    Misleads: a reference whose own pitch was tracked wrongly seems to move.
    """
    if not _is_asked(e):
        return None
    voices = e.pair.voices
    ours, theirs = voices.spreads_cents
    left = theirs / max(ours, 1.0)
    strength = (
        ramp(ours, *MELODY_CENTS)
        * ramp(left, 0.75, 0.55)
        * ramp(voices.same_share, 0.85, 0.65)
        * ramp(voices.lost_share, 2 * FEW_LOST, FEW_LOST)
        * ramp(voices.octave_share, 0.2, 0.1)
        * ramp(abs(voices.shift_cents), *SHIFTED_CENTS)
        * (LATE if voices.is_late else 1.0)
    )
    return cause(
        "pitch-flattened",
        strength,
        f"the melody moves by {theirs:.0f} cents where the reference's moves by {ours:.0f}",
        [
            f"{percent(left)} of the movement is left, about its median",
            f"in {percent(voices.same_share)} of the voiced frames the pitch is the reference's",
        ],
        "turn the normalisation of f0 back (f0 * std + mean), and look at the spread of the predicted f0",
    )


def voicing_lost(e: Evidence) -> Cause | None:
    """What had a pitch has none, and what had none is as it was: whispered.

    Misleads: noise and a wrong scale bury a pitch as well, but change what had none too.
    """
    if not _is_asked(e):
        return None
    voices = e.pair.voices
    kept = voices.unvoiced_db
    strength = (
        ramp(voices.lost_share, 0.3, 0.5)
        * (UNKNOWN if kept is None else ramp(kept, *KEPT_DB))
        * ramp(e.change("envelope_correlation", 1.0), 0.3, 0.5)
    )
    return cause(
        "voicing-lost",
        strength,
        f"{percent(voices.lost_share)} of what had a pitch has none any more: whispered",
        [
            "the reference has a pitch throughout"
            if kept is None
            else f"frames without a pitch kept their level to {kept:.1f} dB",
            f"{percent(voices.gained_share)} of the unvoiced frames have a pitch now",
        ],
        "check the voiced flag and the unit of f0 at the synthesis: 0 has to mean unvoiced, and nothing else",
    )


def _is_asked(e: Evidence) -> bool:
    """Whether both are one voice, laid on each other; of a copy of samples, nothing of a voice can have changed."""
    if e.brief or e.exact > 0.5 or e.pair.unrelated:
        return False
    voices = e.pair.voices
    if not voices.has_voice:
        return False
    reference = e.pair.reference.pitch
    periodic = reference.periodicity[reference.voiced]
    return bool(periodic.size) and float(sorted(periodic.tolist())[periodic.size // 2]) > STEADY_VOICE
