"""Faults of the spectrum: bands lost or tilted, holes in time and frequency, phases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnose.injectors.injector import each_channel, remade, rms
from diagnose.resynthesis import inverse_stft, stft
from diagnose.spectrogram import Framing

if TYPE_CHECKING:
    from collections.abc import Callable

    from diagnose.arrays import Floats
    from diagnose.audio import Audio

FRAMING = Framing(n_fft=1024, hop=256, padding="centre")
PIVOT_HZ = 1000.0
LOWEST_HZ = 30.0
TILTED_OCTAVES = 5.0  # above and below the pivot a tilt goes no further
CODEC_BANDS = 20
AUDIBLE_DB = 50.0
CODEC_CHANCE_DB = 8.0
CODEC_FRAMES = 4  # of 256 samples: a granule of MP3 has 576
STOP_DB = -90.0


def _filtered(audio: Audio, gain: Callable[[Floats], Floats]) -> Audio:
    """The sound through a filter without phase, gain(hz) its amplitude response."""
    response = gain(np.fft.rfftfreq(2 * audio.length, 1 / audio.rate))

    def through(samples: Floats) -> Floats:  # twice as long, so that nothing comes round
        return np.fft.irfft(np.fft.rfft(samples, 2 * audio.length) * response, 2 * audio.length)[: audio.length]

    return each_channel(audio, through)


def _smooth_step(hz: Floats, at: float) -> Floats:
    """1 below, 0 above, a raised cosine in log frequency over a tenth of an octave between."""
    octaves = np.log2(np.maximum(hz, 1e-3) / at)
    return 0.5 - 0.5 * np.sin(np.pi * np.clip(octaves / 0.1, -0.5, 0.5))


def low_pass(audio: Audio, cutoff_hz: float, rng: np.random.Generator) -> Audio:
    """Everything above cutoff_hz gone (-90 dB)."""
    return _filtered(audio, lambda hz: np.maximum(_smooth_step(hz, cutoff_hz), 10 ** (STOP_DB / 20)))


def tilt(audio: Audio, db_per_octave: float, rng: np.random.Generator) -> Audio:
    """A straight line in dB over log frequency, 0 dB at 1 kHz."""

    def gain(hz: Floats) -> Floats:
        octaves = np.clip(np.log2(np.maximum(hz, LOWEST_HZ) / PIVOT_HZ), -TILTED_OCTAVES, TILTED_OCTAVES)
        return np.asarray(10 ** (db_per_octave * octaves / 20))

    return _filtered(audio, gain)


def band_gap(audio: Audio, octaves: float, rng: np.random.Generator) -> Audio:
    """A band gone (-90 dB) about the frequency below which half the summed magnitude lies."""
    magnitude = np.abs(stft(audio.mono, FRAMING)).mean(axis=0)
    hz = np.fft.rfftfreq(FRAMING.n_fft, 1 / audio.rate)
    centre = max(float(np.interp(0.5, np.cumsum(magnitude) / magnitude.sum(), hz)), 100.0)
    low, high = centre * 2 ** (-octaves / 2), centre * 2 ** (octaves / 2)
    return _filtered(
        audio, lambda hz: np.maximum(1 - _smooth_step(hz, high) + _smooth_step(hz, low), 10 ** (STOP_DB / 20))
    )


def spectral_holes(audio: Audio, share: float, rng: np.random.Generator) -> Audio:
    """A share of the audible cells of time and frequency zeroed, weak ones first: what a starved codec does.

    Cells are a twentieth of the band by 1024 samples; audible is what lies within 50 dB of the loudest.
    """

    def through(samples: Floats) -> Floats:
        spectra = stft(samples, FRAMING)
        edges = np.linspace(4, spectra.shape[1], CODEC_BANDS + 1).astype(int)
        rows = np.arange(0, len(spectra), CODEC_FRAMES)
        power = np.add.reduceat(np.add.reduceat(np.abs(spectra) ** 2, edges[:-1], axis=1), rows, axis=0)
        # A codec spends its bits on the loud: weakness and chance decide together, over what can be heard.
        level = 10 * np.log10(power + 1e-12)
        rank = level + rng.normal(0, CODEC_CHANCE_DB, power.shape)
        kept = rank >= np.quantile(rank[level > level.max() - AUDIBLE_DB], share)
        mask = np.ones(spectra.shape)
        mask[:, edges[0] :] = np.repeat(np.repeat(kept, CODEC_FRAMES, axis=0)[: len(spectra)], np.diff(edges), axis=1)
        return inverse_stft(spectra * mask, FRAMING, samples.size)

    return each_channel(audio, through)


def random_phase(audio: Audio, share: float, rng: np.random.Generator) -> Audio:
    """Every phase turned by up to share * 180 degrees either way, in all channels alike; the level stays."""
    turn = np.exp(1j * np.pi * share * rng.uniform(-1, 1, stft(audio.mono, FRAMING).shape))
    turned = np.stack([inverse_stft(stft(channel, FRAMING) * turn, FRAMING, audio.length) for channel in audio.samples])
    # Overlapping frames whose phases do not fit cancel by up to 5 dB, which would be a fault of its own.
    return remade(audio, turned * (rms(audio.mono) / max(rms(turned.mean(axis=0)), 1e-12)))
