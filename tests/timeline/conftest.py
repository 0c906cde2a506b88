"""Sounds whose timeline is known, and the timeline of a pair."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.stft_cache import StftCache
from diagnose.timeline import lay


@pytest.fixture(scope="session")
def white():
    """white(size, seed) -> white noise of RMS 0.1, float32 [shape=(size,)]."""

    def make(size, seed=1):
        return (0.1 * np.random.default_rng(seed).standard_normal(size)).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def low():
    """low(size, share, seed) -> noise of RMS 0.1 below a share of half the rate, float32 [shape=(size,)]."""

    def make(size, share=0.25, seed=2):
        spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(size))
        spectrum[int(share * spectrum.size) :] = 0
        sound = np.fft.irfft(spectrum, size)
        return (0.1 * sound / sound.std()).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def syllables():
    """syllables(lengths, seed, voice, phases) -> at 8 kHz, one of each length in samples, RMS 0.1, float32.

    seed: what is said, three formants and a pitch each.  voice: Hz.  phases: those of the harmonics, random.
    """

    def make(lengths, seed=1, voice=120.0, phases=0):
        rng, turn = np.random.default_rng(seed), np.random.default_rng(1000 + phases)
        parts = []
        for size in lengths:
            pitch = voice * rng.uniform(0.8, 1.3)
            formants = rng.uniform([250, 800, 2200], [800, 2200, 3600])[:, None]
            harmonics = np.arange(pitch, 3900, pitch)
            levels = np.exp(-np.square((harmonics - formants) / 120)).sum(axis=0) + 1e-3
            angles = 2 * np.pi * np.outer(harmonics, np.arange(size) / 8000)
            wave = levels @ np.sin(angles + turn.uniform(0, 2 * np.pi, (harmonics.size, 1)))
            parts.append(wave * np.sqrt(np.sin(np.pi * (np.arange(size) + 0.5) / size)))
        sound = np.concatenate(parts)
        return (0.1 * sound / sound.std()).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def timeline():
    """timeline(reference, generated, rate) -> their Timeline, the means as a Pair gives them."""

    def make(reference, generated, rate=8000):
        signals = [np.asarray(part, np.float32) for part in (reference, generated)]
        return lay(*(StftCache(part, float(part.mean(dtype=float))) for part in signals), rate)

    return make
