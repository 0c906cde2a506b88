"""Folding: a tone above the lower rate's range comes back at a known place and level, or does not."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from diagnose.analysis import Pair, Signal
from diagnose.audio import Audio
from diagnose.metrics import METRICS

RATE = 32_000
TIME = np.arange(3 * RATE) / RATE


@pytest.fixture
def bright(rng):
    """Noise under 3 kHz, and a tone at 11 kHz, 40 dB under it."""
    spectrum = np.fft.rfft(rng.standard_normal(TIME.size))
    spectrum[np.fft.rfftfreq(TIME.size, 1 / RATE) > 3000] = 0
    low = np.fft.irfft(spectrum, TIME.size)
    return (0.1 * low / low.std() + 0.001 * np.sqrt(2) * np.sin(2 * np.pi * 11_000 * TIME)).astype(np.float32)


def folded(ours, theirs, rate):
    files = Signal(Audio(np.asarray(ours, np.float32)[None], RATE)), Signal(Audio(np.asarray(theirs)[None], rate))
    common = Signal(Audio(soxr.resample(ours, RATE, rate).astype(np.float32)[None], rate)) if rate < RATE else files[0]
    return METRICS["folded_db"].measure(Pair(common, files[1], files))


def test_every_second_sample_folds_what_lies_above(bright):
    found = folded(bright, bright[::2].copy(), RATE // 2)
    assert found.value == pytest.approx(-40.0, abs=0.5)
    assert found.detail["explained"] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("gain", [0.5, -2.0])
def test_whatever_the_gain(bright, gain):
    assert folded(bright, np.float32(gain) * bright[::2], RATE // 2).value == pytest.approx(-40.0, abs=0.5)


def test_straight_lines_between_samples_fold_too(bright):
    rate = 22_050
    read = np.interp(np.arange(3 * rate) * RATE / rate, np.arange(bright.size), bright).astype(np.float32)
    assert folded(bright, read, rate).value > -50


def test_a_filter_folds_nothing(bright):
    good = soxr.resample(bright, RATE, RATE // 2).astype(np.float32)
    assert folded(bright, good, RATE // 2).value < -100


def test_noise_is_not_folded(bright, rng):
    good = soxr.resample(bright, RATE, RATE // 2)
    noisy = (good + 0.01 * rng.standard_normal(good.size)).astype(np.float32)
    assert folded(bright, noisy, RATE // 2).value == -120.0


def test_at_one_rate_there_is_nothing_to_fold(bright):
    assert "rate" in folded(bright, bright, RATE).reason
