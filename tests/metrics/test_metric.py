"""What holds of every metric: its name and unit, identity, silence, too little sound, gain and bias."""

from __future__ import annotations

import math
import re
from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from diagnose.analysis import Pair, Signal
from diagnose.audio import from_array, read
from diagnose.metrics import METRICS, Measurement, Metric, Unmeasurable, Value, measure_pair, measure_signal

RATE = 22050
PROMISED = [
    "rms_ratio",
    "rms_dbfs",
    "peak_dbfs",
    "true_peak_dbtp",
    "crest_db",
    "dc_share",
    "clipped_share",
    "loudness_lufs",
    "spectral_centroid_hz",
    "spectral_bandwidth_hz",
    "rolloff85_hz",
    "rolloff95_hz",
    "spectral_flatness",
    "cutoff_hz",
    "band_0_1024_db",
    "band_1024_4096_db",
    "band_4096_8192_db",
    "band_8192_nyquist_db",
    "edge_left_db",
    "edge_right_db",
    "clicks_per_s",
    "log_mel_spread_nats",
    "frame_energy_spread_db",
    "envelope_correlation",
    "comb_share",
    "f0_hz",
    "f0_deviation_cents",
    "hnr_db",
    "log_spectral_distance_db",
    "spectral_convergence",
    "mel_cepstral_distortion_db",
]
UNIT_OF_SUFFIX = {
    "_ratio": "ratio",
    "_dbfs": "dBFS",
    "_dbtp": "dBTP",
    "_lufs": "LUFS",
    "_db": "dB",
    "_share": "share",
    "_hz": "Hz",
    "_per_s": "1/s",
    "_s": "s",
    "_nats": "nats",
    "_cents": "cents",
    "_ms": "ms",
    "_ppm": "ppm",
    "_channels": "count",
}
BARE_NAMES = {
    "bad_places": "places",
    "clicks_added": "clicks",
    "spectral_flatness": "share",
    "envelope_correlation": "r",
    "waveform_correlation": "r",
    "spectral_convergence": "ratio",
    "content_distance": "ratio",
    "channel_correlation": "r",
}
OF_CHANNELS = {name for name in METRICS if name.startswith("channel_") or name.endswith("_channels")}
# What even a sound without sound has.
OF_SILENCE = {"duration_s", "rms_ratio", "nonfinite_share", "stuck_share", "clipped_share"}
OF_A_CONSTANT = OF_SILENCE | {"rms_dbfs", "peak_dbfs", "true_peak_dbtp", "dc_share", "loudness_lufs"}
ABOUT_LEVEL = {"rms_ratio", "rms_dbfs", "peak_dbfs", "true_peak_dbtp", "loudness_lufs", "dc_share"}


def signal_of(samples, rate=RATE):
    return Signal(from_array(np.asarray(samples), rate))


def all_of(reference, generated, rate=RATE):
    """Every measurement of a pair: those of the generated sound, and those of both."""
    ours, theirs = signal_of(reference, rate), signal_of(generated, rate)
    return measure_signal(theirs) | measure_pair(Pair(ours, theirs))


def assert_number_or_reason(measurements):
    assert set(measurements) <= set(METRICS)
    for name, measured in measurements.items():
        if measured.value is None:
            assert measured.reason, name
        else:
            assert measured.reason is None, name
            assert math.isfinite(measured.value), name
        assert measured.unit == METRICS[name].unit


@cache
def lively(seconds=1.5, rate=RATE):
    """Four partials that swell, over noise, with a mean of 0: every metric has a number for it."""
    time = np.arange(round(seconds * rate)) / rate
    voice = sum(np.sin(2 * np.pi * 333 * k * time + k) / k for k in range(1, 5))
    samples = 0.1 * voice * (1 + 0.8 * np.sin(2 * np.pi * 3 * time))
    samples += 0.003 * np.random.default_rng(0).standard_normal(time.size)
    return samples - samples.mean()


# Names and units


def test_every_promised_metric_exists():
    assert set(PROMISED) <= set(METRICS)


@pytest.mark.parametrize("name", METRICS)
def test_a_name_ends_in_its_unit(name):
    suffix = next((suffix for suffix in UNIT_OF_SUFFIX if name.endswith(suffix)), None)
    assert METRICS[name].unit == (UNIT_OF_SUFFIX[suffix] if suffix else BARE_NAMES[name])
    assert METRICS[name].name == name
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)


@pytest.mark.parametrize("name", METRICS)
def test_the_function_says_what_it_computes(name):
    function = METRICS[name].function
    assert len((getattr(function, "func", function).__doc__ or "").strip()) > 15
    assert METRICS[name].about


def test_each_metric_is_measured_on_what_it_is_of():
    ours = signal_of(lively())
    of_signal, of_pair = measure_signal(ours), measure_pair(Pair(ours, ours))
    assert not set(of_signal) & set(of_pair)
    assert [name for name in METRICS if name in of_signal] == list(of_signal)
    assert set(of_signal) | set(of_pair) == set(METRICS)


