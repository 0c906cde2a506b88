"""The sound that chains are put into."""

import numpy as np
import pytest

RATE = 16_000


@pytest.fixture(scope="package")
def sound():
    """Four bars of chords of decaying partials over a little noise."""
    rng = np.random.default_rng(1)
    time = np.arange(2 * RATE) / RATE
    made = 1e-3 * rng.standard_normal(time.size)
    for bar in range(4):
        since = np.maximum(time - 0.5 * bar, 0.0)
        envelope = np.exp(-4 * since) * (time >= 0.5 * bar) * np.minimum(since / 0.01, 1.0)
        for hz in (110.0, 165.0, 220.0 + 20 * bar):
            made += 0.05 * envelope * sum(np.sin(2 * np.pi * hz * k * time + k) / k for k in range(1, 25))
    return made
