"""Clicks: those put in are counted where they are, and none is seen in sounds that have none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from diagnose.analysis import Signal
from diagnose.analysis.clicks import click_times
from diagnose.audio import BLOCK, from_array
from diagnose.metrics import METRICS

RATE = 22050
LENGTH = BLOCK + 40000  # over one block boundary, 13.7 s
APART = round(0.08 * RATE)  # beyond the 25 ms in which clicks hide each other
BORDERS = [BLOCK + k for k in (-26, -25, -24, -2, -1, 0, 1)]  # cells of 1.5 ms end at -25


def sine(hz=220.0, rate=RATE, length=LENGTH):
    return (0.2 * np.sin(2 * np.pi * hz * np.arange(length) / rate)).astype(np.float32)


def glottal(rate, hz=110.0, length=LENGTH, formant=700.0):
    """Pulses through a one-pole glottis and one formant: curvature in bursts, all alike."""
    pulses = np.zeros(length)
    pulses[np.round(np.arange(0, length - 1, rate / hz)).astype(int)] = 0.1
    return lfilter([1], [1, -1.8 * np.cos(2 * np.pi * formant / rate), 0.81], lfilter([1], [1, -0.9], pulses))


def positions(samples, rate=RATE):
    return click_times(np.asarray(samples, np.float32), rate) * rate


def spike(samples, at):
    samples[at] += 0.3


def step(samples, at):
    samples[at:] += np.float32(0.3)


@pytest.mark.parametrize("kind", [spike, step])
@pytest.mark.parametrize("at", [0, 1, 700, *BORDERS, LENGTH - 2])
def test_one_click_is_found_once_within_a_sample_of_its_place(kind, at):
    samples = sine()
    kind(samples, max(at, 1) if kind is step else at)
    assert positions(samples) == pytest.approx([at], abs=1.01)


@settings(max_examples=15, deadline=None)
@given(
    gaps=st.lists(st.integers(APART, BLOCK // 6), min_size=1, max_size=30),
    size=st.floats(0.1, 0.6),
    gain=st.sampled_from([0.05, 1.0, 1.5]),
    offset=st.sampled_from([-0.4, 0.0, 0.2]),
)
def test_any_number_of_clicks_is_counted_at_any_gain_and_bias(gaps, size, gain, offset):
    at = np.cumsum(gaps)
    at = at[at < LENGTH - APART]
    samples = sine()
    samples[at] += np.float32(size)
    assert positions(gain * samples + offset) == pytest.approx(at, abs=0.5)


@pytest.mark.parametrize("rate", [16000, 22050, 44100])
@pytest.mark.parametrize("sound", ["sine", "high sine", "white noise", "pulse train", "glottal pulses", "sweep"])
def test_no_click_in_sounds_without_one_across_block_boundaries(rng, rate, sound):
    samples = {
        "sine": lambda: sine(50.0, rate),
        "high sine": lambda: sine(0.4 * rate, rate),
        "white noise": lambda: 0.1 * rng.standard_normal(LENGTH),
        "pulse train": lambda: (np.arange(LENGTH) % round(rate / 110) == 0) * 0.5,
        "glottal pulses": lambda: glottal(rate),
        "sweep": lambda: 0.3 * np.sin(np.pi * 0.4 * np.arange(LENGTH) ** 2 / LENGTH),
    }[sound]()
    assert positions(samples, rate).size == 0


@pytest.mark.parametrize("kind", [spike, step])
def test_a_click_between_glottal_pulses_is_found(kind):
    samples = glottal(RATE).astype(np.float32)
    kind(samples, 30 * round(RATE / 110) + 100)
    assert positions(samples) == pytest.approx([30 * round(RATE / 110) + 100], abs=1.01)


@pytest.mark.parametrize(("heights", "clicks"), [(5.0, 0), (6.5, 1)])
def test_a_click_stands_8_times_over_the_rms_of_the_curvature_around(heights, clicks):
    # A sine of period 16 has a curvature of 4 sin**2(pi / 16) times itself; 8 times its RMS are 5.7 heights.
    samples = 0.1 * np.sin(2 * np.pi * np.arange(LENGTH) / 16)
    samples[16 * 500] += heights * 0.1 * 4 * np.sin(np.pi / 16) ** 2 / 2
    assert positions(samples).size == clicks


@pytest.mark.parametrize("at", [5000, BLOCK - 20, BLOCK + 20])
@pytest.mark.parametrize(
    ("times", "apart_s", "found"), [(2.8, 0.01, 0), (3.3, 0.01, 1), (1.0, 0.02, 0), (1.0, 0.03, 2)]
)
def test_a_click_stands_3_times_over_all_else_within_25_ms(at, times, apart_s, found):
    for other in (at - round(apart_s * RATE), at + round(apart_s * RATE)):
        samples = sine(50.0)
        samples[at] += 0.3
        samples[other] += 0.3 / times
        assert positions(samples).size == found


def test_the_metric_is_the_count_over_the_duration_and_names_the_first():
    samples = sine(length=2 * RATE)
    samples[[5000, 15000, 25000]] += 0.3
    measured = METRICS["clicks_per_s"].measure(Signal(from_array(samples, RATE)))
    assert measured.value == pytest.approx(1.5)
    assert measured.detail["count"] == 3
    assert measured.detail["first_s"] == pytest.approx(5000 / RATE, abs=1e-4)


def test_three_samples_are_enough_to_bend_and_two_are_not():
    short = np.array([0.1, -0.2, 0.3])
    assert METRICS["clicks_per_s"].measure(Signal(from_array(short, RATE))).value is not None
    assert "3 samples" in METRICS["clicks_per_s"].measure(Signal(from_array(short[:2], RATE))).reason
