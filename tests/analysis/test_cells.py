"""Cells: powers of known signals by band, a residual in closed form, and frames that add up."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis.cells import BANDS_HZ, measure_cells, total_db

RATE = 44_100
TIME = np.arange(RATE) / RATE


def cells(ours, theirs, gain=1.0, means=(0.0, 0.0), rate=RATE, copy=True):
    ours, theirs = (np.asarray(side, np.float32) for side in (ours, theirs))
    return measure_cells(ours, theirs, means, gain, rate, copy=copy)


def sine(hz, level=0.5):
    return level * np.sin(2 * np.pi * hz * TIME)


@pytest.mark.parametrize(("hz", "band"), [(200, 0), (600, 1), (1200, 2), (2400, 3), (4800, 4), (9600, 5), (16_000, 6)])
def test_a_sine_has_its_mean_square_in_its_own_band(hz, band):
    found = cells(sine(hz), sine(hz)).reference
    assert found.shape[1] == len(BANDS_HZ)
    assert found[:, band].mean() == pytest.approx(0.125, rel=0.1)  # a bin is 172 Hz wide, and the window two more
    assert np.delete(found, band, axis=1).sum(axis=1).mean() < 0.1 * 0.125


def test_white_noise_has_its_power_in_all_bands_together(rng):
    noise = 0.1 * rng.standard_normal(4 * RATE)
    assert cells(noise, noise).reference.sum(axis=1).mean() == pytest.approx(0.01, rel=0.02)


def test_a_gain_and_the_means_leave_nothing_over(rng):
    noise = 0.1 * rng.standard_normal(RATE)
    found = cells(noise + 0.2, -0.5 * noise - 0.1, gain=-0.5, means=(0.2, -0.1))
    assert total_db(found.residual).max() < -90
    assert found.generated == pytest.approx(found.reference, rel=1e-3)


def test_what_was_added_is_the_residual():
    added = sine(5000, 0.01)
    found = cells(sine(300), 2 * (sine(300) + added), gain=2.0)
    assert found.residual[:, 4].mean() == pytest.approx(0.00005, rel=0.01)


def test_frames_overlap_by_half_and_a_click_lies_in_two():
    click = np.zeros(RATE)
    click[RATE // 2] = 1.0
    found = cells(np.zeros(RATE), click)
    assert found.hop == 128
    assert np.flatnonzero(total_db(found.generated) > -100).size in (1, 2)


def test_a_vocoders_sound_has_no_residual(rng):
    noise = rng.standard_normal(RATE)
    assert cells(noise, noise, copy=False).residual is None


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257])
def test_what_is_shorter_than_a_frame_has_no_cells(size):
    assert len(cells(np.zeros(size), np.zeros(size)).reference) == max(size - 256, -128) // 128 + 1


@pytest.mark.parametrize("rate", [2000, 8000, 16_000, 48_000, 192_000])
def test_bands_end_under_nyquist(rate):
    found = cells(np.ones(rate), np.ones(rate), rate=rate)
    assert found.reference.shape[1] == sum(low < 0.45 * rate for low in BANDS_HZ)
    assert found.hop_s == pytest.approx(0.0029, rel=0.05)
