"""Faults of time: delay, length, rate, pitch, speed, holes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.audio import Audio, resample
from diagnose.injectors.injector import remade, rms
from diagnose.resynthesis import inverse_stft, stft
from diagnose.spectrogram import Framing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from diagnose.arrays import Floats

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
    """Factor times as long at the same pitch and level, by a phase vocoder."""
    longer = stretched(audio.samples.astype(np.float64), factor)
    # Phases that no longer fit each other cost a few dB, which would be a fault of its own.
    return remade(audio, longer * (rms(audio.mono) / max(rms(longer.mean(axis=0)), 1e-12)))


def shift_pitch(audio: Audio, cents: float, rng: np.random.Generator) -> Audio:
    """Higher by cents at the same speed: stretched, then played faster."""
    ratio = 2 ** (cents / 1200)
    longer = stretch(audio, ratio, rng)
    faster = resample(Audio(longer.samples, 48_000, audio.name), round(48_000 / ratio)).samples
    missing = max(audio.length - faster.shape[1], 0)
    return remade(audio, np.pad(faster, ((0, 0), (0, missing)))[:, : audio.length])


def stretched(samples: Floats, factor: float) -> Floats:
    """Phase vocoder: frames are read 1/factor hops apart, and their phases run on at the speed they had.

    samples: [shape=(channels, n)].  Every bin turns as the nearest peak of the mix does, in all channels alike, so
    that neither a partial nor the middle of the stereo image cancels itself.
    Source: Flanagan & Golden, Phase vocoder, 1966; locked to peaks as by Laroche & Dolson, 1999.
    """
    padded = np.pad(samples, ((0, 0), (0, VOCODER.hop)))
    mix = stft(padded.mean(axis=0), VOCODER)
    places = np.arange(0, len(mix) - 1, 1 / factor)
    before = places.astype(int)
    part = (places - before)[:, None]
    advance = np.angle(mix[before + 1] * np.conj(mix[before]))
    phase = np.angle(mix[0]) + np.cumsum(np.concatenate([np.zeros_like(advance[:1]), advance[:-1]]), axis=0)
    turn = np.take_along_axis(phase - np.angle(mix[before]), _nearest_peak(np.abs(mix[before])), axis=1)

    def through(channel: Floats) -> Floats:
        spectra = stft(channel, VOCODER)
        magnitude = (1 - part) * np.abs(spectra[before]) + part * np.abs(spectra[before + 1])
        turned = magnitude * np.exp(1j * (np.angle(spectra[before]) + turn))
        return inverse_stft(turned, VOCODER, round(factor * samples.shape[1]))

    return np.stack([through(channel) for channel in padded])


def _nearest_peak(magnitude: Floats) -> NDArray[np.intp]:
    """Index of the nearest local maximum along each row [shape=(frames, bins)]; bin 0 where a row has none."""
    bins = np.arange(magnitude.shape[1])
    edged = np.pad(magnitude, ((0, 0), (1, 1)), constant_values=-1)
    peak = (magnitude > edged[:, :-2]) & (magnitude >= edged[:, 2:])
    peak[:, 0] |= ~peak.any(axis=1)
    below = np.maximum.accumulate(np.where(peak, bins, -bins.size), axis=1)
    above = np.minimum.accumulate(np.where(peak, bins, 2 * bins.size)[:, ::-1], axis=1)[:, ::-1]
    return np.where(bins - below <= above - bins, below, above)


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
