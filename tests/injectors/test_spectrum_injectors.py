"""Faults of the spectrum, on white noise, whose spectrum is known to be flat."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from diagnose import example
from diagnose.audio import Audio
from diagnose.injectors.injector import rms
from diagnose.injectors.spectrum import FRAMING, band_gap, low_pass, random_phase, spectral_holes, tilt
from diagnose.resynthesis import stft

RATE = 44_100


@pytest.fixture
def noise(rng):
    return Audio(0.1 * rng.standard_normal((1, 4 * RATE)).astype(np.float32), RATE)


def response(before, after, window="blackmanharris"):
    """(Hz, dB) of what went through."""
    hz, ours = welch(before.mono.astype(np.float64), RATE, window, 8192)
    _, theirs = welch(after.mono.astype(np.float64), RATE, window, 8192)
    return hz, 10 * np.log10(theirs / ours)


@pytest.mark.parametrize("cutoff_hz", [1000.0, 3000.0, 9000.0])
def test_a_low_pass_keeps_below_and_takes_80_db_above(noise, rng, cutoff_hz):
    hz, gain = response(noise, low_pass(noise, cutoff_hz, rng))
    assert gain[(hz > 20) & (hz < 0.93 * cutoff_hz)] == pytest.approx(0, abs=0.1)
    assert gain[hz > 1.1 * cutoff_hz].max() < -80


@pytest.mark.parametrize("db_per_octave", [-6.0, -1.0, 1.0, 6.0])
def test_a_tilt_is_a_line_over_log_frequency_through_1_khz(noise, rng, db_per_octave):
    hz, gain = response(noise, tilt(noise, db_per_octave, rng))
    inside = (hz > 100) & (hz < 20_000)
    slope, offset = np.polyfit(np.log2(hz[inside] / 1000), gain[inside], 1)
    assert slope == pytest.approx(db_per_octave, abs=0.05)
    assert offset == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("octaves", [0.2, 1.6])
def test_a_gap_lies_in_the_middle_of_the_spectrum(noise, rng, octaves):
    hz, gain = response(noise, band_gap(noise, octaves, rng))
    centre = RATE / 4  # half of white noise lies below
    away = np.abs(np.log2(np.maximum(hz, 1) / centre))
    assert gain[away < octaves / 2 - 0.07].max() < -60
    assert gain[(away > octaves / 2 + 0.07) & (hz > 50)] == pytest.approx(0, abs=0.1)


def test_a_filter_adds_no_delay(rng):
    click = np.zeros((1, 4001), np.float32)
    click[0, 2000] = 1
    out = low_pass(Audio(click, RATE), 5000.0, rng).samples[0]
    assert np.argmax(np.abs(out)) == 2000
    assert out[2000 - 500 : 2000] == pytest.approx(out[2001:2501][::-1], abs=1e-6)


@pytest.mark.parametrize("share", [0.15, 0.5])
def test_holes_take_their_share_of_the_cells_and_the_weak_first(noise, rng, share):
    holed = spectral_holes(noise, share, rng)
    before, after = (np.abs(stft(sound.mono.astype(np.float64), FRAMING)) ** 2 for sound in (noise, holed))
    edges = np.linspace(4, before.shape[1], 21).astype(int)
    cells = [np.add.reduceat(np.add.reduceat(p, edges[:-1], axis=1), np.arange(0, len(p), 4)) for p in (before, after)]
    change = 10 * np.log10(cells[1] / cells[0])
    # Frames overlap and fill a hole from both sides, so a hole is not empty: 3 dB down is one.
    assert (change < -3).mean() == pytest.approx(share, abs=0.08)
    assert cells[0][change < -3].mean() < cells[0][change > -1].mean()


def test_more_holes_take_more(rng):
    note = example.bowed_string(seconds=1.0)
    lost = [rms(spectral_holes(note, share, np.random.default_rng(0)).mono - note.mono) for share in (0.15, 0.4, 0.75)]
    assert 0 < lost[0] < lost[1] < lost[2] < rms(note.mono)


def test_phases_that_are_not_turned_leave_the_sound(noise, rng):
    np.testing.assert_allclose(random_phase(noise, 0.0, rng).samples, noise.samples, rtol=0, atol=1e-6)


def test_turned_phases_keep_the_magnitudes_in_the_mean_and_lose_the_waveform(rng):
    note = example.bowed_string(seconds=1.0)
    turned = random_phase(note, 1.0, rng)
    assert abs(np.corrcoef(note.mono, turned.mono)[0, 1]) < 0.2
    spectra = [np.abs(stft(sound.mono.astype(np.float64), FRAMING)).mean(axis=0) for sound in (note, turned)]
    levels = [20 * np.log10(np.convolve(one, np.ones(9) / 9, "valid")) for one in spectra]
    loud = levels[0] > levels[0].max() - 40
    assert (levels[1] - levels[0])[loud] == pytest.approx(0, abs=4)
    assert rms(turned.mono) == pytest.approx(rms(note.mono), rel=1e-5)


def test_channels_are_turned_alike(rng):
    note = example.bowed_string(seconds=0.3).mono
    left, right = random_phase(Audio(np.stack([note, -0.5 * note]), RATE), 1.0, rng).samples
    assert right == pytest.approx(-0.5 * left, abs=1e-5)


def test_the_more_they_are_turned_the_less_is_left(rng):
    note = example.bowed_string(seconds=0.5)
    alike = [
        np.corrcoef(note.mono, random_phase(note, share, np.random.default_rng(0)).mono)[0, 1]
        for share in (0.1, 0.3, 0.6, 1.0)
    ]
    # The mean of exp(i turn) over +-pi share is sinc(share): what is left of the waveform, and what else is added
    # is less than what was taken, for frames that overlap average it out.
    assert (np.array(alike) >= np.sinc([0.1, 0.3, 0.6, 1.0]) - 0.05).all()
    assert alike[-1] < 0.2
    assert alike == sorted(alike, reverse=True)
