"""Faults at the mel interface: a mel in one convention, read by a vocoder that expects another; and inside the mel."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from diagnose import injectors, log_mel
from diagnose.faults.fault import Fault
from diagnose.injectors import Injector

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.arrays import Floats
    from diagnose.faults.fault import Figures, Words
    from diagnose.injectors.injector import Break

SCALE, SLOPE = "vocoder-input-scale", "power-magnitude"


def _given(values: Callable[[Floats], Floats]) -> Break:
    """values(magnitude) given to the vocoder as if it were ln(magnitude)."""
    return partial(injectors.mel.given, values=values)


def _scale(p: Figures) -> Words:
    if "slope" not in p:
        what = "magnitudes" if p["power"] == 1 else "powers"
        return f"the vocoder got {what} where it reads their logarithms", ""
    slope = p["slope"]
    known, factor = log_mel.scale_curve.nearest(slope)
    if known is None:
        return f"each nat of the reference became {slope:.2f}: values were normalised, and not turned back", ""
    clipped = " (2 and 2.3 cannot be told apart where it clips)" if factor in log_mel.scale_curve.ALIKE_CLIPPED else ""
    return f"each nat of the reference became {slope:.2f}: {known}{clipped}", f"divide by {factor:.4g}"


def _slope(p: Figures) -> Words:
    half = p["slope"] < 1
    mistake = "10**(dB/20) where 10**(dB/10) is right" if half else "10**(dB/10) where 10**(dB/20) is right"
    clipped = "; where it clips, ln for log10 looks the same" if p["slope"] in log_mel.scale_curve.ALIKE_CLIPPED else ""
    return f"the dynamic range is {'halved' if half else 'doubled'} (slope {p['slope']:.2f}): {mistake}{clipped}", ""


def _smoothed(p: Figures) -> Words:
    if "moves" in p:
        return f"levels move {100 * p['moves']:.0f} % as far about their mean as the reference's", ""
    if "left" in p:
        return f"detail finer than {p['bands']:.0f} of 80 bands is lost: {100 * p['left']:.0f} % of it is left", ""
    over = f"{p['time']:.0f} ms of time" if "time" in p else f"{p['bands']:.0f} of 80 bands"
    return f"levels are averaged over {over}", ""


VOCODER_INPUT_SCALE = Fault(
    id=SCALE,
    family="mel",
    domain="interface",
    title="the vocoder got values on another scale than it reads",
    what=(
        "A vocoder that reads natural logarithms was given linear values, values from 0 to 1, decibels or logarithms "
        "to another base. It answers with a hum at the frame rate, with hiss, or with the loudest parts alone."
    ),
    told_by=(
        "The curve of the generated log-mel over the reference's: next to no spread for linear values, 0.434 of it "
        "for log10, only the loudest cells for decibels. `diagnose mel` proves it on the array itself."
    ),
    confused_with={
        "noise": "loud noise flattens a mel too, but keeps its loudest cells",
        "power-magnitude": "there the slope is 2 or 1/2",
        "frame-rate-hum": "a hum that lies under an intact sound is the vocoder's own",
        "dc-offset": "a misfed network puts its bias out as well",
    },
    fix=(
        "give the vocoder what it reads; for BigVGAN and HiFi-GAN: ln(clamp(mel_basis @ |STFT|, 1e-5)), natural "
        "logarithms of magnitudes. `diagnose mel mel.npy --for bigvgan` says what differs"
    ),
    metric="log_mel_spread_nats",
    fits_log_mel=(log_mel.scale_curve.scaled, log_mel.scale_curve.scaled_and_clipped, log_mel.scale_curve.linear),
    told_log_mel=_scale,
    injectors=(
        Injector(
            "mel_linear_hum",
            SCALE,
            "linear values for logarithms; the network hums",
            injectors.mel.hummed,
            "bias",
            0.0,
            0.4,
            vocoded=True,
        ),
        Injector("mel_linear_power", SCALE, "linear power for ln(magnitude)", injectors.mel.linear_power, vocoded=True),
        Injector(
            "mel_linear_magnitude",
            SCALE,
            "linear magnitude for ln(magnitude)",
            _given(lambda m: m),
            vocoded=True,
        ),
        Injector("mel_decibel", SCALE, "dB for ln(magnitude)", _given(injectors.mel.decibels), vocoded=True),
        Injector("mel_log10", SCALE, "log10 for the natural logarithm", _given(np.log10), vocoded=True),
        Injector(
            "mel_unit",
            SCALE,
            "0..1 for ln(magnitude)",
            _given(lambda m: injectors.mel.decibels(m) / -injectors.mel.FLOOR_DB + 1),
            vocoded=True,
        ),
    ),
)

POWER_MAGNITUDE = Fault(
    id=SLOPE,
    family="mel",
    domain="interface",
    title="a power is read as a magnitude, or the reverse",
    what=(
        "Decibels of a power are 10 log10(p), those of a magnitude 20 log10(m). With one turned back by the other's "
        "formula, the dynamic range is doubled or halved."
    ),
    told_by="The slope of the generated log-mel over the reference's is 2 or 1/2, and the curve fits closely.",
    confused_with={
        SCALE: "log10 for ln has a slope of 0.434, near to 1/2",
        "modulation": "an expander or compressor of 1:2 does the same; look for one first",
        "over-smoothed": "there the slope falls because detail is lost, and the curve does not fit",
    },
    fix="10 log10(p) goes back with 10**(dB/10), 20 log10(m) with 10**(dB/20); take a root or a square once",
    metric="log_mel_spread_nats",
    fits_log_mel=(log_mel.scale_curve.scaled, log_mel.scale_curve.scaled_and_clipped),
    told_log_mel=_slope,
    injectors=(
        Injector(
            "mel_20_for_10",
            SLOPE,
            "10**(dB/20) for 10**(dB/10)",
            _given(lambda m: 0.5 * np.log(m)),
            vocoded=True,
        ),
        Injector("mel_10_for_20", SLOPE, "10**(dB/10) for 10**(dB/20)", _given(lambda m: 2 * np.log(m)), vocoded=True),
    ),
)

LEVEL_REFERENCE_LOST = Fault(
    id="level-reference-lost",
    family="mel",
    domain="interface",
    title="the absolute level is lost: decibels below the maximum",
    what=(
        "The mel was written in dB below its own maximum (ref=np.max) and turned back without that maximum. Every "
        "sound comes out at one level, whatever it had."
    ),
    told_by="The level is wrong, the scale is right (slope 1), and the loudest mel cell is exactly 1.",
    confused_with={
        "gain": "an output that was normalised to just that level looks the same",
        SCALE: "there the slope is not 1",
    },
    fix="use power_to_db(S, ref=1.0), or keep ref = S.max() and multiply by it when going back",
    metric="rms_ratio",
    fits_log_mel=(log_mel.level.gain,),
    told_log_mel=lambda p: (f"the level is off by {p['gain']:+.1f} dB, the same in all cells", ""),
    injectors=(
        Injector(
            "mel_ref_lost",
            "level-reference-lost",
            "level of ref=np.max not restored",
            injectors.mel.level_lost,
            needs=injectors.mel.has_a_level,
            vocoded=True,
        ),
    ),
)

MEL_RANGE = Fault(
    id="mel-range",
    family="mel",
    domain="interface",
    title="a mel in one range or formula is read in another",
    what=(
        "The bands of the mel lie at other frequencies than the vocoder assumes: another fmin or fmax, HTK's formula "
        "for Slaney's, another number of bands. The pitch is wrong, by another factor at each frequency."
    ),
    told_by=(
        "The spectrogram fits better when its frequencies are moved as such a mistake moves them, better than by one "
        "shift in pitch. `diagnose mel --audio` proves it on the array itself."
    ),
    confused_with={
        "pitch": "a sound with nothing above 1 kHz is shifted by one factor in both cases",
        "high-frequency-loss": "a mel that only ends too low loses its top; a copy of that is the same",
        "formant-shift": "there the partials stay",
    },
    fix=(
        "make the mel with the vocoder's fmin, fmax and formula: 8000 Hz and Slaney (librosa's htk=False, "
        "norm='slaney') for BigVGAN and HiFi-GAN; librosa's own fmax is rate / 2, torchaudio's formula is HTK's"
    ),
    metric="f0_deviation_cents",
    rivals=("high-frequency-loss",),
    injectors=(
        Injector(
            "mel_fmax",
            "mel-range",
            "a mel up to fmax read as one to 8 kHz",
            injectors.mel.wrong_range,
            "Hz",
            8800.0,
            11_025.0,
            vocoded=True,
        ),
        Injector("mel_htk", "mel-range", "HTK's mel formula for Slaney's", injectors.mel.wrong_formula, vocoded=True),
    ),
)

AXES_EXCHANGED = Fault(
    id="axes-exchanged",
    family="mel",
    domain="interface",
    title="bands and frames of the mel are exchanged",
    what=(
        "An array of [frames, bands] was read as [bands, frames]: what should move in time stands as a spectrum, and "
        "the reverse. Nothing of the sound is left to the ear."
    ),
    told_by=(
        "The spectrogram fits the reference's when it is turned, and not as it is. Arrays that were cut or padded "
        "after that may be told as different-content. `diagnose mel` reads the axes of the array itself."
    ),
    confused_with={
        "time-structure-lost": "there each frame is right, and their order is not",
        "different-content": "there the sound makes sense by itself",
        SCALE: "there the rhythm is often still heard",
    },
    fix="turn the mel before the vocoder, mel = mel.T, and assert mel.shape[0] == n_mels where it is made",
    metric="spectral_convergence",
)

OVER_SMOOTHED = Fault(
    id="over-smoothed",
    family="mel",
    domain="mel",
    title="detail of the mel is averaged away",
    what=(
        "Peaks and valleys of the mel are flattened, so that the vocoder's sound is muffled and buzzing. Models "
        "trained on a mean error give such an average wherever they are not sure."
    ),
    told_by=(
        "Averaged over time or over bands, without its finer detail, or drawn towards its mean in time, the "
        "reference's log-mel is the generated one. Little smoothing of a voice whose pitch is given apart is not seen."
    ),
    confused_with={
        SCALE: "there the spread falls by one factor in all cells",
        "phase-incoherent": "there the mel itself is right",
        "high-frequency-loss": "there only the top is missing",
    },
    fix="train with an adversarial or spectral loss beside the mean error, or refine the mel with a post-net",
    metric="log_mel_spread_nats",
    fits_log_mel=(
        log_mel.smoothed.smoothed_in_time,
        log_mel.smoothed.smoothed_in_frequency,
        log_mel.detail.lost_detail,
        log_mel.detail.regressed,
    ),
    told_log_mel=_smoothed,
)

FAULTS = (VOCODER_INPUT_SCALE, POWER_MAGNITUDE, LEVEL_REFERENCE_LOST, MEL_RANGE, AXES_EXCHANGED, OVER_SMOOTHED)
