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
def timeline():
    """timeline(reference, generated, rate) -> their Timeline, the means as a Pair gives them."""

    def make(reference, generated, rate=8000):
        signals = [np.asarray(part, np.float32) for part in (reference, generated)]
        return lay(*(StftCache(part, float(part.mean(dtype=float))) for part in signals), rate)

    return make
