"""Faults of time: where things lie, what is missing, what is heard twice, and how fast it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose import injectors, log_mel, operations
from diagnose.faults.fault import Fault, plural
from diagnose.injectors import Injector

if TYPE_CHECKING:
    from diagnose.faults.fault import Figures, Words

DELAY = Fault(
    id="delay",
    family="time",
    title="the sound begins too late or too early",
    what=(
        "The same sound lies at another place in time. It comes from frames that are centred on one side only, from "
        "a codec's priming samples, from a buffer, or from silence that was cut or added at the start."
    ),
    told_by=(
        "The waveforms, or the spectrograms where phases are a vocoder's own, fit at another place. The place that "
        "fits is the proof. It is known to a fraction of a sample for a copy, and to a frame otherwise."
    ),
    confused_with={
        "truncated": "a sound that is early and shorter has lost its start",
        "sample-rate": "there the delay grows with time",
        "segment-inserted": "there the delay begins inside the sound",
    },
    fix="cut or pad the start by that many samples; use one setting of center= for the mel and the vocoder",
    metric="delay_s",
    injectors=(Injector("delay", "delay", "silence before the sound", injectors.time.delay, "s", 0.07, 0.5, True),),
)

TRUNCATED = Fault(
    id="truncated",
    family="time",
    title="the start or the end is missing",
    what=(
        "A part of the reference at its start or end has no counterpart. It comes from a length counted in whole "
        "frames, a batch cut to its shortest item, a limit on the length, or a missing last frame."
    ),
    told_by="What of the reference matches is laid on the generated sound; what is left over at an end is missing.",
    confused_with={
        "delay": "a delayed sound of the same length has lost its end too; the delay is then named first",
        "segment-lost": "there the sound goes on after what is missing",
        "dropout": "there silence stands for what is missing, and the length is kept",
    },
    fix="keep the last frame: pad the input to whole frames, and cut the output to the input's length",
    metric="lost_s",
    injectors=(
        Injector(
            "truncated", "truncated", "the end is missing", injectors.time.truncate, "of the length", 0.05, 0.5, True
        ),
    ),
)

PADDED = Fault(
    id="padded",
    family="time",
    title="silence is added at the end",
    what=(
        "The sound is followed by silence that the reference does not have. It comes from a batch padded to its "
        "longest item, or from a length rounded up to whole frames or chunks."
    ),
    told_by="All of the reference matches, and what follows it is at least 25 dB under the sound.",
    confused_with={
        "tail-added": "there what follows can be heard",
        "delay": "there the silence stands before the sound",
    },
    fix="cut the output to the input's length: y[:, :length]",
    metric="duration_s",
    injectors=(
        Injector(
            "padded_tail",
            "padded",
            "silence after the sound",
            injectors.time.pad_tail,
            "of the length",
            0.05,
            0.5,
            True,
        ),
    ),
)

SAMPLE_RATE = Fault(
    id="sample-rate",
    family="time",
    domain="interface",
    title="played at another rate: length and pitch change by one factor",
    what=(
        "The samples are right, and the rate in the header is not. The sound is too fast and too high, or too slow "
        "and too low. It comes from a default rate (22050, 24000) in place of that of the model."
    ),
    told_by=(
        "The length is off by a factor, and the spectrogram fits once it is shifted in pitch by that very factor. A "
        "factor in length alone proves nothing."
    ),
    confused_with={
        "time-stretch": "there the length changes and the pitch does not",
        "pitch": "there the pitch changes and the length does not",
        "channels-interleaved": "there the length doubles, and every second sample belongs to another channel",
    },
    fix="write the file with the rate of the model, or resample to the rate of the file before writing",
    metric="f0_deviation_cents",
    injectors=(
        Injector(
            "rate_label_high",
            "sample-rate",
            "labelled with too high a rate",
            injectors.time.mislabel_rate,
            "times",
            1.03,
            2.0,
            geometric=True,
        ),
        Injector(
            "rate_label_low",
            "sample-rate",
            "labelled with too low a rate",
            injectors.time.mislabel_rate,
            "times",
            0.97,
            0.5,
            geometric=True,
        ),
    ),
)

TIME_STRETCH = Fault(
    id="time-stretch",
    family="time",
    title="slower or faster at the same pitch",
    what=(
        "The sound runs at another speed without a change of pitch. Frames were taken at one hop and laid at another, "
        "or a duration model is off by a factor."
    ),
    told_by=(
        "Stretched to one length, the spectrograms fit, and a shift in pitch makes it no better. A quotient of two "
        "hops in use is named with it. It is recognised on spectrograms, not proven on samples."
    ),
    confused_with={
        "sample-rate": "there the pitch changes by the same factor",
        "different-content": "who speaks again has an uneven timing; a wrong hop stretches everything alike",
        "wow": "there the speed goes up and down",
    },
    fix="use one hop and one rate for the mel and for the vocoder",
    metric="duration_s",
    injectors=(
        Injector(
            "slower", "time-stretch", "slower at the same pitch", injectors.time.stretch, "times", 1.03, 1.5, True
        ),
        Injector(
            "faster", "time-stretch", "faster at the same pitch", injectors.time.stretch, "times", 0.97, 0.65, True
        ),
        Injector(
            "mel_hop",
            "time-stretch",
            "hop 256 read as another",
            injectors.mel.wrong_hop,
            "samples",
            266.0,
            384.0,
            geometric=True,
            vocoded=True,
        ),
    ),
)

WOW = Fault(
    id="wow",
    family="time",
    title="the speed goes up and down",
    what=(
        "Speed and pitch swing together, as those of a worn tape or a record that is not centred. In a pipeline it "
        "comes from a clock that drifts, or from a resampler whose ratio is corrected all the time."
    ),
    told_by=(
        "The tool does not name it yet. A slow drift is measured as clock_drift_ppm; a swing leaves a waveform that "
        "does not fit at any one delay."
    ),
    confused_with={
        "pitch": "there the pitch is off by the same amount all the time",
        "phase-incoherent": "there the magnitudes agree in every frame",
        "delay": "there one delay holds for the whole sound",
    },
    fix="play and record by one clock, and resample by one fixed ratio",
    metric="spectral_convergence",
)


def _dropout(p: Figures) -> Words:
    return f"{plural(p['holes'], 'hole')}, {1000 * p['length']:.0f} ms in all, from {p['first']:.3f} s", ""


DROPOUT = Fault(
    id="dropout",
    family="time",
    title="parts are silenced, and the length is kept",
    what=(
        "For some milliseconds there is silence where the reference sounds. It comes from lost packets or buffers, a "
        "gate, masked frames, or NaN replaced by 0."
    ),
    told_by=(
        "Stretches in which nothing of the reference is left, though it sounds there. It is proven by silencing the "
        "same stretches of the reference."
    ),
    confused_with={
        "gated": "a gate closes where the reference is quiet; without that the two are the same",
        "segment-lost": "there the length is not kept: what follows comes too early",
        "chunk-seams": "there the holes come at one distance",
        "spectral-holes": "there single bands go, and not all of them at once",
    },
    fix="look for lost buffers, a gate, masked frames, or NaN replaced by 0",
    metric="missing_share",
    rivals=("gated",),
    injectors=(
        Injector(
            "drop_out", "dropout", "holes of 20 to 60 ms", injectors.time.drop_out, "of the time", 0.02, 0.25, True
        ),
    ),
    fits=(operations.local.dropout,),
    told=_dropout,
    fits_log_mel=(log_mel.level.hole,),
    told_log_mel=lambda p: (
        f"{plural(p['holes'], 'hole')}, {1000 * p['silence']:.0f} ms in all, with nothing in them",
        "",
    ),
)

TIME_STRUCTURE_LOST = Fault(
    id="time-structure-lost",
    family="time",
    domain="mel",
    title="the material is there, in another order or in none",
    what=(
        "Frames are shuffled, reversed, or averaged over time, so that the long-term spectrum is right and the sound "
        "is not. It comes from exchanged axes, shuffling in a loader, or chunks joined in the wrong order."
    ),
    told_by=(
        "The long-term spectra agree and the spectrograms do not; played backwards, or frame by frame in another "
        "order, they may. It is recognised, not proven."
    ),
    confused_with={
        "different-content": "another performance of one piece has the same long-term spectrum and another order",
        "axes-exchanged": "there bands stand for frames, and the spectrum is wrong as well",
        "segment-replaced": "there most of the sound is in its place",
    },
    fix="check the axes of the mel ([bands, frames] or [frames, bands]), the loader's shuffling, and the joins",
    metric="envelope_correlation",
    injectors=(
        Injector(
            "mel_shuffled",
            "time-structure-lost",
            "frames in another order",
            injectors.mel.frames_shuffled,
            "s",
            0.1,
            2.0,
            geometric=True,
            vocoded=True,
        ),
        Injector(
            "mel_reversed",
            "time-structure-lost",
            "frames from last to first",
            injectors.mel.frames_reversed,
            vocoded=True,
        ),
    ),
)

FAULTS = (DELAY, TRUNCATED, PADDED, SAMPLE_RATE, TIME_STRETCH, WOW, DROPOUT, TIME_STRUCTURE_LOST)