def test_what_is_of_the_file_is_measured_on_the_file():
    both = np.stack([lively(0.3, 16000), 2 * lively(0.3, 16000)])
    common, file = signal_of(lively(0.3)), signal_of(both, 16000)
    mixed, alone = measure_signal(common, file), {"common": measure_signal(common), "file": measure_signal(file)}
    sides = {"common": "common", "file": "file", "whole": "file"}
    assert mixed == {name: alone[sides[METRICS[name].at]][name] for name in mixed}
    assert mixed["duration_s"].value == alone["file"]["duration_s"].value == pytest.approx(0.3)
    assert mixed["peak_dbfs"].value == pytest.approx(20 * np.log10(2 * np.abs(lively(0.3, 16000)).max()), abs=1e-3)
    assert mixed["rms_ratio"].value == pytest.approx(lively(0.3).std(), rel=1e-4)


# Metric.measure


def metric_of(function):
    return Metric("some_db", "dB", "a test", function, version=7)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float32("nan"), np.float64("inf")])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_number_that_is_none_becomes_a_reason(number, wrapped):
    measured = metric_of(lambda _: Value(number, {"at": 1}) if wrapped else number).measure(None)
    assert measured.value is None
    assert measured.reason


@pytest.mark.parametrize("number", [0.0, -3.5, 1e300, np.float32(2.5), 4])
def test_a_number_keeps_its_value_unit_and_version(number):
    assert metric_of(lambda _: number).measure(None) == Measurement(number, "dB", 7)


def test_the_first_version_of_a_metric_is_1():
    # What is recorded in goldens: they would be refused, all of them, if a version moved on its own.
    assert Metric("some_db", "dB", "a test", lambda _: 0.0).measure(None).version == 1
    assert Measurement(0.0, "dB").version == 1


@pytest.mark.parametrize("name", METRICS)
def test_the_ideal_is_what_the_change_of_a_sound_against_itself_is(name):
    metric = METRICS[name]
    if metric.of == "signal":
        assert metric.ideal == (2.5 / 2.5 if metric.scale == "log" else 2.5 - 2.5)


def test_detail_and_note_are_kept():
    measured = metric_of(lambda _: Value(1.5, {"band_hz": 100}, "mind the gap")).measure(None)
    assert (measured.value, measured.detail, measured.note) == (1.5, {"band_hz": 100}, "mind the gap")


def test_a_reason_is_passed_on_and_a_crash_is_not_hidden():
    def unmeasurable(_):
        raise Unmeasurable("too short")

    assert metric_of(unmeasurable).measure(None) == Measurement(None, "dB", 7, "too short")
    with pytest.raises(ZeroDivisionError):
        metric_of(lambda _: 1 / 0).measure(None)


def test_a_pair_has_one_rate():
    with pytest.raises(ValueError, match="22050 and 44100"):
        Pair(signal_of(lively(), 22050), signal_of(lively(), 44100))


# Identity


@pytest.mark.parametrize(
    "sound", ["lively", "noise", "sine", "pulses", "biased", "faint", "loud", "half silent", "impulse"]
)
def test_a_sound_is_no_distance_from_itself(rng, sound):
    samples = {
        "lively": lambda: lively(),
        "noise": lambda: 0.1 * rng.standard_normal(RATE),
        "sine": lambda: np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE),
        "pulses": lambda: (np.arange(RATE) % 100 == 0) * 0.5,
        "biased": lambda: 0.4 + 0.1 * rng.standard_normal(RATE),
        "faint": lambda: 1e-4 * rng.standard_normal(RATE),
        "loud": lambda: 100 * rng.standard_normal(RATE),
        "half silent": lambda: lively() * (np.arange(round(1.5 * RATE)) < RATE / 2),
        "impulse": lambda: (np.arange(RATE) == RATE // 3) * 0.9,
    }[sound]()
    assert_identity(signal_of(samples), signal_of(samples.copy()))


@pytest.mark.parametrize("name", ["violin.wav", "trumpet.ogg", "robin.ogg", "speech.ogg", "generated_bigvgan-2.wav"])
def test_a_real_sound_is_no_distance_from_itself(data, name):
    assert_identity(Signal(read(data / name)), Signal(read(data / name)))


def assert_identity(ours, theirs):
    measurements = measure_pair(Pair(ours, theirs))
    assert_number_or_reason(measurements)
    for name, measured in measurements.items():
        if measured.value is not None:
            assert measured.value == pytest.approx(METRICS[name].ideal, abs=1e-6), name
    for name in ("log_spectral_distance_db", "spectral_convergence", "mel_cepstral_distortion_db", "band_deficit_db"):
        assert measurements[name].value is not None, name


def test_a_lively_sound_has_every_number():
    measurements = all_of(lively(rate=48000), lively(rate=48000), 48000)
    # A clock takes 2 s to be read, one channel has no others, and at one rate nothing is folded.
    missing = {name for name, measured in measurements.items() if measured.value is None}
    assert missing == {"clock_drift_ppm", "folded_db", *OF_CHANNELS}


