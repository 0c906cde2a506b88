"""Faults of time: delay, length, rate, pitch, speed, holes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from diagnose.audio import Audio, resample
from diagnose.faults.fault import Fault, each_channel, remade
from diagnose.resynthesis import inverse_stft, stft
from diagnose.spectrogram import Framing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

VOCODER = Framing(n_fft=2048, hop=256, padding="centre")
HOLE_S = (0.02, 0.06)
FADE_S = 0.001


def delay(audio: Audio, seconds: float, rng: np.random.Generator) -> Audio:
    """Silence before the sound."""
    return remade(audio, np.pad(audio.samples, ((0, 0), (round(seconds * audio.rate), 0))))


def truncate(audio: Audio, share: float, rng: np.random.Generator) -> Audio:
    """The end is missing."""
    return remade(audio, audio.samples[:, : max(round((1 - share) * audio.length), 1)])


def pad_tail(audio: Audio, share: float, rng: np.random.Generator) -> Audio:
    """Silence after the sound, as a batch pads its items."""
    return remade(audio, np.pad(audio.samples, ((0, 0), (0, round(share * audio.length)))))


def mislabel_rate(audio: Audio, ratio: float, rng: np.random.Generator) -> Audio:
    """The same samples under another rate: played ratio times as fast."""
    return Audio(audio.samples, round(ratio * audio.rate), audio.name)


def stretch(audio: Audio, factor: float, rng: np.random.Generator) -> Audio:
    """Factor times as long at the same pitch, by a phase vocoder."""
    return each_channel(audio, lambda samples: stretched(samples, factor))


def shift_pitch(audio: Audio, cents: float, rng: np.random.Generator) -> Audio:
    """Higher by cents at the same speed: stretched, then played faster."""
    ratio = 2 ** (cents / 1200)
    longer = stretch(audio, ratio, rng)
    faster = resample(Audio(longer.samples, 48_000, audio.name), round(48_000 / ratio)).samples
    missing = max(audio.length - faster.shape[1], 0)
    return remade(audio, np.pad(faster, ((0, 0), (0, missing)))[:, : audio.length])


def stretched(samples: Floats, factor: float) -> Floats:
    """Phase vocoder: frames are read 1/factor hops apart, and their phases run on at the speed they had.

    Source: Flanagan & Golden, Phase vocoder, 1966; as Ellis writes it (pvoc, 2002).
    """
    spectra = stft(np.pad(samples, (0, VOCODER.hop)), VOCODER)
    places = np.arange(0, len(spectra) - 1, 1 / factor)
    before = places.astype(int)
    part = (places - before)[:, None]
    magnitude = (1 - part) * np.abs(spectra[before]) + part * np.abs(spectra[before + 1])
    advance = np.angle(spectra[before + 1] * np.conj(spectra[before]))
    phase = np.angle(spectra[0]) + np.cumsum(np.concatenate([np.zeros_like(advance[:1]), advance[:-1]]), axis=0)
    return inverse_stft(magnitude * np.exp(1j * phase), VOCODER, round(factor * samples.size))


def drop_out(audio: Audio, share: float, rng: np.random.Generator) -> Audio:
    """Holes of 20 to 60 ms where the sound is not already silent, with 1 ms of fade on either side."""
    envelope = np.ones(audio.length)
    loud = np.flatnonzero(np.abs(audio.mono) > 0.1 * np.abs(audio.mono).max())
    while 1 - envelope.mean() < share:
        width = round(rng.uniform(*HOLE_S) * audio.rate)
        start = max(int(rng.choice(loud)) - width // 2, 0)
        envelope[start : start + width] = 0
    fade = max(round(FADE_S * audio.rate), 1)
    return remade(audio, audio.samples * np.convolve(envelope, np.ones(fade) / fade, "same"))


FAULTS = (
    Fault("delay", "delay", "silence before the sound", delay, "s", 0.07, 0.5, True),
    Fault("truncated", "truncated", "the end is missing", truncate, "of the length", 0.05, 0.5, True),
    Fault("padded_tail", "padded", "silence after the sound", pad_tail, "of the length", 0.05, 0.5, True),
    Fault("rate_label_high", "sample-rate", "labelled with too high a rate", mislabel_rate, "times", 1.03, 2.0, True),
    Fault("rate_label_low", "sample-rate", "labelled with too low a rate", mislabel_rate, "times", 0.97, 0.5, True),
    Fault("pitch_up", "pitch", "higher at the same speed", shift_pitch, "cents", 30.0, 400.0, True),
    Fault("pitch_down", "pitch", "lower at the same speed", shift_pitch, "cents", -30.0, -400.0, True),
    Fault("slower", "time-stretch", "slower at the same pitch", stretch, "times", 1.03, 1.5, True),
    Fault("faster", "time-stretch", "faster at the same pitch", stretch, "times", 0.97, 0.65, True),
    Fault("drop_out", "dropout", "holes of 20 to 60 ms", drop_out, "of the time", 0.02, 0.25, True),
)
