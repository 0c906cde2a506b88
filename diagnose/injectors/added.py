"""Faults that add something: noise, hum, clicks, bursts at the borders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.injectors.injector import factor, remade, rms, times

if TYPE_CHECKING:
    from diagnose.arrays import Floats
    from diagnose.audio import Audio

HARMONICS = (1.0, 0.6, 0.8, 0.3, 0.5, 0.2)  # of a rectifier's hum, by number
CLICK_HEIGHT = 0.7  # of the peak
BURST_S = 0.018
HOP = 256


def _mixed(audio: Audio, added: Floats, level_db: float) -> Audio:
    """The sound with another added to all channels, level_db above the sound's RMS."""
    return remade(audio, audio.samples + added * (factor(level_db) * rms(audio.mono) / max(rms(added), 1e-12)))


def white_noise(audio: Audio, level_db: float, rng: np.random.Generator) -> Audio:
    """The same power at every frequency."""
    return _mixed(audio, rng.standard_normal(audio.length), level_db)


def pink_noise(audio: Audio, level_db: float, rng: np.random.Generator) -> Audio:
    """-3 dB an octave, from 20 Hz up."""
    spectrum = np.fft.rfft(rng.standard_normal(audio.length))
    hz = np.fft.rfftfreq(audio.length, 1 / audio.rate)
    return _mixed(
        audio, np.fft.irfft(spectrum * np.where(hz >= 20, np.maximum(hz, 20) ** -0.5, 0), audio.length), level_db
    )


def hum(audio: Audio, level_db: float, rng: np.random.Generator, mains_hz: float) -> Audio:
    """The mains' frequency and five harmonics."""
    phase = 2 * np.pi * mains_hz * times(audio)
    tones = [height * np.sin(k * phase + rng.uniform(0, 2 * np.pi)) for k, height in enumerate(HARMONICS, 1)]
    return _mixed(audio, np.sum(tones, axis=0), level_db)


def frame_rate_hum(audio: Audio, level_db: float, rng: np.random.Generator) -> Audio:
    """One waveform every 256 samples under the sound: what a bias in a vocoder's upsampling leaves."""
    period = rng.standard_normal(HOP)
    period -= period.mean()
    smooth = np.fft.irfft(np.fft.rfft(period) / (1 + np.arange(HOP // 2 + 1) / 12), HOP)
    return _mixed(audio, np.resize(smooth, audio.length), level_db)


def clicks(audio: Audio, per_second: float, rng: np.random.Generator) -> Audio:
    """Spikes of one or two samples, 0.7 of the peak high, at random places 30 ms or more apart."""
    samples = audio.samples.copy()
    height = CLICK_HEIGHT * float(np.abs(samples).max())
    places = np.arange(0.03, audio.duration_s - 0.03, 0.03)
    count = min(max(round(per_second * audio.duration_s), 1), places.size)
    for place in rng.choice(places, count, replace=False):
        at = round((place + rng.uniform(0, 0.004)) * audio.rate)
        samples[:, at : at + rng.integers(1, 3)] += height * rng.choice((-1, 1))
    return remade(audio, samples)


def edge_burst(audio: Audio, level_db: float, rng: np.random.Generator, side: str) -> Audio:
    """Noise in the first or last 18 ms."""
    width = min(round(BURST_S * audio.rate), audio.length)
    burst = np.zeros(audio.length)
    where = slice(0, width) if side == "left" else slice(audio.length - width, audio.length)
    burst[where] = rng.standard_normal(width) * rms(audio.mono) * factor(level_db)
    return remade(audio, audio.samples + burst)
