"""A fitted step in words: what was done to the sound, and what to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Parameters = Mapping[str, tuple[float, str]]
    Words = tuple[str, str]


# What cannot be told from a cause in a copy whose waveform is kept, for it gives the same samples.
RIVALS: dict[str, tuple[str, ...]] = {
    "dropout": ("gated",),
    "gated": ("dropout",),
    "quantisation": ("companding",),
    "high-frequency-loss": ("mel-range",),
}


def told(id: str, fitted: Parameters) -> Words:  # noqa: A002 - the contract's word
    """(summary, fix) of a cause with these parameters."""
    return TOLD[id]({name: value for name, (value, _) in fitted.items()})


def _gain(p: Mapping[str, float]) -> Words:
    level = p.get("gain", 0.0)
    way = "loud" if level > 0 else "quiet"
    return (
        f"{abs(level):.1f} dB too {way}",
        f"multiply the output by {10 ** (-level / 20):.3g}; look for a normalisation on one side only",
    )


def _polarity(_: Mapping[str, float]) -> Words:
    return "every sample has the opposite sign", "multiply the output by -1; look for a swapped difference or cable"


def _dc_offset(p: Mapping[str, float]) -> Words:
    if "offset" not in p:
        return "a constant is added before the limiting", "remove the bias of the layer before the limiter"
    offset = p["offset"]
    return (
        f"a constant of {offset:+.3f} of full scale is added to every sample",
        f"subtract {offset:.4g}, or remove the bias of the last layer",
    )


def _clipping(p: Mapping[str, float]) -> Words:
    if "high" in p:
        return (
            f"samples are cut flat at {p['low']:.3g} and {p['high']:.3g} of full scale",
            "lower the level before the limiter or the integer conversion; look for a clamp",
        )
    return (
        f"loud samples are bent: at the ends the curve is {p['slope at the ends']:.2g} times as steep as in the middle",
        "look for a tanh, a limiter or a saturating activation; lower the level before it",
    )


def _integer_overflow(p: Mapping[str, float]) -> Words:
    return (
        f"{p['samples']:.0f} samples past full scale wrap to the other sign",
        "clip to -1..1 before the conversion to integers, or lower the level",
    )


def _quantisation(p: Mapping[str, float]) -> Words:
    return (
        f"samples are rounded to {p['bits']:.3g} bits",
        "write 16 bits or floats; look for an 8 bit file, a mu-law step or a cast to an integer type",
    )


def _high_loss(p: Mapping[str, float]) -> Words:
    return (
        f"{p['loss']:.0f} dB less above {_hertz(p['cutoff'])}",
        "look for a low-pass, a resampling through a lower rate, or fmax of the mel",
    )


def _low_loss(p: Mapping[str, float]) -> Words:
    return (
        f"{p['low loss']:.0f} dB less below {_hertz(p['low cutoff'])}",
        "look for a high-pass, a DC blocker with too high a corner, or fmin of the mel",
    )


def _band_gap(p: Mapping[str, float]) -> Words:
    return (
        f"the band from {_hertz(p['low'])} to {_hertz(p['high'])} is lost",
        "look for a notch, a dropped band of the filter bank, or a codec's missing bands",
    )


def _tilt(p: Mapping[str, float]) -> Words:
    way = "brighter" if p["slope"] > 0 else "duller"
    return (
        f"{way} by a slope of {p['slope']:+.1f} dB an octave",
        "look for a pre-emphasis or de-emphasis on one side only, or an equaliser",
    )


def _dropout(p: Mapping[str, float]) -> Words:
    return (
        f"{p['holes']:.0f} hole{'s' * (p['holes'] > 1)}, {1000 * p['length']:.0f} ms in all, from {p['first']:.3f} s",
        "look for lost buffers, a gate, or masked frames",
    )


def _clicks(p: Mapping[str, float]) -> Words:
    return (
        f"{p['clicks']:.0f} click{'s' * (p['clicks'] > 1)} of some samples, the first at {p['first']:.3f} s",
        "look for buffer borders, bit errors, or integers that wrap",
    )


def _noise(p: Mapping[str, float]) -> Words:
    return (
        f"steady noise of {p['level']:.0f} dB is added",
        "look for dither, sampling noise that was left in, or an analogue path",
    )


def _hum(p: Mapping[str, float]) -> Words:
    return (
        f"mains hum: {p['lines']:.0f} steady lines, the strongest at {_hertz(p['strongest'])}",
        "remove the lines by a notch at the mains' frequency and its multiples; look at the recording",
    )


def _tonal(p: Mapping[str, float]) -> Words:
    return (
        f"{p['lines']:.0f} steady line{'s' * (p['lines'] > 1)}, the strongest at {_hertz(p['strongest'])}",
        "look for a frame rate, a switching supply, or an upsampling layer: rate / stride and its multiples",
    )


def _aliasing(p: Mapping[str, float]) -> Words:
    ways = {
        "stuffed": "raised by zeros between the samples, without a filter: the spectrum is mirrored above",
        "held": "each sample is held: raised without a filter, the spectrum is mirrored above",
        "lined": "raised by straight lines between the samples: the spectrum is mirrored above",
        "folded": "samples were left out without a filter: what lay above is folded down",
    }
    way = next(text for name, text in ways.items() if name in p)
    return (
        f"went through {_hertz(p['rate'])}: {way}",
        "resample with a low-pass filter (soxr, scipy.signal.resample_poly, torchaudio.transforms.Resample), not by "
        "x[::n], np.repeat or linear interpolation",
    )


def _reverberation(p: Mapping[str, float]) -> Words:
    if "decay" in p:
        what = f"a room: {p['decay']:.2f} s until 60 dB are gone, {p['level']:+.0f} dB to the direct sound"
    else:
        what = f"an echo after {1000 * p['delay']:.0f} ms, {p['level']:+.0f} dB to the direct sound"
    return what, "look for the output that leaks into the input, two copies mixed at a delay, or an effect left on"


def _tremolo(p: Mapping[str, float]) -> Words:
    return (
        f"the level goes up and down by {p['depth']:.1f} dB each {1000 * p['period']:.4g} ms",
        "use windows that add up to one at this hop (scipy.signal.check_COLA, check_NOLA), or divide by their sum",
    )


def _modulation(p: Mapping[str, float]) -> Words:
    if "period" in p:
        return _tremolo(p)[0], "look for a tremolo, or a level that is set for each chunk"
    return (
        f"the level moves by {p['range']:.0f} dB in the course of the sound",
        "look for an automatic gain, a compressor, or a normalisation of each chunk on its own",
    )


def _gated(p: Mapping[str, float]) -> Words:
    return (
        "what is soft is silenced, and what is loud is as it was",
        "look for a noise gate, a voice detector, or a spectral threshold; lower it, or turn it off",
    )


def _companding(p: Mapping[str, float]) -> Words:
    law, way = next(iter(p)).split()
    return (
        f"samples went through {law} {'encoding' if way == 'encoded' else 'decoding'} and were taken for linear ones",
        "decode what was encoded, and nothing else (soundfile subtype ULAW or ALAW, torchaudio mu_law_decoding)",
    )


def _chunk_seams(p: Mapping[str, float]) -> Words:
    if "clicks" in p:
        return (
            f"{p['clicks']:.0f} clicks, one each {p['period']:.4g} s: at the seams of blocks",
            "look for a block that is a sample short, or whose edges are set to 0 or taken from another block",
        )
    return (
        f"the level falls by {p['depth']:.0f} dB at a seam each {p['period']:.4g} s",
        "cross-fade the joins with windows that add up to one, or do not window chunks that do not overlap",
    )


def _hertz(value: float) -> str:
    return f"{value / 1000:.3g} kHz" if value >= 1000 else f"{value:.0f} Hz"


TOLD: dict[str, Callable[[Mapping[str, float]], Words]] = {
    "gain": _gain,
    "polarity": _polarity,
    "dc-offset": _dc_offset,
    "clipping": _clipping,
    "integer-overflow": _integer_overflow,
    "quantisation": _quantisation,
    "high-frequency-loss": _high_loss,
    "low-frequency-loss": _low_loss,
    "band-gap": _band_gap,
    "tilt": _tilt,
    "dropout": _dropout,
    "clicks": _clicks,
    "noise": _noise,
    "hum": _hum,
    "tonal": _tonal,
    "aliasing": _aliasing,
    "companding": _companding,
    "reverberation": _reverberation,
    "frame-rate-tremolo": _tremolo,
    "modulation": _modulation,
    "gated": _gated,
    "chunk-seams": _chunk_seams,
}
