"""Spectral frames: which of them hold sound, and the pieces of the passes over them, in closed form."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from diagnose.analysis.spectra import FRAMING, SpectralFrames, analyse, cutoff, rolloff, summed_energy
from diagnose.spectrogram import frames_per_block
from diagnose.stft_cache import StftCache

RATE = 22050


def frames(power):
    nothing = np.zeros(len(power))
    return SpectralFrames(power, nothing, nothing, nothing, nothing, nothing, nothing, nothing)


@pytest.mark.parametrize("loudest_db", [0.0, -90.0, 50.0])
def test_a_frame_holds_sound_within_60_db_of_the_loudest(loudest_db):
    power = 10 ** ((loudest_db + np.array([0.0, -59.5, -60.5, -200.0])) / 10)
    assert frames(power).sounding.tolist() == [True, True, False, False]
    assert not frames(power).silent


def test_silence_holds_no_sound():
    assert not frames(np.zeros(3)).sounding.any()
    assert frames(np.zeros(3)).silent


def test_at_60_db_under_the_loudest_it_holds_none():
    assert frames(np.array([1.0, 1e-6])).sounding.tolist() == [True, False]
    assert frames(np.array([1.0, 1.01e-6])).sounding.all()
    assert frames(np.array([0.0, 0.0])).silent


# Passes over the spectra


def stft(samples):
    return np.abs(librosa.stft(samples.astype(np.float32), n_fft=2048, hop_length=512, pad_mode="constant")) ** 2


def test_the_power_of_a_frame_is_that_of_the_bins_from_the_second_on(rng):
    samples = np.sin(2 * np.pi * np.arange(20_000) * 2 / 2048) + 0.1 * rng.standard_normal(20_000)  # a line on bin 2
    found = analyse(StftCache(samples.astype(np.float32), 0.0), RATE)
    assert found.power == pytest.approx(stft(samples)[2:].sum(axis=0), rel=1e-4)


def test_frames_that_are_cut_do_not_count_in_the_long_term_wherever_a_block_ends(rng):
    at_once = frames_per_block(FRAMING)
    for count in (at_once, at_once + 1, at_once + 2, at_once + 3):  # the last frames are cut, and may be a block
        samples = rng.standard_normal(512 * (count - 1)).astype(np.float32)
        expected = stft(samples)[:, 2:-2].mean(axis=1)
        np.testing.assert_allclose(analyse(StftCache(samples, 0.0), RATE).long_term, expected, rtol=1e-4)


# Roll-off and cut-off of spectra that are drawn


@pytest.mark.parametrize(("bins", "share", "at"), [(60, 0.85, 50), (60, 0.5, 29), (1000, 0.5, 499), (64, 1.0, 63)])
def test_the_roll_off_of_a_flat_spectrum_is_the_bin_that_reaches_the_share(bins, share, at):
    hz = np.arange(float(bins))
    assert rolloff(np.ones((1, bins), np.float32), hz, (share,))[0] == [at]


@pytest.mark.parametrize(("line", "at"), [(10, 10), (31, 31), (32, 32), (40, 40), (63, 63), (64, 64)])
def test_the_roll_off_of_two_lines_is_the_second(line, at):
    magnitude = np.zeros((1, 70), np.float32)
    magnitude[0, [3, line]] = 0.1, 1.0
    assert rolloff(magnitude, np.arange(70.0), (0.85,))[0] == [at]


@pytest.mark.parametrize(("db", "hz"), [(-59.9, 300.0), (-60.1, 100.0), (-62.0, 100.0)])
def test_the_cut_off_is_the_highest_frequency_over_minus_60_db(db, hz):
    power = np.full(512, 1e-9)
    power[100], power[300] = 1.0, 10 ** (db / 10)
    assert cutoff(power, np.arange(512.0)) == hz


def test_summed_energy_counts_a_bin_for_half_a_bin_to_either_side_and_its_negative_twin():
    edges, summed = summed_energy(np.array([1.0, 10.0, 100.0, 1000.0]), np.array([0.0, 2.0, 4.0, 6.0]))
    assert edges.tolist() == [0.0, 1.0, 3.0, 5.0, 6.0]
    assert summed.tolist() == [0.0, 1.0, 21.0, 221.0, 1221.0]
