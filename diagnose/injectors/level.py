"""Faults of amplitude, sample by sample: gain, bias, clipping, polarity, word length, channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.injectors.injector import factor, remade, rms

if TYPE_CHECKING:
    from diagnose.audio import Audio

LEAST_SIDE = 0.01


def gain(audio: Audio, level_db: float, rng: np.random.Generator) -> Audio:
    """x * 10**(dB / 20)."""
    return remade(audio, audio.samples * factor(level_db))


def dc_offset(audio: Audio, share: float, rng: np.random.Generator) -> Audio:
    """x + share * rms(x)."""
    return remade(audio, audio.samples + share * rms(audio.mono))


def hard_clip(audio: Audio, share: float, rng: np.random.Generator) -> Audio:
    """The loudest share of the samples cut flat."""
    level = np.quantile(np.abs(audio.samples), 1 - share)
    return remade(audio, np.clip(audio.samples, -level, level))


def soft_clip(audio: Audio, drive: float, rng: np.random.Generator) -> Audio:
    """tanh(d x / q) q / d with q the amplitude that 1 % of the samples exceed: gain 1 for small samples."""
    scale = drive / max(float(np.quantile(np.abs(audio.samples), 0.99)), 1e-9)
    return remade(audio, np.tanh(audio.samples.astype(np.float64) * scale) / scale)


def invert(audio: Audio, amount: float, rng: np.random.Generator) -> Audio:
    """-x."""
    return remade(audio, -audio.samples)


def quantise(audio: Audio, bits: float, rng: np.random.Generator) -> Audio:
    """Rounded to 2**bits steps between -1 and 1, without dither."""
    step = 2.0 ** (1 - bits)
    return remade(audio, np.round(audio.samples / step) * step)


def to_mono(audio: Audio, amount: float, rng: np.random.Generator) -> Audio:
    """One channel, the mean of all."""
    return remade(audio, audio.mono)


def dead_channel(audio: Audio, amount: float, rng: np.random.Generator) -> Audio:
    """One of the channels silent."""
    samples = audio.samples.copy()
    samples[rng.integers(audio.channels)] = 0
    return remade(audio, samples)


def is_stereo(audio: Audio) -> bool:
    """Whether two channels differ by more than -40 dB."""
    if audio.channels != 2:
        return False
    side = rms(audio.samples[0] - audio.samples[1]) / 2
    return side > LEAST_SIDE * rms(audio.mono)
