"""Swings: dips and bursts of known depth and place; a hum in one band alone is none."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis.cells import measure_cells
from diagnose.analysis.swings import measure_swings

RATE = 22_050


def swings(ours, theirs):
    sides = (np.asarray(side, np.float32) for side in (ours, theirs))
    return measure_swings(measure_cells(*sides, (0.0, 0.0), 1.0, RATE, copy=False))


@pytest.fixture
def noise(rng):
    return 0.1 * rng.standard_normal(4 * RATE)


def changed(samples, gain_db, start=2.0, end=2.5):
    made = samples.copy()
    made[round(start * RATE) : round(end * RATE)] *= 10 ** (gain_db / 20)
    return made


def test_a_sound_and_itself_swing_by_nothing(noise):
    found = swings(noise, noise)
    assert not found.dips.any()
    assert not found.bursts.any()


@pytest.mark.parametrize("depth", [6.0, 12.0, 20.0])
def test_a_dip_is_as_deep_as_it_is_and_where_it_is(noise, depth):
    found = swings(noise, changed(noise, -depth))
    assert found.dips.min() == pytest.approx(-depth, abs=0.5)
    at = np.argmin(found.dips) * found.hop_s
    assert 1.99 <= at <= 2.5 - found.length_s + 0.01
    assert found.length_s == pytest.approx(0.1, rel=0.1)


def test_a_burst_is_as_high_as_it_is(noise):
    found = swings(noise, changed(noise, 12.0))
    assert found.bursts.max() == pytest.approx(12.0, abs=0.5)
    assert found.dips.min() > -0.1


def test_in_a_pause_levels_end_25_db_under_the_loud(noise):
    """Loud frames are 1 dB over the mean, and from 0.4 to 6.4 kHz lies half of what reaches to 11 kHz."""
    silent = changed(noise, -200.0)
    expected = 25 - 1 + 10 * np.log10(6 / 11)
    assert swings(silent, noise).bursts.max() == pytest.approx(expected, abs=1.0)
    assert swings(noise, silent).dips.min() == pytest.approx(-expected, abs=1.0)


def test_a_hum_under_400_hz_is_no_burst(noise):
    hum = 2.0 * np.sin(2 * np.pi * 100 * np.arange(noise.size) / RATE) * (np.arange(noise.size) > 2 * RATE)
    assert swings(noise, noise + hum).bursts.max() < 1.0


def test_half_a_window_counts_by_half(noise):
    found = swings(noise, changed(noise, -200.0, 2.0, 2.05))
    assert found.dips.min() == pytest.approx(-3.0, abs=0.7)
