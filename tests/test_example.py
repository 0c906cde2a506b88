"""The shipped sounds: what was put into them is what is measured."""

from __future__ import annotations

import numpy as np
import pytest

import diagnose
from diagnose import example


@pytest.fixture(scope="module")
def string():
    return example.bowed_string()


def test_the_note_is_always_the_same_and_another_seed_another(string):
    assert np.array_equal(example.bowed_string().samples, string.samples)
    other = example.bowed_string(rng=np.random.default_rng(1))
    assert other.samples.shape == string.samples.shape
    assert np.abs(other.samples - string.samples).max() > 0.1


@pytest.mark.parametrize(("f0_hz", "rate"), [(196.0, 44100), (440.0, 22050), (659.3, 48000)])
def test_the_note_has_the_pitch_rate_and_length_asked_for(f0_hz, rate):
    note = example.bowed_string(f0_hz, 1.0, rate)
    assert (note.rate, note.channels, note.length) == (rate, 1, rate)
    assert note.samples.dtype == np.float32
    measured = diagnose.measure(note)
    assert measured["f0_hz"].value == pytest.approx(f0_hz, rel=0.003)
    assert measured["hnr_db"].value > 10


def test_the_note_is_half_of_full_scale_without_clipping_bias_or_clicks(string):
    assert np.abs(string.samples).max() == pytest.approx(0.5, abs=1e-6)
    measured = diagnose.measure(string)
    assert measured["dc_share"].value < 1e-6
    assert (measured["clipped_share"].value, measured["clicks_per_s"].value) == (0, 0)
    assert measured["comb_share"].value < 0.02
    assert abs(string.samples[0, [0, -1]]).max() < 1e-4


def test_a_harmonic_spectrum_lies_on_the_multiples_of_the_pitch():
    # Before 0.25 s there is no vibrato: a window of 40 periods has its partials on every 40th bin.
    note = example.bowed_string(200.0, 1.0, 44100)
    start = int(0.04 * 44100)
    spectrum = np.abs(np.fft.rfft(note.mono[start : start + 40 * 220] * np.hanning(8800 + 1)[:-1])) ** 2
    hz = np.fft.rfftfreq(8800, 1 / 44100)
    off = np.abs(hz / 200.0 - np.round(hz / 200.0)) * 200.0
    near = (off < 30) & (hz > 100)
    assert spectrum[near & (hz < 4000)].sum() > 0.99 * spectrum[hz < 4000].sum()


@pytest.mark.parametrize("rate", [16000, 22050, 44100])
def test_the_misfed_copy_hums_at_the_frame_rate_on_a_bias(string, rate):
    broken = example.misfed_vocoder(string, rate)
    assert (broken.rate, broken.channels) == (rate, 1)
    assert broken.duration_s == pytest.approx(string.duration_s, abs=1e-3)
    assert np.abs(broken.samples).max() <= 1
    assert float(broken.mono.mean(dtype=float)) == pytest.approx(0.35, abs=0.02)
    measured = diagnose.measure(broken)
    assert measured["comb_share"].value > 0.9
    assert measured["comb_share"].detail["hop_samples"] == 256
    # 0.35**2 / (0.35**2 + 0.22**2)
    assert measured["dc_share"].value == pytest.approx(0.717, abs=0.02)


def test_without_a_bias_the_copy_has_none(string):
    assert diagnose.measure(example.misfed_vocoder(string, bias=0.0))["dc_share"].value < 0.01


def test_whatever_is_played_the_misfed_vocoder_hums_alike(string):
    low, high = (example.misfed_vocoder(example.bowed_string(f0_hz, 1.0)) for f0_hz in (196.0, 440.0))
    report = diagnose.compare(low, high)
    assert abs(report["f0_deviation_cents"].change or 0) < 1
    assert report["spectral_convergence"].change < 0.2
    plain = diagnose.compare(example.bowed_string(196.0, 1.0), example.bowed_string(440.0, 1.0))
    assert plain["f0_deviation_cents"].change == pytest.approx(1200 * np.log2(440 / 196), abs=5)
    assert plain["spectral_convergence"].change > 0.8


def test_the_pair_shows_what_the_demo_is_for(string):
    report = diagnose.compare(string, example.misfed_vocoder(string))
    assert report.verdict == "FAIL"
    failed = {row.name for row in report.metrics if row.verdict == "FAIL"}
    assert {"dc_share", "comb_share", "rms_ratio", "log_mel_spread_nats"} <= failed
    assert diagnose.compare(string, string).verdict == "PASS"
