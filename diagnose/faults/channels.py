"""Faults between the channels: one for another, one for all, or one after the other.

Any other cause may be of one channel alone; the report then says of which.
"""

from __future__ import annotations

from diagnose import injectors
from diagnose.faults.fault import Fault
from diagnose.injectors import Injector

MONO_STEREO = Fault(
    id="mono-stereo",
    family="channels",
    title="channels became one, or one of them is silent",
    what=(
        "The number of channels that hold a sound of their own has changed. It comes from a mix to mono, a read of "
        "samples[:, 0], a vocoder for mono behind a stereo reference, or mid and side that were not turned back."
    ),
    told_by=(
        "Each generated channel is held against each channel of the reference, their mean and their difference, by "
        "least squares. What a channel is a copy of is measured, and so proven."
    ),
    confused_with={
        "channel-swapped": "there every channel is still there, in another place",
        "gain": "a mono copy of two channels may be louder or quieter than both",
        "channels-interleaved": "there one channel holds the samples of two in turn",
    },
    fix="pass all channels on, or compare with the mono mix of the reference, samples.mean(axis=1)",
    metric="mixed_channels",
    injectors=(
        Injector(
            "to_mono",
            "mono-stereo",
            "two channels mixed into one",
            injectors.level.to_mono,
            needs=injectors.level.is_stereo,
        ),
        Injector(
            "dead_channel",
            "mono-stereo",
            "one channel silent",
            injectors.level.dead_channel,
            needs=injectors.level.is_stereo,
            metric="channel_level_db",  # what is silent is no mix
        ),
    ),
)

CHANNEL_SWAPPED = Fault(
    id="channel-swapped",
    family="channels",
    title="channels are exchanged",
    what=(
        "Left and right, or other channels, stand in each other's place. It comes from the order of a container "
        "(5.1 has several), from a stack along the wrong axis, or from a swapped cable."
    ),
    told_by=(
        "Each generated channel is held against each channel of the reference by least squares. Channels that differ "
        "by less than -40 dB cannot be told from each other."
    ),
    confused_with={"mono-stereo": "there a channel is lost, and another stands in several places"},
    fix="check the order of channels where they are split, stacked or written: left first; for 5.1 the container's",
    metric="misplaced_channels",
)

CHANNELS_INTERLEAVED = Fault(
    id="channels-interleaved",
    family="channels",
    domain="interface",
    title="the samples of several channels are read as one",
    what=(
        "Samples of two channels stand in turn in a file, and were read as one channel of twice the length. Played "
        "so, the sound is an octave too low and harsh."
    ),
    told_by="Every second sample, taken alone, is the waveform of a channel of the reference: that is the proof.",
    confused_with={
        "sample-rate": "a wrong rate has the same length and pitch, without the harsh tone at the top",
        "bytes-misread": "there the bytes of a single sample are mistaken",
    },
    fix="read with the number of channels that were written: samples.reshape(-1, channels)",
    metric="duration_s",
)

FAULTS = (MONO_STEREO, CHANNEL_SWAPPED, CHANNELS_INTERLEAVED)
