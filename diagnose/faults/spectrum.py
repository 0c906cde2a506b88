"""Faults of the spectrum: bands lost or tilted, holes, folding, phases, a room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose import injectors, log_mel, operations
from diagnose.faults.fault import Fault, hertz
from diagnose.injectors import Injector

if TYPE_CHECKING:
    from diagnose.faults.fault import Figures, Words


def _bands(p: Figures) -> Words:
    return f"bands are between {p['least']:+.0f} and {p['most']:+.0f} dB off, the same at all times", ""


HIGH_FREQUENCY_LOSS = Fault(
    id="high-frequency-loss",
    family="spectrum",
    title="everything above a frequency is gone",
    what=(
        "The sound is kept up to a frequency and next to nothing is left above it. It comes from a mel that ends "
        "there (8 kHz in many vocoders), from a stage at a lower rate, from a codec, or from a low-pass filter."
    ),
    told_by=(
        "The levels of the bands step down once. It is proven by one filter that is fitted and applied to the "
        "reference: without a phase of its own, or with one, as its response in time."
    ),
    confused_with={
        "mel-range": "there the bands sit at other frequencies; where nothing sounds above, the two are the same",
        "tilt": "a tilt is a straight line and has no step",
        "spectral-holes": "there single cells are gone, for a moment",
        "aliasing": "a rate reduced without a filter folds what lies above into the range",
    },
    fix="look for a low-pass, a resampling through a lower rate, or fmax of the mel",
    metric="cutoff_hz",
    rivals=("mel-range",),
    injectors=(
        Injector(
            "low_pass",
            "high-frequency-loss",
            "everything above removed",
            injectors.spectrum.low_pass,
            "Hz",
            9000.0,
            1000.0,
            geometric=True,
        ),
    ),
    fits=(operations.spectrum.filtered, operations.echo.echoed),
    told=lambda p: (f"{p['loss']:.0f} dB less above {hertz(p['cutoff'])}", ""),
    fits_log_mel=(log_mel.level.bands,),
    told_log_mel=_bands,
)

LOW_FREQUENCY_LOSS = Fault(
    id="low-frequency-loss",
    family="spectrum",
    title="everything below a frequency is gone",
    what=(
        "The sound is kept down to a frequency and next to nothing is left below it. It comes from a high-pass filter "
        "against rumble, from a DC blocker with too high a corner, or from fmin of the mel."
    ),
    told_by="The filter that is fitted and applied to the reference, as for high-frequency-loss, steps down below.",
    confused_with={
        "band-gap": "there the sound goes on below the gap; with nothing below, the two are the same",
        "dc-offset": "a DC blocker removes only what lies below some hertz",
        "tilt": "a tilt is a straight line and has no step",
    },
    fix="look for a high-pass, a DC blocker with too high a corner, or fmin of the mel",
    metric="band_deficit_db",
    fits=(operations.spectrum.filtered, operations.echo.echoed),
    told=lambda p: (f"{p['low loss']:.0f} dB less below {hertz(p['low cutoff'])}", ""),
    fits_log_mel=(log_mel.level.bands,),
    told_log_mel=_bands,
)


def _tilt(p: Figures) -> Words:
    way = "brighter" if p["slope"] > 0 else "duller"
    return f"{way} by a slope of {p['slope']:+.1f} dB an octave", ""


TILT = Fault(
    id="tilt",
    family="spectrum",
    title="brighter or duller along a straight line",
    what=(
        "The levels of the bands are changed by so many dB an octave. It comes from a pre-emphasis without the "
        "de-emphasis, or twice, from an equaliser, or from a loss that weighs the bands unevenly."
    ),
    told_by=(
        "A straight line over log frequency explains the changes of the bands. It is proven by the fitted filter, as "
        "for high-frequency-loss."
    ),
    confused_with={
        "high-frequency-loss": "there the change is a step",
        "gain": "a gain changes all bands alike",
        "power-magnitude": "there loud and quiet cells of one band change unevenly",
    },
    fix="look for a pre-emphasis or de-emphasis on one side only, or an equaliser",
    metric="spectral_centroid_hz",
    injectors=(
        Injector("tilt_bright", "tilt", "brighter", injectors.spectrum.tilt, "dB per octave", 1.0, 6.0),
        Injector("tilt_dull", "tilt", "duller", injectors.spectrum.tilt, "dB per octave", -1.0, -6.0),
    ),
    fits=(operations.spectrum.filtered, operations.echo.echoed),
    told=_tilt,
    fits_log_mel=(log_mel.level.bands,),
    told_log_mel=_bands,
)

BAND_GAP = Fault(
    id="band-gap",
    family="spectrum",
    title="a band between two others is gone",
    what=(
        "Between two frequencies next to nothing is left, and the bands around are kept. It comes from a notch, from "
        "mel bands at the floor, from a sub-band that was dropped, or from a band that a loss does not see."
    ),
    told_by=(
        "The levels of the bands step down and up again. It is proven by the fitted filter, "
        "or, where a notch shifts phases, by the response that is fitted."
    ),
    confused_with={
        "spectral-holes": "there cells are gone for a moment, and not for the whole sound",
        "low-frequency-loss": "there nothing is left below",
        "high-frequency-loss": "there nothing is left above",
    },
    fix="look for a notch, a dropped band of the filter bank, or a codec's missing bands",
    metric="band_deficit_db",
    injectors=(
        Injector("band_gap", "band-gap", "a band removed", injectors.spectrum.band_gap, "octaves", 0.2, 1.6, True),
    ),
    fits=(operations.spectrum.filtered, operations.echo.echoed),
    told=lambda p: (f"the band from {hertz(p['low'])} to {hertz(p['high'])} is lost", ""),
    fits_log_mel=(log_mel.level.bands,),
    told_log_mel=_bands,
)

SPECTRAL_HOLES = Fault(
    id="spectral-holes",
    family="spectrum",
    title="cells of time and frequency are gone here and there",
    what=(
        "Weak cells of the spectrogram are set to nothing and strong ones are kept, which sounds watery. It comes "
        "from a codec at a low bit rate, from a spectral gate, a mask, or values below a top_db."
    ),
    told_by=(
        "The share of audible cells that are 13 dB down or more, without whole frames or bands among them. It is "
        "recognised, not proven: no operation fits it yet."
    ),
    confused_with={
        "dropout": "there all bands go at once",
        "band-gap": "there a band goes for the whole sound",
        "high-frequency-loss": "a codec's low-pass goes with it; the holes lie below",
    },
    fix="raise the codec's bit rate; look for a spectral gate, a mask, or values under a top_db set to nothing",
    metric="spectral_centroid_hz",
    injectors=(
        Injector(
            "spectral_holes",
            "spectral-holes",
            "weakest cells removed",
            injectors.spectrum.spectral_holes,
            "of the cells",
            0.15,
            0.75,
        ),
    ),
)

# name of the parameter: how the sound was raised from the lower rate, or brought down to it
RAISED = {
    "stuffed": "raised by zeros between the samples, without a filter: the spectrum is mirrored above",
    "held": "each sample is held: raised without a filter, the spectrum is mirrored above",
    "lined": "raised by straight lines between the samples: the spectrum is mirrored above",
    "folded": "samples were left out without a filter: what lay above is folded down",
}


def _aliasing(p: Figures) -> Words:
    way = next(text for name, text in RAISED.items() if name in p)
    return f"went through {hertz(p['rate'])}: {way}", ""


ALIASING = Fault(
    id="aliasing",
    family="spectrum",
    title="frequencies beyond half the rate are folded into the range",
    what=(
        "The rate was changed without a filter: samples were left out, held, or zeros were put between them. What the "
        "lower rate cannot hold, or an image of the sound, is heard at wrong frequencies."
    ),
    told_by=(
        "Zeros, held samples or straight lines between the samples are seen directly. The reference, taken to the "
        "lower rate and back in the same way, with a filter or without, has to be the generated sound."
    ),
    confused_with={
        "noise": "folded sound follows the sound; noise does not",
        "tonal": "lines at fixed frequencies do not move with the pitch; images do",
        "high-frequency-loss": "a resampler with a filter only loses what lies above",
    },
    fix="resample with a filter (soxr, scipy.signal.resample_poly), and not by x[::n] or linear interpolation",
    metric="folded_db",
    fits=(operations.resampled.aliased,),
    told=_aliasing,
)

PHASE_INCOHERENT = Fault(
    id="phase-incoherent",
    family="spectrum",
    title="the magnitudes are right, the phases are not",
    what=(
        "The spectrogram agrees and the waveform does not: partials become bands of noise, attacks are smeared. It "
        "comes from Griffin-Lim with few iterations, from random phases, or from a phase vocoder."
    ),
    told_by=(
        "Magnitudes agree while the harmonic-to-noise ratio falls; in a copy, the difference follows the sound in "
        "every cell. A neural vocoder does this in part by design."
    ),
    confused_with={
        "reverberation": "a room smears in time as well, by one response throughout",
        "noise": "noise does not follow the sound",
        "delay": "there one delay fits all frequencies",
    },
    fix="use the phases of the input, more iterations of Griffin-Lim (with momentum), or a neural vocoder",
    metric="spectral_convergence",
    injectors=(
        Injector(
            "random_phase",
            "phase-incoherent",
            "random changes of the phases",
            injectors.spectrum.random_phase,
            "of 180 degrees",
            0.3,
            1.0,
        ),
    ),
)


def _reverberation(p: Figures) -> Words:
    level = f"{p['level']:+.0f} dB to the direct sound"
    if "decay" in p:
        return f"a room: {p['decay']:.2f} s until 60 dB are gone, {level}", ""
    return f"an echo after {1000 * p['delay']:.0f} ms, {level}", ""


REVERBERATION = Fault(
    id="reverberation",
    family="spectrum",
    title="a room or an echo was added",
    what=(
        "Each sound is followed by its own decaying copies. It comes from a wet reference among dry training data, "
        "from an augmentation left on at inference, from an output that leaks into the input, or from two copies that "
        "are mixed at a delay."
    ),
    told_by=(
        "A response of up to half a second is fitted by least squares, as some echoes or as a room, and is proven by "
        "applying it to the reference. Of a sound whose waveform is lost, the tool does not name it yet."
    ),
    confused_with={
        "phase-incoherent": "there no sound is left after the end of a note, and no response explains it",
        "tail-added": "a tail has nothing to do with the sound before it",
        "noise": "a room's tail decays after each sound; noise is steady",
    },
    fix="look for an output that is fed back, two copies mixed at a delay, or an augmentation that is left on",
    metric="frame_energy_spread_db",
    fits=(operations.echo.echoed,),
    told=_reverberation,
)

FAULTS = (
    HIGH_FREQUENCY_LOSS,
    LOW_FREQUENCY_LOSS,
    TILT,
    BAND_GAP,
    SPECTRAL_HOLES,
    ALIASING,
    PHASE_INCOHERENT,
    REVERBERATION,
)
