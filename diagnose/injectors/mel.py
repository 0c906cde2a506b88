"""Faults at the mel interface: a sound's mel in one convention, read by a synthesis that expects another.

The synthesis stands for a vocoder of BigVGAN's convention at 22,050 Hz: ln(max(mel of |STFT|, 1e-5)), 80 bands to
8 kHz, hop 256.  Like a network it has never seen values over ln 12 and gives no sample beyond full scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from diagnose.audio import Audio, resample
from diagnose.example import misfed_vocoder
from diagnose.resynthesis import griffin_lim, magnitude_from_mel
from diagnose.scale import Magnitude, Power
from diagnose.spectrogram import MelGrid, mel

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.arrays import Floats

GRID = MelGrid(22_050)
CLIP = 1e-5
LOUDEST_NATS = 2.5
FLOOR_DB = -80.0
LEAST_LEVEL_DB = 2.0


def spoken(log_mel: Floats, length: int, rng: np.random.Generator, grid: MelGrid = GRID) -> Audio:
    """What the vocoder makes of values [shape=(bands, frames)] it takes for ln(magnitude)."""
    magnitude = np.exp(np.clip(log_mel, np.log(CLIP), LOUDEST_NATS))
    samples = griffin_lim(magnitude_from_mel(magnitude, grid), grid.framing, length, rng)
    return Audio(np.clip(samples, -1, 1)[None].astype(np.float32), grid.rate, "vocoder")


def magnitudes(audio: Audio, grid: MelGrid = GRID) -> Floats:
    """Mel of the magnitudes [shape=(bands, frames)], at least 1e-5."""
    return np.maximum(mel(_samples(audio), grid, Magnitude()).values.astype(np.float64), CLIP)


def _samples(audio: Audio) -> Floats:
    return resample(audio, GRID.rate).mono


def decibels(magnitude: Floats) -> Floats:
    """20 log10 under the maximum, down to -80: librosa's amplitude_to_db(ref=np.max)."""
    return np.maximum(20 * np.log10(magnitude / magnitude.max()), FLOOR_DB)


def given(audio: Audio, amount: float, rng: np.random.Generator, values: Callable[[Floats], Floats]) -> Audio:
    """values(magnitude) given to the vocoder as if it were ln(magnitude)."""
    return spoken(values(magnitudes(audio)), _samples(audio).size, rng)


def linear_power(audio: Audio, amount: float, rng: np.random.Generator) -> Audio:
    """Mel of the power, as librosa's melspectrogram returns it, given as ln(magnitude)."""
    return spoken(mel(_samples(audio), GRID, Power()).values.astype(np.float64), _samples(audio).size, rng)


def level_lost(audio: Audio, amount: float, rng: np.random.Generator) -> Audio:
    """dB under the maximum, turned back without the maximum: the loudest band comes out as 1."""
    magnitude = magnitudes(audio)
    return spoken(np.log(magnitude / magnitude.max()), _samples(audio).size, rng)


def has_a_level(audio: Audio) -> bool:
    """Whether the loudest band is 2 dB or more from the 1 that a lost level leaves."""
    return bool(abs(20 * np.log10(magnitudes(audio).max())) > LEAST_LEVEL_DB)


def wrong_range(audio: Audio, fmax: float, rng: np.random.Generator) -> Audio:
    """A mel up to fmax read as one up to 8 kHz."""
    grid = msgspec.structs.replace(GRID, fmax=fmax)
    return spoken(np.log(magnitudes(audio, grid)), _samples(audio).size, rng)


def wrong_formula(audio: Audio, amount: float, rng: np.random.Generator) -> Audio:
    """A mel by HTK's formula read as one by Slaney's."""
    grid = msgspec.structs.replace(GRID, formula="htk")
    return spoken(np.log(magnitudes(audio, grid)), _samples(audio).size, rng)


def wrong_hop(audio: Audio, hop: float, rng: np.random.Generator) -> Audio:
    """Frames 256 samples apart, laid hop samples apart."""
    values = np.log(magnitudes(audio))
    grid = msgspec.structs.replace(GRID, hop=2 * round(hop / 2))
    return spoken(values, values.shape[1] * grid.hop, rng, grid)


def frames_shuffled(audio: Audio, seconds: float, rng: np.random.Generator) -> Audio:
    """Frames in an order of their own within stretches of some length."""
    values = np.log(magnitudes(audio))
    width = max(round(seconds * GRID.rate / GRID.hop), 2)
    order = np.concatenate(
        [start + rng.permutation(min(width, values.shape[1] - start)) for start in range(0, values.shape[1], width)]
    )
    return spoken(values[:, order], _samples(audio).size, rng)


def frames_reversed(audio: Audio, amount: float, rng: np.random.Generator) -> Audio:
    """Frames from the last to the first."""
    return spoken(np.log(magnitudes(audio))[:, ::-1], _samples(audio).size, rng)


def hummed(audio: Audio, bias: float, rng: np.random.Generator) -> Audio:
    """Linear values given to a vocoder that makes one waveform of one frame: it hums at the frame rate."""
    return misfed_vocoder(audio, GRID.rate, bias)
