"""Faults that add something: noise, lines, clicks, bursts, another sound."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from diagnose import injectors, log_mel, operations
from diagnose.faults.fault import Fault, hertz, plural
from diagnose.injectors import Injector

if TYPE_CHECKING:
    from diagnose.faults.fault import Figures, Words

NOISE = Fault(
    id="noise",
    family="added",
    title="steady noise lies under the sound",
    what=(
        "Something without lines, of a level that does not follow the sound, was added. It comes from dither or "
        "sampling noise left on at inference, from a noisy source term of a vocoder, or from an analogue path."
    ),
    told_by=(
        "What a gain leaves over is steady and flat. It is proven by its spectrum alone: noise of the stated level "
        "has to account for what is left, for its samples cannot be predicted."
    ),
    confused_with={
        "phase-incoherent": "there what is left over follows the sound",
        "quantisation": "rounding is noise that lies on a lattice",
        "interference": "there what was added is a sound of its own",
    },
    fix="look for dither, sampling noise that was left in, or an analogue path",
    metric="quiet_excess_db",
    injectors=(
        Injector("white_noise", "noise", "white noise", injectors.added.white_noise, "dB", -40.0, -5.0),
        Injector("pink_noise", "noise", "pink noise", injectors.added.pink_noise, "dB", -35.0, -5.0),
    ),
    fits=(operations.added.noise,),
    told=lambda p: (f"steady noise of {p['level']:.0f} dB is added", ""),
    fits_log_mel=(log_mel.level.noise,),
    told_log_mel=lambda p: (f"steady noise lies {p['signal_to_noise']:.0f} dB under the sound", ""),
)

INTERFERENCE = Fault(
    id="interference",
    family="added",
    title="another sound is mixed in",
    what=(
        "A second voice, music or another item of the batch is heard along with the reference. It comes from a buffer "
        "that was not cleared, from an echo of the far end, or from incomplete separation."
    ),
    told_by=(
        "The tool does not name it yet. Where the added sound lasts for a moment it shows in worst_20ms_residual_db, "
        "and may be reported as segment-replaced or phase-incoherent."
    ),
    confused_with={
        "noise": "noise is steady",
        "segment-replaced": "there the reference itself is gone for the time",
        "reverberation": "there what is added is the sound itself, later",
    },
    fix="clear buffers between items (torch.zeros, not torch.empty), and look at what else is in the mix",
    metric="worst_20ms_residual_db",
)


def _hum(p: Figures) -> Words:
    return f"mains hum: {p['lines']:.0f} steady lines, the strongest at {hertz(p['strongest'])}", ""


HUM = Fault(
    id="hum",
    family="added",
    title="hum of the mains: 50 or 60 Hz and multiples",
    what=(
        "Steady lines at the mains' frequency and its multiples lie under the sound. They come from a ground loop, a "
        "badly shielded source, or training recordings with such a hum."
    ),
    told_by=(
        "The share of what was added that lies on multiples of 50 or 60 Hz. It is proven by fitting the lines and "
        "adding them to the reference."
    ),
    confused_with={
        "tonal": "there the lines lie on no multiple of the mains",
        "frame-rate-hum": "there they lie on multiples of rate / hop, such as 86.13 Hz",
        "dc-offset": "a constant has no frequency",
    },
    fix="remove the lines by a notch at the mains' frequency and its multiples; look at the recording",
    metric="band_excess_db",
    injectors=(
        Injector("hum_50", "hum", "mains hum at 50 Hz", partial(injectors.added.hum, mains_hz=50.0), "dB", -30.0, 0.0),
        Injector("hum_60", "hum", "mains hum at 60 Hz", partial(injectors.added.hum, mains_hz=60.0), "dB", -30.0, 0.0),
    ),
    fits=(operations.added.lines,),
    told=_hum,
)


def _tonal(p: Figures) -> Words:
    return f"{plural(p['lines'], 'steady line')}, the strongest at {hertz(p['strongest'])}", ""


TONAL = Fault(
    id="tonal",
    family="added",
    title="steady lines at fixed frequencies",
    what=(
        "Tones that do not move with the sound lie under it. Upsampling layers leave them at rate / stride and its "
        "multiples; a switching supply or a pilot tone leaves them too."
    ),
    told_by="It is proven by fitting the lines, each with its frequency and level, and adding them to the reference.",
    confused_with={
        "hum": "there the lines lie on multiples of 50 or 60 Hz",
        "frame-rate-hum": "there they lie on multiples of one frame rate, and a whole comb of them",
        "aliasing": "images move with the pitch of the sound",
    },
    fix="look for a frame rate, a switching supply, or an upsampling layer: rate / stride and its multiples",
    metric="hnr_db",
    fits=(operations.added.lines,),
    told=_tonal,
)

FRAME_RATE_HUM = Fault(
    id="frame-rate-hum",
    family="added",
    title="a hum at the frame rate: one waveform every hop",
    what=(
        "The same waveform is added in every frame, which is heard as a buzz at rate / hop. It comes from a bias in "
        "transposed convolutions, or from a vocoder that was trained too briefly."
    ),
    told_by=(
        "The share of what was added that lies on multiples of rate / hop, for the hops in use. The lines themselves "
        "are proven as those of tonal are."
    ),
    confused_with={
        "vocoder-input-scale": "where the whole sound is such a hum, the vocoder's input is wrong",
        "hum": "there the lines lie on multiples of the mains",
        "frame-rate-tremolo": "there nothing is added: the level moves at the frame rate",
    },
    fix="use resize-convolution or anti-aliased upsampling in the vocoder, or train longer",
    metric="quiet_excess_db",
    injectors=(
        Injector(
            "frame_rate_hum",
            "frame-rate-hum",
            "one waveform every 256 samples",
            injectors.added.frame_rate_hum,
            "dB",
            -30.0,
            0.0,
        ),
    ),
    fits=(operations.added.lines,),
)


def _tremolo(p: Figures) -> Words:
    return f"the level goes up and down by {p['depth']:.1f} dB each {1000 * p['period']:.4g} ms", ""


FRAME_RATE_TREMOLO = Fault(
    id="frame-rate-tremolo",
    family="added",
    title="the level moves at the frame rate: windows that do not add up",
    what=(
        "The sound is multiplied by a ripple of one period a hop, so that each partial gets sidebands at the frame "
        "rate. It comes from an overlap-add whose windows do not add up to a constant."
    ),
    told_by=(
        "The quotient of the two sounds has a line at the frame rate. It is proven by a gain of that period, read off "
        "part by part and applied to the reference."
    ),
    confused_with={
        "frame-rate-hum": "there the lines lie at the same frequencies whatever sounds",
        "modulation": "there the level moves more slowly than a frame",
    },
    fix="divide by the sum of the squared windows, as torch.istft does, or use a hop at which they add up",
    metric="band_excess_db",
    fits=(operations.gain_curve.periodic_gain,),
    told=_tremolo,
)


def _clicks(p: Figures) -> Words:
    return f"{plural(p['clicks'], 'click')} of some samples, the first at {p['first']:.3f} s", ""


CLICKS = Fault(
    id="clicks",
    family="added",
    title="spikes of some samples",
    what=(
        "Single samples, or a few in a row, jump away from the waveform. They come from borders of buffers, from bit "
        "errors, from integers that wrap, or from edits without a fade."
    ),
    told_by=(
        "Jumps that the reference lacks, with the time of each. It is proven by replacing those few samples in the "
        "reference."
    ),
    confused_with={
        "chunk-seams": "there the clicks come at one distance",
        "integer-overflow": "there they lie on the loudest peaks",
        "edge-artifact": "there a burst lies at the start or the end",
    },
    fix="look for buffer borders, bit errors, or integers that wrap; cross-fade where parts are joined",
    metric="clicks_per_s",
    injectors=(
        Injector("clicks", "clicks", "spikes of a sample or two", injectors.added.clicks, "1/s", 1.0, 12.0, True),
    ),
    fits=(operations.local.clicks,),
    told=_clicks,
)

EDGE_ARTIFACT = Fault(
    id="edge-artifact",
    family="added",
    title="a burst at the start or the end",
    what=(
        "The first or last frame is loud where the reference is quiet. It comes from the padding of frames (zeros, "
        "reflection), from a loss that does not see the border, or from a model that saw no borders in training."
    ),
    told_by="Most of the difference lies in the first or last 20 ms. It is recognised, not proven.",
    confused_with={
        "truncated": "a sound cut off at full level is loud at its edge by itself",
        "clicks": "a click lasts for some samples",
        "tail-added": "there the sound is longer by what was added",
    },
    fix="look at the padding of the frames and at a loss mask that leaves the border free; trim or fade the edge",
    metric="edge_left_db",
    injectors=(
        Injector(
            "edge_left",
            "edge-artifact",
            "a burst at the start",
            partial(injectors.added.edge_burst, side="left"),
            "dB",
            -6.0,
            20.0,
        ),
        Injector(
            "edge_right",
            "edge-artifact",
            "a burst at the end",
            partial(injectors.added.edge_burst, side="right"),
            "dB",
            -6.0,
            20.0,
            metric="edge_right_db",
        ),
    ),
)

TAIL_ADDED = Fault(
    id="tail-added",
    family="added",
    title="something is heard after the end",
    what=(
        "The generated sound goes on after the reference has ended. It is babble of a text-to-speech model that "
        "missed its stop token, a vocoder's answer to padded frames, or the rest of a buffer."
    ),
    told_by=(
        "All of the reference matches, and what follows is a sound of 50 ms and more; silence there is reported as "
        "padded."
    ),
    confused_with={
        "padded": "there silence follows",
        "reverberation": "a room's tail decays, and follows each sound",
        "segment-repeated": "there what follows is a part of the reference",
    },
    fix="cut the output at the stop token or at the input's length, and mask padded frames before the vocoder",
    metric="inserted_s",
)

FAULTS = (
    *(NOISE, INTERFERENCE, HUM, TONAL, FRAME_RATE_HUM, FRAME_RATE_TREMOLO),
    *(CLICKS, EDGE_ARTIFACT, TAIL_ADDED),
)
