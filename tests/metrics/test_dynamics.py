"""Dynamics: signals of two levels in closed form, and librosa's mel for the spread."""

from __future__ import annotations

import librosa
import msgspec
import numpy as np
import pytest

from diagnose.analysis import Signal
from diagnose.analysis.mel_grid import mel_grid
from diagnose.audio import from_array
from diagnose.metrics import METRICS


def value(name, samples, rate=22050):
    return METRICS[name].measure(Signal(from_array(np.asarray(samples), rate))).value


def two_levels(share, step_db, rate=22050, seconds=10):
    """A tone that stands step_db lower for the last share of its time."""
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(seconds * rate) / rate)
    tone[round((1 - share) * tone.size) :] *= 10 ** (-step_db / 20)
    return tone


@pytest.mark.parametrize("rate", [16000, 44100])
@pytest.mark.parametrize(("share", "step_db"), [(0.5, 6.0), (0.5, 20.0), (0.5, 40.0), (0.25, 20.0), (0.1, 30.0)])
def test_two_levels_spread_by_their_distance_times_the_deviation_of_a_coin(share, step_db, rate):
    expected = step_db * np.sqrt(share * (1 - share))
    assert value("frame_energy_spread_db", two_levels(share, step_db, rate), rate) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("step_db", [80.0, 100.0, 140.0, 400.0])
def test_what_is_80_db_down_counts_as_80_db_down(step_db):
    assert value("frame_energy_spread_db", two_levels(0.5, step_db)) == pytest.approx(40.0, abs=0.3)


def test_a_steady_tone_varies_at_its_two_ends_alone():
    # Frame 0 and frame n / 512 are half padding, which halves their power.
    frames = 401
    tone = two_levels(0.0, 0.0)[: 512 * (frames - 1)]
    expected = 10 * np.log10(2) * np.sqrt(2 / frames * (1 - 2 / frames))
    assert value("frame_energy_spread_db", tone) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("offset", [0.0, 0.2])
@pytest.mark.parametrize("rate", [12000, 22050, 44100])
@pytest.mark.parametrize("level", [1.0, 1e-3])
def test_log_mel_spread_is_librosas_percentiles(rng, rate, level, offset):
    fading = np.geomspace(1, 1e-3, 2 * rate)
    samples = (level * 0.5 * fading * np.cumsum(rng.standard_normal(2 * rate)) / 100).astype(np.float32)
    samples -= samples.mean()
    grid = msgspec.structs.replace(mel_grid(rate), hop=512)
    magnitudes = np.abs(librosa.stft(samples, n_fft=grid.n_fft, hop_length=grid.hop, pad_mode="constant"))
    basis = librosa.filters.mel(sr=rate, n_fft=grid.n_fft, n_mels=80, fmin=0, fmax=min(8000, rate / 2))
    low, high = np.percentile(np.log(np.maximum(basis @ magnitudes, 1e-5)), [5, 95])
    # A bias costs single precision: what stands 80 dB under it is rounding.
    tolerance = 2e-3 if not offset or level == 1 else 0.3
    assert value("log_mel_spread_nats", samples + offset, rate) == pytest.approx(high - low, abs=tolerance)


def test_a_decibel_of_level_is_a_tenth_of_ln_10_over_2_nats():
    rng = np.random.default_rng(1)
    noise = 0.05 * rng.standard_normal(10 * 22050)
    louder = np.concatenate([noise, 10 ** (40 / 20) * noise])
    steady = value("log_mel_spread_nats", noise)
    assert value("log_mel_spread_nats", 0.01 * louder) == pytest.approx(40 * np.log(10) / 20 + 0.6 * steady, rel=0.1)


def test_the_spread_begins_at_the_clip_and_goes_in_steps_of_a_thousandth():
    # Half of it silence, whose values all are the clip's; the other half a tone, in the bands where it is heard.
    rate = 22050
    samples = two_levels(0.5, 400.0, rate, 4).astype(np.float32)
    samples -= samples.mean()
    magnitudes = np.abs(librosa.stft(samples, n_fft=1024, hop_length=512, pad_mode="constant"))
    basis = librosa.filters.mel(sr=rate, n_fft=1024, n_mels=80, fmin=0, fmax=8000)
    high = np.percentile(np.log(np.maximum(basis @ magnitudes, 1e-5)), 95, method="inverted_cdf")
    found = value("log_mel_spread_nats", samples, rate)
    assert 0 <= high - np.log(1e-5) - found < 0.001
    assert 1000 * found == pytest.approx(round(1000 * found), abs=1e-6)


@pytest.mark.parametrize("name", ["frame_energy_spread_db", "log_mel_spread_nats"])
def test_the_level_of_the_whole_does_not_count(rng, name):
    samples = two_levels(0.5, 20.0, seconds=2) + 0.01 * rng.standard_normal(2 * 22050)
    assert value(name, 0.1 * samples) == pytest.approx(value(name, samples), abs=1e-3)
