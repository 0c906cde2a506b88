"""What counts as heard and as gone: thresholds of the frame energies in closed form."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import scipy.fft
import scipy.signal

from diagnose.analysis import Pair, Signal
from diagnose.analysis.distances import SpectralDistance, measure_spectra
from diagnose.audio import from_array
from diagnose.metrics import METRICS
from diagnose.stft_cache import StftCache

RATE = 22050


def power(*levels_db):
    return 10 ** (np.array(levels_db) / 10)


def frames(reference, generated):
    nothing = np.zeros(len(reference))
    return SpectralDistance((0.0, 0.0, 0.0), nothing, nothing, reference, generated)


@pytest.mark.parametrize("level_db", [0.0, -70.0, 30.0])
def test_a_frame_is_heard_within_40_db_of_the_loudest(level_db):
    reference = power(level_db, level_db - 39.5, level_db - 40.5, -200.0)
    assert frames(reference, reference).sounding.tolist() == [True, True, False, False]


def test_silence_has_no_frame_that_is_heard_or_gone():
    silent = np.zeros(4)
    assert not frames(silent, silent).sounding.any()
    assert not frames(silent, silent).gone.any()


def test_a_heard_frame_is_gone_30_db_under_the_references():
    reference = power(0, 0, 0, -39, -39, -41)
    generated = power(0, -29.5, -30.5, -68.5, -69.5, -100)
    assert frames(reference, generated).gone.tolist() == [False, False, True, False, True, False]


def spectra(reference, generated):
    return measure_spectra(*(StftCache(np.asarray(x, np.float32), 0.0) for x in (reference, generated)), 1.0, RATE)


@pytest.fixture
def noise(rng):
    return 0.1 * rng.standard_normal(2 * RATE)


# Of a Gaussian noise, the power of a bin over its mean is exponentially distributed: in dB, its mean is
# -10 gamma / ln 10 and its variance (10 / ln 10)**2 pi**2 / 6.
MEAN_DB, VARIANCE_DB = -10 * np.euler_gamma / np.log(10), (10 / np.log(10)) ** 2 * np.pi**2 / 6


@pytest.mark.parametrize("level", [1.0, 1e-3])
def test_silence_is_80_db_under_the_references_mean_power(noise, level):
    inside = spectra(level * noise, np.zeros(noise.size)).log_spectral[4:-4]
    assert inside.mean() == pytest.approx(np.sqrt((80 + MEAN_DB) ** 2 + VARIANCE_DB), abs=0.2)


def test_a_silent_reference_has_a_floor_of_its_own_at_minus_280_db(noise):
    found = spectra(np.zeros(noise.size), noise)
    level = 20 * np.log10(0.1) + 200 + 80
    assert found.log_spectral[4:-4].mean() == pytest.approx(np.sqrt((level + MEAN_DB) ** 2 + VARIANCE_DB), abs=0.2)
    assert np.isnan(found.convergence).all()


@pytest.mark.parametrize("level", [1.0, 1e-5])
def test_a_sound_that_vanished_is_off_by_all_of_it_at_any_level(noise, level):
    assert spectra(level * noise, np.zeros(noise.size)).convergence == pytest.approx([1.0] * 3, rel=1e-6)


def test_the_cepstrum_has_the_same_floor_as_the_spectrum(noise):
    # A note whose upper bands are empty, against noise: there the floor stands against something.
    note = 0.1 * np.sin(2 * np.pi * 440 * np.arange(noise.size) / RATE) * np.hanning(noise.size)
    floor = noise.var() * np.sum(scipy.signal.get_window("hann", 1024) ** 2) * 1e-8
    basis = librosa.filters.mel(sr=RATE, n_fft=1024, n_mels=80, fmax=8000)
    heard = (librosa.stft(x.astype(np.float32), n_fft=1024, hop_length=256, pad_mode="constant") for x in (noise, note))
    logs = [np.log(np.maximum(basis @ np.abs(one), np.sqrt(floor))) for one in heard]
    cepstra = scipy.fft.dct(logs[0] - logs[1], type=2, axis=0)[1:14] / 80
    expected = 10 * np.sqrt(2) / np.log(10) * np.sqrt(np.sum(cepstra**2, axis=0))
    assert spectra(noise, note).mel_cepstral == pytest.approx(expected, rel=1e-3)


def stepped(levels_db, seconds=1.0):
    """Noise of that level in each second.

    It is all steps from one sign to the other: so every frame is about as loud, and no second has a mean, which taking
    the whole's mean off would fill the quiet ones with.
    """
    signs = np.sign(np.random.default_rng(5).standard_normal(round(len(levels_db) * seconds * RATE / 2)))
    noise = np.repeat(signs, 2) * np.resize([1, -1], 2 * signs.size)
    return 0.1 * noise * np.repeat(10 ** (np.array(levels_db) / 20), round(seconds * RATE))


def missing(reference_db, generated_db):
    sounds = (Signal(from_array(stepped(levels), RATE)) for levels in (reference_db, generated_db))
    return METRICS["missing_share"].measure(Pair(*sounds))


@pytest.mark.parametrize(
    ("reference_db", "generated_db", "share"),
    [
        ([0, 0, -10, 0], [0, 0, -39.2, 0], 0.0),  # 29.2 dB weaker
        ([0, 0, -10, 0], [0, 0, -40.8, 0], 1 / 4),
        ([0, 0, -39.2, 0], [0, 0, -100, 0], 1 / 4),  # still heard
        ([0, 0, -40.8, 0], [0, 0, -100, 0], 0.0),  # not heard, and not missed
        ([0, -20, -46, -20], [0, -80, -46, -20], 1 / 3),  # a share of what is heard
    ],
)
def test_the_share_of_what_is_heard_that_is_gone(reference_db, generated_db, share):
    found = missing(reference_db, generated_db)
    # A window is as long as 4 hops, and lies half over each end of a second: 2 frames of 86.
    assert found.value == pytest.approx(share, abs=0.02)


def test_the_longest_of_two_gaps_is_named():
    found = missing([0, 0, 0, 0, 0, 0, 0, 0], [0, -60, 0, 0, -60, -60, 0, 0])
    assert (found.detail["start_s"], found.detail["end_s"]) == pytest.approx((4.0, 6.0), abs=0.05)
    assert found.value == pytest.approx(3 / 8, abs=0.02)
