"""Distances: known scalings and offsets in closed form, and the formulas again over the whole signal at once."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import scipy.fft

from diagnose.analysis import Pair, Signal
from diagnose.analysis.distances import measure_spectra
from diagnose.audio import from_array
from diagnose.metrics import METRICS
from diagnose.stft_cache import StftCache

RATE = 22050
NAMES = [name for name, metric in METRICS.items() if metric.function.__module__ == "diagnose.metrics.distance"]


def pair_of(reference, generated, rate=RATE):
    return Pair(*(Signal(from_array(np.asarray(samples), rate)) for samples in (reference, generated)))


def measured(name, *sounds):
    return METRICS[name].measure(pair_of(*sounds))


def values(*sounds):
    pair = pair_of(*sounds)
    return {name: METRICS[name].measure(pair).value for name in NAMES}


def spectra(reference, generated, gain=1.0):
    ours, theirs = (StftCache(np.asarray(samples, np.float32), 0.0) for samples in (reference, generated))
    return measure_spectra(ours, theirs, gain, RATE)


def tilted(samples, gain_db):
    """The upper half of the band, 5512 to 11025 Hz, raised by gain_db; one FFT of the whole."""
    spectrum = np.fft.rfft(samples)
    spectrum[spectrum.size // 2 :] *= 10 ** (gain_db / 20)
    return np.fft.irfft(spectrum, samples.size)


def magnitudes(samples, n_fft):
    samples = np.asarray(samples, np.float32)
    return np.abs(librosa.stft(samples, n_fft=n_fft, hop_length=n_fft // 4, pad_mode="constant"))


@pytest.fixture
def noise(rng):
    return 0.1 * rng.standard_normal(2 * RATE)


@pytest.fixture
def broken(rng, noise):
    """A copy with another tilt, some noise of its own and another level."""
    return 0.6 * (tilted(noise, -9.0) + 0.03 * rng.standard_normal(noise.size))


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.0, 1.5, 4.0])
def test_a_scaled_copy_is_off_by_the_scale_and_by_nothing_once_the_gain_is_known(noise, scale):
    off = spectra(noise, scale * noise)
    assert off.convergence == pytest.approx([abs(1 - scale)] * 3, abs=1e-5)
    assert off.log_spectral == pytest.approx(abs(20 * np.log10(scale)), abs=1e-3)
    assert off.mel_cepstral == pytest.approx(0.0, abs=1e-3)
    assert off.generated_energy == pytest.approx(scale**2 * off.reference_energy, rel=1e-4)
    level = spectra(noise, scale * noise, gain=scale)
    assert level.convergence == pytest.approx([0] * 3, abs=1e-5)
    assert level.log_spectral == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("gain_db", [-20.0, -6.0, 3.0, 12.0])
def test_half_the_band_off_by_a_flat_gain_is_off_by_its_root_half(noise, gain_db):
    found = spectra(noise, tilted(noise, gain_db)).log_spectral
    inside = found[4:-4]  # the ends are cut off hard, which has energy everywhere
    assert inside.mean() == pytest.approx(abs(gain_db) / np.sqrt(2), rel=0.02)


def test_convergence_is_that_of_the_whole_spectrogram_at_each_resolution(noise, broken):
    expected = []
    for n_fft in (512, 1024, 2048):
        a, b = magnitudes(noise, n_fft), magnitudes(broken, n_fft)
        expected.append(np.linalg.norm(a - b) / np.linalg.norm(a))
    assert spectra(noise, broken).convergence == pytest.approx(expected, rel=1e-4)


def test_the_metrics_are_the_means_with_the_gain_of_the_pair_removed(noise, broken):
    of_pair = values(noise, broken)
    a = noise - noise.mean()
    b = broken - broken.mean()
    expected = spectra(a, b, gain=pair_of(noise, broken).gain)
    assert of_pair["spectral_convergence"] == pytest.approx(np.mean(expected.convergence), rel=1e-3)
    assert of_pair["log_spectral_distance_db"] == pytest.approx(np.mean(expected.log_spectral), rel=1e-3)
    assert of_pair["mel_cepstral_distortion_db"] == pytest.approx(np.mean(expected.mel_cepstral), rel=1e-3)


def test_log_spectral_distance_is_that_of_the_whole_spectrogram(noise, broken):
    a, b = magnitudes(noise, 1024), magnitudes(broken, 1024)
    expected = np.sqrt(np.mean((20 * np.log10(a / b)) ** 2, axis=0))
    assert spectra(noise, broken).log_spectral == pytest.approx(expected, rel=1e-3)


def test_what_lies_80_db_under_the_reference_is_silence_in_both():
    rng = np.random.default_rng(3)
    loud, hiss = rng.standard_normal((2, RATE)) * 0.1
    found = spectra(np.concatenate([loud, 1e-6 * hiss]), np.concatenate([loud, 1e-5 * loud])).log_spectral
    assert found[RATE // 256 + 4 :] == pytest.approx(0.0, abs=1e-6)


def test_cepstral_distortion_is_kubicheks_over_scipys_dct_of_librosas_mel(noise, broken):
    basis = librosa.filters.mel(sr=RATE, n_fft=1024, n_mels=80, fmax=8000)
    logs = [np.log(basis @ magnitudes(samples, 1024)) for samples in (noise, broken)]
    # scipy's type 2 is twice the sum; c_k is the mean.
    cepstra = [scipy.fft.dct(log, type=2, axis=0)[1:14] / 80 for log in logs]
    expected = 10 * np.sqrt(2) / np.log(10) * np.sqrt(np.sum((cepstra[0] - cepstra[1]) ** 2, axis=0))
    assert spectra(noise, broken).mel_cepstral == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("gain", "offset"), [(0.1, 0.0), (-1.0, 0.0), (3.0, 0.2), (1.0, -0.5)])
def test_gain_polarity_and_bias_of_the_generated_sound_do_not_count(noise, broken, gain, offset):
    swelling = np.geomspace(0.1, 1, noise.size)
    tone = 0.1 * np.sin(2 * np.pi * 300 * np.arange(noise.size) / RATE)
    ours, theirs = (0.3 * samples * swelling + tone for samples in (noise, broken))
    moved, plain = values(ours, gain * theirs + offset), values(ours, theirs)
    plain["waveform_correlation"] *= np.sign(gain)  # the one metric that tells a polarity
    assert moved == pytest.approx(plain, rel=2e-3, abs=2e-3)


@pytest.mark.parametrize(
    ("ours_db", "theirs_db", "expected"),
    [
        ("ramp", "ramp", 1.0),
        ("ramp", "half a ramp", 1.0),
        ("ramp", "falling ramp", -1.0),
        ("sine", "cosine", 0.0),
        ("sine", "sine and cosine", np.sqrt(0.5)),
    ],
)
def test_envelopes_in_db_correlate_as_they_were_drawn(rng, ours_db, theirs_db, expected):
    turns = np.linspace(0, 2 * np.pi * 3, 4 * RATE)
    drawn = {
        "ramp": np.linspace(-5, 5, turns.size),
        "half a ramp": np.linspace(-2.5, 2.5, turns.size),
        "falling ramp": np.linspace(5, -5, turns.size),
        "sine": 5 * np.sin(turns),
        "cosine": 5 * np.cos(turns),
        "sine and cosine": 5 * np.sin(turns) + 5 * np.cos(turns),
    }
    # One carrier for both: the waveforms then fix the delay at 0.
    carrier = 0.1 * rng.standard_normal(turns.size)
    sounds = [carrier * 10 ** (drawn[name] / 20) for name in (ours_db, theirs_db)]
    assert measured("envelope_correlation", *sounds).value == pytest.approx(expected, abs=0.03)


def gliding(start_hz, seconds=4.0, rate=RATE):
    """A note that glides up by 600 cents, ever faster, so that no delay looks like a shift; in unequal syllables."""
    time = np.arange(round(seconds * rate)) / rate
    turns = np.cumsum(start_hz * 2 ** (0.5 * (time / seconds) ** 2)) / rate
    voice = sum(0.1 / k * np.sin(2 * np.pi * k * turns) for k in range(1, 5))
    return voice * np.interp(time, [0, 0.4, 0.5, 1.3, 1.4, 1.8, 1.9, 3.4, 3.5], [1, 1, 0.1, 0.1, 1, 1, 0.1, 0.1, 1])


@pytest.mark.parametrize("delay_s", [0.0, 0.5, -0.5])
@pytest.mark.parametrize("shift", [-100.0, 30.0, 100.0])
def test_a_note_shifted_in_pitch_and_time_deviates_by_the_pitch_alone(shift, delay_s):
    lead = np.zeros(round(abs(delay_s) * RATE))
    ours, theirs = gliding(220.0), gliding(220.0 * 2 ** (shift / 1200))
    ours, theirs = (ours, np.r_[lead, theirs]) if delay_s >= 0 else (np.r_[lead, ours], theirs)
    found = measured("f0_deviation_cents", ours, theirs)
    # The glide is 150 cents a second on average: a delay that was missed costs 75, one frame of rounding 3.5.
    assert found.value == pytest.approx(shift, abs=5)
    assert found.detail["frames"] > 40


def test_no_deviation_where_no_frame_has_both_pitches(rng):
    assert "both" in measured("f0_deviation_cents", gliding(220.0), 0.1 * rng.standard_normal(4 * RATE)).reason


def test_two_sounds_that_cannot_be_laid_on_each_other_say_so(rng):
    found = measured("spectral_convergence", *(0.1 * rng.standard_normal((2, RATE))))
    assert "not aligned" in found.note
    # Two independent Rayleigh spectra of one power: E(a - b)**2 / E a**2 = 2 - 2 (E a)**2 / E a**2 = 2 - pi / 2.
    assert found.value == pytest.approx(np.sqrt(2 - np.pi / 2), abs=0.03)
