"""Distances: known scalings and offsets in closed form, and the formulas again over the whole signal at once."""

from __future__ import annotations

from types import SimpleNamespace

import librosa
import numpy as np
import pytest
import scipy.fft

from diagnose.analysis import Pair, Signal
from diagnose.analysis.distances import SpectralDistance, measure_spectra
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


def test_a_pitch_of_a_frame_or_two_in_a_hundred_is_chance(rng):
    noise = 0.1 * rng.standard_normal(4 * RATE)
    for share, known in ((0.03, False), (0.2, True)):
        ours, theirs = noise.copy(), noise.copy()
        size = round(share * noise.size)
        ours[:size], theirs[:size] = gliding(220.0)[:size], gliding(231.0)[:size]
        found = measured("f0_deviation_cents", ours, theirs)
        assert (found.value is not None) == known


def test_two_sounds_that_cannot_be_laid_on_each_other_say_so(rng):
    found = measured("spectral_convergence", *(0.1 * rng.standard_normal((2, RATE))))
    assert "not aligned" in found.note
    # Two independent Rayleigh spectra of one power: E(a - b)**2 / E a**2 = 2 - 2 (E a)**2 / E a**2 = 2 - pi / 2.
    assert found.value == pytest.approx(np.sqrt(2 - np.pi / 2), abs=0.03)


# From distances by frame that are given; a frame is 256 samples


def of_frames(name, frame_rate=100, **columns):
    """A metric of a pair of which these columns by frame are known: log_spectral, reference_energy, .."""
    count = len(next(iter(columns.values())))
    nothing = dict.fromkeys(("log_spectral", "mel_cepstral", "reference_energy", "generated_energy"), np.zeros(count))
    found = SpectralDistance((0.0, 0.0, 0.0), **nothing | {key: np.array(column) for key, column in columns.items()})
    pair = SimpleNamespace(silent=False, distances=found, caveat=None, rate=256 * frame_rate)
    return METRICS[name].measure(pair)


def test_the_worst_second_is_the_largest_mean_over_any():
    distance = np.full(1000, 2.0)
    distance[330:380] = 10.0  # half of its second
    distance[600:630] = 12.0
    found = of_frames("worst_second_distance_db", log_spectral=distance)
    assert found.value == pytest.approx(6.0)
    # The first second that holds it whole.
    assert (found.detail["start_s"], found.detail["end_s"]) == pytest.approx((2.8, 3.8))


@pytest.mark.parametrize("frames", [1, 60, 100])
def test_of_what_is_no_longer_than_a_second_the_worst_second_is_all(frames):
    found = of_frames("worst_second_distance_db", log_spectral=np.arange(frames) + 1.0)
    assert found.value == pytest.approx((frames + 1) / 2)
    assert (found.detail["start_s"], found.detail["end_s"]) == pytest.approx((0.0, frames / 100))


@pytest.mark.parametrize("frame_rate", [0.4, 0.6])
def test_a_frame_of_over_a_second_is_a_second_of_its_own(frame_rate):
    found = of_frames("worst_second_distance_db", frame_rate, log_spectral=[1.0, 5.0, 2.0])
    assert found.value == 5.0


def test_missing_frames_are_a_share_of_those_that_sound_and_the_longest_stretch_is_named():
    reference = np.ones(1000)
    reference[900:] = 1e-5  # not heard
    generated = reference.copy()
    generated[850:900] = 1e-4
    generated[200:300] = 0.0
    found = of_frames("missing_share", reference_energy=reference, generated_energy=generated)
    assert found.value == pytest.approx(150 / 900)
    assert found.detail == pytest.approx({"start_s": 2.0, "end_s": 3.0})
    whole = of_frames("missing_share", reference_energy=reference, generated_energy=reference)
    assert (whole.value, whole.detail) == (0.0, {})


def envelopes(ours, theirs):
    """The metric of two envelopes in dB."""
    energies = [10 ** (np.asarray(level, float) / 10) for level in (ours, theirs)]
    return of_frames("envelope_correlation", reference_energy=energies[0], generated_energy=energies[1])


def test_four_frames_correlate_and_three_are_too_few():
    assert envelopes([0, -5, 3, -1], [0, -5, 3, -1]).value == pytest.approx(1.0)
    assert envelopes([0, -5, 3, -1], [1, 6, -2, 2]).value == pytest.approx(-1.0)
    assert "4 frames" in envelopes([0, -5, 3], [0, -5, 3]).reason


@pytest.mark.parametrize("level_db", [0.0, -120.0])
def test_an_envelope_counts_down_to_80_db_under_its_loudest_frame(level_db):
    # Of drops to -80 and to -400 dB the floor makes one and the same.
    ours, theirs = np.array([0.0, -20, -80, -80]) + level_db, np.array([0.0, -20, -400, -90]) + level_db
    assert envelopes(ours, theirs).value == pytest.approx(1.0, abs=1e-9)
    nothing = np.array([0.0, -20, -np.inf, -np.inf]) + level_db
    assert envelopes(ours, nothing).value == pytest.approx(1.0, abs=1e-9)
    shallow = np.array([0.0, -20, -80, -40]) + level_db
    assert envelopes(ours, shallow).value < 0.9


def test_frames_of_silence_have_no_envelope_and_a_steady_one_nothing_to_correlate():
    for silent in ("reference_energy", "generated_energy"):
        energies = {"reference_energy": [1.0, 0.5, 0, 1], "generated_energy": [1.0, 0.5, 0, 1]} | {silent: np.zeros(4)}
        assert "4 frames" in of_frames("envelope_correlation", **energies).reason
    assert "steady" in envelopes([0.0] * 5, [0, -5, 3, -1, 0]).reason
