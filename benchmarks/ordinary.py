"""Ordinary lossy copies, which are no faults: what a diagnosis should have nothing to explain in.

    for name, copy in ORDINARY.items():
        ...  # copy(audio) has the rate and the length of audio

A codec's delay is left as its decoder leaves it; what it gives beyond the length is cut off.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import foreign_tools as tools
import numpy as np
import soundfile
import soxr

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.audio import Audio

RESAMPLED_HZ = 48_000
RESAMPLED_OTHERWISE_HZ = 44_100  # of a sound that has 48 kHz already
VORBIS_QUALITY = 0.5  # libvorbis' q5, of -0.1 to 1; libsndfile calls 1 - quality the compression level


def sixteen_bits(audio: Audio) -> Audio:
    """16 bits without dither by libsndfile, which rounds down where it is told to clip, as soundfile does."""
    return tools.sndfile(audio, "PCM_16", 1.0)


def dithered(audio: Audio) -> Audio:
    """16 bits with triangular dither, by ffmpeg's resampler."""
    filters = ["-af", "aresample=osf=s16:dither_method=triangular", "-c:a", "pcm_s16le"]
    return tools.ffmpeg_codec(audio, "dithered.wav", filters)


def resampled(audio: Audio) -> Audio:
    """To 48 kHz and back by soxr; a sound at 48 kHz to 44.1 kHz and back."""
    other = RESAMPLED_HZ if audio.rate != RESAMPLED_HZ else RESAMPLED_OTHERWISE_HZ
    there = soxr.resample(audio.samples.T, audio.rate, other)
    return tools.fitted(audio, np.asarray(soxr.resample(there, other, audio.rate)).T)


def mp3(audio: Audio) -> Audio:
    """128 kbit/s by LAME."""
    return tools.ffmpeg_codec(audio, "copy.mp3", ["-c:a", "libmp3lame", "-b:a", "128k"])


def vorbis(audio: Audio) -> Audio:
    """Vorbis q5 by libsndfile."""
    file = io.BytesIO()
    level = 1 - VORBIS_QUALITY
    soundfile.write(file, audio.samples.T, audio.rate, format="OGG", subtype="VORBIS", compression_level=level)
    file.seek(0)
    samples, _ = soundfile.read(file, dtype="float32", always_2d=True)
    return tools.fitted(audio, samples.T)


def opus(audio: Audio) -> Audio:
    """64 kbit/s by libopus, which works at 48 kHz; the sound is resampled to that and back."""
    return tools.ffmpeg_codec(audio, "copy.opus", ["-ar", "48000", "-c:a", "libopus", "-b:a", "64k"])


BY_FFMPEG = ("16 bit, dithered", "MP3 128k", "Opus 64k")
ORDINARY: dict[str, Callable[[Audio], Audio]] = {
    "16 bit": sixteen_bits,
    "16 bit, dithered": dithered,
    "resampled": resampled,
    "MP3 128k": mp3,
    "Vorbis q5": vorbis,
    "Opus 64k": opus,
}


def available() -> dict[str, Callable[[Audio], Audio]]:
    """The copies that can be made here: without ffmpeg, not those that need it."""
    return {name: copy for name, copy in ORDINARY.items() if name not in BY_FFMPEG or tools.is_installed("ffmpeg")}
