"""Faults of amplitude: every sample is changed by its own value, or by a gain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose import injectors, log_mel, operations
from diagnose.faults.fault import Fault
from diagnose.injectors import Injector

if TYPE_CHECKING:
    from diagnose.faults.fault import Figures, Words


def _gain(p: Figures) -> Words:
    level = p.get("gain", 0.0)
    way = "loud" if level > 0 else "quiet"
    return f"{abs(level):.1f} dB too {way}", f"multiply the output by {10 ** (-level / 20):.3g}"


GAIN = Fault(
    id="gain",
    family="level",
    title="too loud or too quiet by one factor",
    what=(
        "Every sample is multiplied by the same factor. It comes from a normalisation on one side only, from float "
        "samples scaled to integers by the wrong full scale, or from a level that was not restored after the model."
    ),
    told_by=(
        "The level between the two sounds, with all bands alike. It is proven by fitting the factor to the cells of "
        "the spectrogram and applying it to the reference. Without a kept waveform it is only recognised."
    ),
    confused_with={
        "level-reference-lost": "that one comes out of a vocoder, with the loudest mel cell at exactly 1",
        "clipping": "a limiter lowers loud samples only; a gain lowers quiet ones too",
        "modulation": "there the factor changes from frame to frame",
    },
    fix="look for a normalisation on one side only, such as x / abs(x).max()",
    metric="rms_ratio",
    injectors=(
        Injector("gain_up", "gain", "too loud", injectors.level.gain, "dB", 2.0, 12.0),
        Injector("gain_down", "gain", "too quiet", injectors.level.gain, "dB", -2.0, -20.0),
    ),
    fits=(operations.level.gain,),
    told=_gain,
    fits_log_mel=(log_mel.level.gain,),
    told_log_mel=_gain,
)

SILENT = Fault(
    id="silent",
    family="level",
    title="nothing is left to hear",
    what=(
        "The generated sound is silent, or nearly so. It comes from a gain of 0, an empty buffer, NaN replaced by 0, "
        "a mel at its floor, or the wrong channel."
    ),
    told_by=(
        "The level of the whole sound, before anything else is asked. The tool does not use this id yet: it reports "
        "such a sound as dropout, with the words 'nothing is left'."
    ),
    confused_with={
        "dropout": "there some parts still sound",
        "gain": "a sound that is only quiet can be made loud again, and is then the reference",
        "non-finite": "NaN that a later stage replaced by 0 is silence; look at the stage before",
    },
    fix="check np.abs(x).max() after each stage, and find the first that gives silence",
    metric="rms_ratio",
)


def _dc_offset(p: Figures) -> Words:
    if "offset" not in p:
        return "a constant is added before the limiting", ""
    offset = p["offset"]
    return f"a constant of {offset:+.3f} of full scale is added to every sample", f"subtract {offset:.4g}"


DC_OFFSET = Fault(
    id="dc-offset",
    family="level",
    title="a constant is added to every sample",
    what=(
        "The samples no longer lie around 0. It comes from a bias in the last layer of a network, from unsigned "
        "samples read as signed ones, or from a converter. It is not heard, but it costs headroom and clicks at edits."
    ),
    told_by=(
        "The share of the power at 0 Hz, against the reference's. It is proven by subtracting the mean of the "
        "difference, which then has to leave the reference."
    ),
    confused_with={
        "vocoder-input-scale": "there the bias comes with a hum at the frame rate, and the sound itself is lost",
        "clipping": "a limiter that cuts one side more than the other shifts the mean as well",
        "hum": "a hum has a frequency; a constant has none",
    },
    fix="remove the bias of the last layer, or use x - x.mean(), or a high-pass filter at 20 Hz",
    metric="dc_share",
    injectors=(
        Injector(
            "dc_offset", "dc-offset", "a DC offset added", injectors.level.dc_offset, "of the RMS", 0.15, 1.5, True
        ),
    ),
    fits=(operations.level.dc_offset,),
    told=_dc_offset,
)


def _clipping(p: Figures) -> Words:
    if "high" in p:
        return f"samples are cut flat at {p['low']:.3g} and {p['high']:.3g} of full scale", ""
    return (
        f"loud samples are bent: at the ends the curve is {p['slope at the ends']:.2g} times as steep as in the middle",
        "",
    )


CLIPPING = Fault(
    id="clipping",
    family="level",
    title="loud samples are cut off or bent",
    what=(
        "Samples beyond a limit are cut flat, or a curve such as tanh makes them smaller. It comes from samples "
        "beyond full scale in an integer file, a clamp, a saturating activation, or a limiter."
    ),
    told_by=(
        "Flat tops in the waveform, or one curve of output over input that bends down at both ends. It is proven by "
        "applying the fitted limit or curve to the reference."
    ),
    confused_with={
        "integer-overflow": "there samples beyond full scale come out with the opposite sign",
        "gain": "a gain keeps the ratio of loud and quiet samples",
        "modulation": "a slow compressor changes whole frames and not single samples",
    },
    fix="lower the level before the stage that limits (a clamp, a tanh, an integer conversion), or write floats",
    metric="clipped_share",
    injectors=(
        Injector(
            "hard_clip", "clipping", "hard clipping", injectors.level.hard_clip, "of the samples", 0.002, 0.2, True
        ),
        Injector(
            "soft_clip",
            "clipping",
            "soft clipping by tanh",
            injectors.level.soft_clip,
            "times",
            0.6,
            5.0,
            geometric=True,
            metric="crest_db",  # tanh leaves no flat tops
        ),
    ),
    fits=(operations.level.hard_clipping, operations.level.soft_clipping),
    told=_clipping,
    fits_log_mel=(log_mel.overdriven.overdriven,),
    told_log_mel=lambda _: ("what is louder than a limit is held at it, and its harmonics stand in all bands", ""),
)

POLARITY = Fault(
    id="polarity",
    family="level",
    title="the waveform is upside down",
    what=(
        "Every sample has the opposite sign. It comes from a difference taken the wrong way round, a swapped cable, "
        "or a loss on magnitudes, which does not see the sign. Alone it is hardly heard; mixed with the original it "
        "cancels."
    ),
    told_by=(
        "The waveforms correlate with a negative sign. It is proven by turning the reference. Where phases are lost, "
        "nothing shows it."
    ),
    confused_with={
        "delay": "on a steady tone half a period of delay looks the same",
        "phase-incoherent": "there each frequency has a phase of its own, and no sign fits all",
    },
    fix="multiply the output by -1, and look for a difference taken the wrong way round",
    metric="waveform_correlation",
    injectors=(Injector("polarity", "polarity", "inverted", injectors.level.invert),),
    fits=(operations.level.polarity,),
    told=lambda _: ("every sample has the opposite sign", ""),
)

QUANTISATION = Fault(
    id="quantisation",
    family="level",
    title="too few bits per sample",
    what=(
        "Samples are rounded to a coarse lattice, which sounds like noise or, in quiet passages, like distortion. "
        "It comes from an 8-bit file, a cast to an integer type without scaling, or a mu-law round trip."
    ),
    told_by=(
        "The samples lie on a lattice, or take few different values. It is proven by rounding the reference to the "
        "same lattice, which gives the generated samples exactly."
    ),
    confused_with={
        "noise": "noise lies on no lattice; after a resampling the two cannot be told apart",
        "companding": "a mu-law or A-law round trip has steps that grow with the level",
    },
    fix="write 16 bits or floats; look for an 8-bit file, a mu-law step or a cast to an integer type",
    metric="quiet_excess_db",
    rivals=("companding",),
    injectors=(
        Injector("quantise", "quantisation", "too few bits per sample", injectors.level.quantise, "bits", 10.0, 6.0),
    ),
    fits=(operations.level.quantisation,),
    told=lambda p: (f"samples are rounded to {p['bits']:.3g} bits", ""),
)


def _modulation(p: Figures) -> Words:
    if "period" in p:
        return f"the level goes up and down by {p['depth']:.1f} dB each {1000 * p['period']:.4g} ms", ""
    return f"the level moves by {p['range']:.0f} dB in the course of the sound", ""


MODULATION = Fault(
    id="modulation",
    family="level",
    title="the level moves where the reference's does not",
    what=(
        "The gain changes over time. It comes from a compressor, an automatic gain control, a fade, or chunks that "
        "were normalised one by one."
    ),
    told_by=(
        "A gain for each frame takes away much of what one gain leaves over, and a filter does not. It is proven by a "
        "gain that moves slowly, or in one period, applied to the reference."
    ),
    confused_with={
        "gain": "there one factor holds for the whole sound",
        "gated": "a gate closes altogether in quiet parts",
        "frame-rate-tremolo": "there the level moves at the frame rate, faster than a fade",
        "clipping": "a limiter acts on single samples",
    },
    fix="look for a compressor, an automatic gain or a fade, and normalise the whole sound and not each chunk",
    metric="worst_dip_db",
    fits=(operations.gain_curve.slow_gain, operations.gain_curve.periodic_gain),
    told=_modulation,
    fits_log_mel=(log_mel.level.moments,),
    told_log_mel=lambda p: (f"the level moves by {p['depth']:.1f} dB where the reference's does not", ""),
)

GATED = Fault(
    id="gated",
    family="level",
    title="quiet parts are silenced",
    what=(
        "Whatever is quieter than a threshold becomes silence. It comes from a noise gate, a voice activity detector, "
        "a trim of silence inside the sound, or packets that a codec does not send while nobody speaks."
    ),
    told_by=(
        "The holes that a dropout has, or a gain that falls to nothing, and nearly all of them where the reference is "
        "quiet: most of what is as quiet is gone. Proven as a dropout is."
    ),
    confused_with={
        "dropout": "lost buffers fall anywhere; a gate closes only where the reference is quiet",
        "modulation": "there the level is lowered, and not to nothing",
    },
    fix="turn the gate or the voice activity detector off, or lower its threshold below the room's noise",
    metric="missing_share",
    rivals=("dropout",),
    fits=(operations.local.dropout, operations.gain_curve.slow_gain),
    told=lambda _: ("what is soft is silenced, and what is loud is as it was", ""),
)

FAULTS = (GAIN, SILENT, DC_OFFSET, CLIPPING, POLARITY, QUANTISATION, MODULATION, GATED)