# Silence, and too little to measure


@pytest.mark.parametrize("rate", [2000, 22050, 384000])
def test_silence_has_a_level_of_0_and_a_reason_for_all_else(rate):
    measurements = all_of(np.zeros(rate), np.zeros(rate), rate)
    assert_number_or_reason(measurements)
    numbers = {name: measured.value for name, measured in measurements.items() if measured.value is not None}
    assert numbers == dict.fromkeys(OF_SILENCE, 0.0) | {"duration_s": 1.0}


@pytest.mark.parametrize(("level", "rate"), [(0.1, 16000), (0.36, 48000), (0.5, 22050), (-0.7, 22050), (1.0, 44100)])
def test_a_constant_is_all_bias_and_has_a_reason_for_what_needs_sound(level, rate):
    measurements = all_of(np.full(rate, level), np.full(rate, level), rate)
    assert_number_or_reason(measurements)
    assert 1 - 1e-6 < measurements["dc_share"].value <= 1
    assert measurements["rms_ratio"].value == pytest.approx(abs(level), rel=1e-6)
    assert measurements["peak_dbfs"].value == pytest.approx(20 * np.log10(abs(level)), abs=1e-5)
    assert {name for name, measured in measurements.items() if measured.value is not None} <= OF_A_CONSTANT


SHORT = {
    "one sample": lambda rng: np.array([0.3]),
    "two samples": lambda rng: np.array([0.3, -0.1]),
    "30 samples": lambda rng: 0.1 * rng.standard_normal(30),
    "400 samples": lambda rng: 0.1 * rng.standard_normal(400),
    "3000 samples": lambda rng: 0.1 * rng.standard_normal(3000),
    "one impulse": lambda rng: (np.arange(5000) == 2500) * 1.0,
    "next to nothing": lambda rng: 1e-30 * rng.standard_normal(8000),
    "denormal": lambda rng: 1e-42 * rng.standard_normal(8000),
    "beyond reason": lambda rng: 1e5 * rng.standard_normal(8000),
    "sound": lambda rng: lively(),
    "silence": lambda rng: np.zeros(8000),
    "a constant": lambda rng: np.full(8000, 0.36),
}


@pytest.mark.parametrize("rate", [2000, 192000])
@pytest.mark.parametrize("sound", SHORT)
def test_too_little_of_anything_has_numbers_or_reasons_at_any_rate(rng, sound, rate):
    assert_number_or_reason(all_of(SHORT[sound](rng), SHORT[sound](rng), rate))


@pytest.mark.parametrize("generated", SHORT)
@pytest.mark.parametrize("reference", ["30 samples", "silence", "sound"])
def test_whatever_is_compared_with_whatever_has_numbers_or_reasons(rng, reference, generated):
    assert_number_or_reason(all_of(SHORT[reference](rng), SHORT[generated](rng)))


@settings(max_examples=20)
@given(
    samples=st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=40),
    repeated=st.integers(1, 200),
    rate=st.sampled_from([2000, 8000, 22050, 96000]),
)
def test_any_short_sound_has_a_number_or_a_reason_for_every_metric(samples, repeated, rate):
    sound = np.tile(np.asarray(samples, np.float32), repeated)
    assert_number_or_reason(all_of(sound, sound[::-1].copy(), rate))


# Gain and bias

TOLERANCE = {"share": 1e-3, "r": 1e-3, "ratio": 1e-3, "Hz": 0.5, "dB": 0.02, "nats": 0.005, "1/s": 1e-9, "cents": 0.05}


def noisier():
    return lively() + 0.01 * np.random.default_rng(5).standard_normal(lively().size)


@pytest.fixture(scope="module")
def plain():
    return all_of(lively(), noisier())


@settings(max_examples=12)
@given(gain_db=st.floats(-12, 12), bias=st.floats(-0.5, 0.5), inverted=st.booleans())
@example(gain_db=-40.0, bias=0.0, inverted=False)
@example(gain_db=0.0, bias=0.5, inverted=False)
@example(gain_db=-20.0, bias=-0.36, inverted=True)
@example(gain_db=-40.0, bias=0.36, inverted=False)
def test_gain_and_bias_move_the_level_and_nothing_else(plain, gain_db, bias, inverted):
    moved = all_of(lively(), 10 ** (gain_db / 20) * (-1 if inverted else 1) * noisier() + bias)
    for name in set(METRICS) - ABOUT_LEVEL - {"waveform_correlation"}:
        before, after = plain[name].value, moved[name].value
        if before is None:
            assert after is None, name
        else:
            assert after == pytest.approx(before, rel=2e-3, abs=TOLERANCE.get(METRICS[name].unit, 0.0)), name
    polarity = -1 if inverted else 1
    expected = polarity * plain["waveform_correlation"].value
    assert moved["waveform_correlation"].value == pytest.approx(expected, abs=2e-3)
    if not bias:
        assert moved["rms_dbfs"].value == pytest.approx(plain["rms_dbfs"].value + gain_db, abs=1e-3)
