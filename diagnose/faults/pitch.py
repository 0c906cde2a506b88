"""Faults of pitch and voice, at the right speed."""

from __future__ import annotations

from diagnose import injectors
from diagnose.faults.fault import Fault
from diagnose.injectors import Injector

PITCH = Fault(
    id="pitch",
    family="pitch",
    title="higher or lower at the same speed",
    what=(
        "All frequencies are multiplied by one factor and the timing is kept. It comes from a pitch shift, or from an "
        "f0 that was scaled (Hz taken for MIDI or for log f0, another reference pitch)."
    ),
    told_by=(
        "Shifted along log frequency, the spectrograms fit, and the length is the reference's. It is recognised, not "
        "proven on samples."
    ),
    confused_with={
        "sample-rate": "there the length changes by the same factor",
        "mel-range": "a mel read in another range shifts low partials alike, and high ones less",
        "octave-error": "there only the f0 is doubled or halved, and the formants stay",
        "formant-shift": "there the f0 stays",
    },
    fix="look for a pitch shift, or an f0 in another unit (Hz, MIDI, log f0)",
    metric="f0_deviation_cents",
    injectors=(
        Injector(
            "pitch_up", "pitch", "higher at the same speed", injectors.time.shift_pitch, "cents", 30.0, 400.0, True
        ),
        Injector(
            "pitch_down", "pitch", "lower at the same speed", injectors.time.shift_pitch, "cents", -30.0, -400.0, True
        ),
    ),
)

OCTAVE_ERROR = Fault(
    id="octave-error",
    family="pitch",
    title="the pitch jumps by an octave",
    what=(
        "The f0 that a synthesis was given is twice or half the true one, for some frames or for all. Pitch trackers "
        "make this error where the fundamental is weak."
    ),
    told_by=(
        "The pitch of both is tracked frame by frame. An octave has to be held, and the harmonics have to have moved: "
        "a tracker that slips moves none."
    ),
    confused_with={
        "pitch": "a pitch shift moves the formants too, and is rarely just an octave",
        "sample-rate": "a rate that is off by 2 changes the length as well",
    },
    fix="limit the tracker to the voice's range (fmin, fmax), and smooth its octave jumps before the synthesis",
    metric="f0_deviation_cents",
)

PITCH_FLATTENED = Fault(
    id="pitch-flattened",
    family="pitch",
    title="the melody is gone: one pitch for all",
    what=(
        "The f0 no longer moves, or moves less than the reference's. It comes from a mean f0 given for every frame, a "
        "predictor that regressed to the mean, or an f0 that was normalised and not turned back."
    ),
    told_by="The melody of the one moves less than that of the other, about the same median, frame on frame.",
    confused_with={
        "pitch": "there the melody is kept and shifted as a whole",
        "over-smoothed": "there the spectrum's detail is lost as well",
        "hum": "one steady pitch may lie near a multiple of the mains",
    },
    fix="turn the normalisation of f0 back (f0 * std + mean), and look at the spread of the predicted f0",
    metric="f0_deviation_cents",
)

VOICING_LOST = Fault(
    id="voicing-lost",
    family="pitch",
    title="voiced sound became whispered or buzzing",
    what=(
        "The envelope is right and the excitation is not: noise stands where the voice had a pitch, or a buzz where "
        "it had none. It comes from a wrong voiced flag, or an f0 of 0 for every frame."
    ),
    told_by=(
        "Most of what had a pitch has none any more, and what had none kept its level. A buzz where there was no pitch "
        "is not recognised yet."
    ),
    confused_with={
        "phase-incoherent": "random phases make partials rough, and leave them as peaks",
        "noise": "added noise leaves the partials standing above it",
    },
    fix="check the voiced flag and the unit of f0 at the synthesis: 0 has to mean unvoiced, and nothing else",
    metric="voiced_share",
)

FORMANT_SHIFT = Fault(
    id="formant-shift",
    family="pitch",
    title="the voice's size changed, at the same pitch",
    what=(
        "The spectral envelope is stretched along frequency and the f0 is kept, so that a voice sounds like a smaller "
        "or larger person. It comes from a vocal tract length in the model, or from a pitch shift corrected wrongly."
    ),
    told_by="The tool does not recognise it yet. The bands and spectral_convergence show that the spectrum differs.",
    confused_with={
        "pitch": "there f0 and envelope move together",
        "mel-range": "there partials move too, by an amount that depends on frequency",
        "tilt": "a tilt is a straight line over log frequency and moves no peak",
    },
    fix="use one speaker embedding and one frequency warp in analysis and synthesis",
    metric="spectral_convergence",
)

FAULTS = (PITCH, OCTAVE_ERROR, PITCH_FLATTENED, VOICING_LOST, FORMANT_SHIFT)
