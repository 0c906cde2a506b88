"""Combs in spectra that are drawn line by line: what is on a tooth, which teeth are filled, which comb is named."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis.comb import BestComb, Comb, best_comb, fine_spectrum, shares

HZ = np.arange(8001.0)  # a bin a hertz


def lines(*hz, of=HZ, level=1.0):
    """Power at these frequencies alone."""
    power = np.zeros(of.size)
    power[np.searchsorted(of, hz)] = level
    return power


def teeth(spacing, most=8000.0, of=HZ):
    return lines(*np.arange(spacing, most + 1, spacing), of=of)


def share(power, spacing, of=HZ):
    (found,) = shares(power, of, (spacing,))
    return found


# Shares


@pytest.mark.parametrize("level", [1.0, 1e-9])
def test_the_share_is_that_of_the_energy_on_the_comb_less_that_of_the_bins(level):
    power = level * (teeth(100.0) + lines(150.0, level=80.0))
    chance = 3 * 80 / (8001 - 21)  # three bins a tooth, from 20 Hz on; of the last one two
    assert share(power, 100.0) == pytest.approx((0.5 - chance) / (1 - chance), abs=1e-4)


def test_silence_is_no_comb():
    assert share(np.zeros(HZ.size), 100.0) == 0.0


@pytest.mark.parametrize(("hz", "counts"), [(20.0, False), (21.0, True), (25.0, True)])
def test_what_is_heard_begins_over_20_hz(hz, counts):
    power = teeth(100.0) + lines(hz, level=80.0)
    assert share(power, 100.0) == pytest.approx(0.5 if counts else 1.0, abs=0.02)


def test_a_tooth_at_20_hz_is_not_heard():
    assert share(lines(20.0, level=1e6) + 1.0, 20.0) == pytest.approx(0.0, abs=1e-9)


def test_the_first_tooth_counts():
    assert share(lines(100.0), 100.0) == pytest.approx(1.0)


@pytest.mark.parametrize(("hz", "on"), [(98.0, False), (99.0, True), (102.0, True), (103.0, False)])
def test_a_tooth_is_a_bin_and_a_half_wide_to_either_side(hz, on):
    assert share(lines(hz), 100.5) == pytest.approx(1.0 if on else 0.0)


@pytest.mark.parametrize(("spacing", "told"), [(5.0, False), (7.0, True)])
def test_a_comb_of_over_half_of_all_bins_is_not_told(spacing, told):
    assert share(teeth(spacing), spacing) == pytest.approx(1.0 if told else 0.0)


# Filled teeth


@pytest.mark.parametrize(("times", "filled"), [(3.5, 0.0), (4.5, 1.0)])
def test_a_tooth_is_filled_from_four_times_the_density_between_the_teeth(times, filled):
    power = np.ones(HZ.size)
    for step in (-1, 0, 1):
        power[np.arange(100, 8000, 100) + step] = times
    assert Comb(power, HZ, 100.0).filled == pytest.approx(filled, abs=0.02)


@pytest.mark.parametrize(("spacing", "filled"), [(2600.0, 0.0), (2000.0, 1.0)])
def test_under_four_teeth_are_no_comb(spacing, filled):
    assert Comb(teeth(spacing), HZ, spacing).filled == filled


def test_teeth_are_counted_up_to_where_the_sound_ends():
    assert Comb(teeth(100.0, 4000.0), HZ, 100.0).filled == 1.0


def test_teeth_are_counted_up_to_8_khz():
    hz = np.arange(16001.0)
    noise = np.full(hz.size, 1e-4)  # within 60 dB, so that the sound goes on
    assert Comb(teeth(100.0, 8000.0, hz) + noise, hz, 100.0).filled == 1.0


def test_the_value_is_the_share_times_the_square_of_the_filled():
    every_second = Comb(teeth(200.0), HZ, 100.0)
    assert every_second.filled == pytest.approx(0.5, abs=0.01)
    assert every_second.value == pytest.approx(every_second.share * every_second.filled**2)
    assert every_second.value == pytest.approx(0.25, abs=0.01)


# The known hops


@pytest.mark.parametrize(
    ("rate", "spacing", "named"),
    [
        (22050, 22050 / 256, (256, 22050)),
        (24000, 24000 / 300, (300, 24000)),
        (44100, 24000 / 300, (300, 24000)),  # a hum that was resampled; no hop at 44.1 kHz has it
    ],
)
def test_the_hop_and_the_rate_of_a_comb_are_named(rate, spacing, named):
    hz = np.arange(0, 8001, 0.5)
    power = np.zeros(hz.size)
    power[np.rint(np.arange(spacing, 8000, spacing) / 0.5).astype(int)] = 1.0
    found = best_comb(power, hz, rate)
    assert (found.hop_samples, found.hop_rate_hz) == named
    assert found.spacing_hz == pytest.approx(spacing)
    assert found.value > 0.9
    assert set(found.detail) == {"hop_samples", "hop_rate_hz", "spacing_hz", "filled"}


def test_without_a_comb_none_is_named():
    found = best_comb(np.ones(HZ.size), HZ, 22050)
    assert found == BestComb(0.0, None, 0, 0.0, 0.0)
    assert found.detail == {}


# The spectrum


@pytest.mark.parametrize(
    ("rate", "seconds", "size"), [(16000, 2.0, 8192), (22050, 2.0, 16384), (48000, 2.0, 32768), (16000, 0.4, 4096)]
)
def test_the_windows_last_up_to_three_quarters_of_a_second_and_the_bins_go_to_8_khz(rng, rate, seconds, size):
    _, hz = fine_spectrum(0.1 * rng.standard_normal(round(seconds * rate)).astype(np.float32), rate, 0.0)
    assert hz[1] == pytest.approx(rate / size)
    assert hz[-2] < 8000 <= hz[-1]


def test_4096_samples_are_enough():
    assert fine_spectrum(np.ones(4095, np.float32), 16000, 0.0) is None
    assert fine_spectrum(np.ones(4096, np.float32), 16000, 0.0) is not None
