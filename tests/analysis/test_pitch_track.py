"""The pitch track's parts on correlations that are drawn: which peak is a period, how it is refined, what is voiced."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis.pitch import PitchTrack, _best_period, _refined, parabola, track

RATE = 22050


def tone(hz, rate=RATE, seconds=1.0, amplitude=0.5):
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


# A parabola through three points


@pytest.mark.parametrize("top", [-0.5, -0.2, 0.0, 0.3, 0.5])
@pytest.mark.parametrize("bend", [0.1, 2.0])
def test_the_vertex_is_that_of_the_parabola(top, bend):
    before, here, after = (3.0 - bend * (np.array([x]) - top) ** 2 for x in (-1.0, 0.0, 1.0))
    shift, height = parabola(before, here, after)
    assert (shift[0], height[0]) == (pytest.approx(top), pytest.approx(3.0))


@pytest.mark.parametrize(
    ("points", "shift"),
    [
        ((1.0, 1.0, 1.0), 0.0),
        ((0.0, 1.0, 2.0), 0.0),  # a straight line has no vertex
        ((2.0, 1.0, 2.0), 0.0),  # nor has a valley
        ((0.0, 1.0, 1.5), 0.5),  # it lies beyond the neighbour
        ((1.5, 1.0, 0.0), -0.5),
    ],
)
def test_a_vertex_lies_within_half_a_sample(points, shift):
    assert parabola(*(np.array([x]) for x in points))[0][0] == shift


# The best period


def correlation(*peaks, length=400):
    """Peaks of (lag, height), each a parabola 0.2 lower a sample beside its top; -1 elsewhere."""
    row = np.full(length, -1.0)
    for lag, height in peaks:
        near = np.arange(int(lag) - 1, int(lag) + 3)
        near = near[near < length]
        row[near] = np.maximum(row[near], height - 0.2 * (near - lag) ** 2)
    return row[None]


@pytest.mark.parametrize("lag", [30.0, 100.0, 100.3, 99.6, 398.0])
def test_the_period_is_where_the_peak_is(lag):
    assert _best_period(correlation((lag, 0.8)), RATE) == pytest.approx(lag)


@pytest.mark.parametrize(("better", "period"), [(0.008, 100.0), (0.012, 200.0)])
def test_a_period_twice_as_long_has_to_fit_better_by_a_hundredth(better, period):
    assert _best_period(correlation((100.0, 0.8), (200.0, 0.8 + better)), RATE) == period


def test_a_peak_over_1_is_no_better_than_one_of_1():
    assert _best_period(correlation((100.0, 1.0), (200.0, 1.03)), RATE) == 100.0


def test_without_a_peak_there_is_no_period():
    assert _best_period(np.ones((1, 400)), RATE) == 0.0
    assert _best_period(np.linspace(1, 0, 400)[None], RATE) == 0.0


def test_two_alike_are_one_peak_between_them():
    row = np.zeros((1, 400))
    row[0, 100:102] = 0.8
    assert _best_period(row, RATE) == 100.5


@pytest.mark.parametrize(("rate", "lag"), [(4000.0, 2.0), (40000.0, 20.0)])
def test_2000_hz_is_the_highest_pitch(rate, lag):
    assert _best_period(correlation((lag, 0.8)), rate) == pytest.approx(lag)
    assert _best_period(correlation((lag - 1, 0.8)), rate) == 0.0


# Refined on the multiples


def refined(period, *peaks, length=400):
    f0, periodicity = _refined(correlation(*peaks, length=length), np.array([float(period)]), RATE)
    return f0[0], periodicity[0]


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_period_is_a_quarter_of_four(off):
    """Its estimate a sample off; a fifth that is told otherwise is not asked."""
    peaks = [(50 + off, 1.0), (100.2, 1.0), (150.3, 1.0), (200.4, 1.0), (251.3, 1.0)]
    assert refined(50, *peaks)[0] == pytest.approx(RATE / 50.1)


@pytest.mark.parametrize("lag", [49.0, 50.0, 51.0])
def test_an_estimate_a_sample_off_is_put_right_without_a_multiple(lag):
    assert refined(50, (lag, 1.0), length=90)[0] == RATE / lag


def test_a_multiple_of_just_nine_tenths_counts():
    assert refined(50, (50.0, 1.0), (101.0, 0.9), length=140)[0] == pytest.approx(RATE / 50.5)


def test_multiples_that_are_lower_than_nine_tenths_of_the_first_do_not_count():
    f0, periodicity = refined(50, (50.0, 1.0), (100.2, 0.85), (150.3, 0.95), (200.8, 0.85))
    assert f0 == pytest.approx(RATE / 50.1)
    assert periodicity == pytest.approx(1.0)
    assert refined(50, (50.0, 1.0), (100.2, 0.9 + 1e-9), (150.6, 0.5), (200.8, 0.5))[0] == pytest.approx(RATE / 50.1)


def test_the_periodicity_is_that_of_the_peak_nearest_to_a_sample():
    assert refined(50, (50.3, 0.97), (100.5, 0.99), (150.1, 0.95), (200.4, 0.96))[1] == pytest.approx(0.95)
    assert refined(50, (50.0, 0.97), (100.0, 0.99))[1] == pytest.approx(0.97)  # the first of two as near


def test_the_periodicity_is_1_at_most():
    assert refined(50, (50.0, 1.02))[1] == 1.0


def test_what_lies_outside_of_the_lags_has_no_pitch():
    assert refined(0, (1.0, 1.0)) == (0.0, 0.0)
    assert refined(397, (397.0, 1.0))[0] == pytest.approx(RATE / 397)
    assert refined(398, (398.0, 1.0)) == (0.0, 0.0)
    spike = np.where(np.arange(400) == 2, 1.0, -1.0)[None]
    assert _refined(spike, np.array([2.0]), RATE)[0] == RATE / 2


# The track


@pytest.mark.parametrize(
    ("rate", "frame"), [(8000, 1024), (15000, 1024), (16000, 2048), (22050, 2048), (44100, 4096), (48000, 4096)]
)
def test_a_frame_is_the_power_of_two_over_4_periods_of_60_hz_and_half_overlaps(rate, frame):
    found = track(tone(220, rate), rate)
    assert found.hop_s == pytest.approx(frame / 2 / rate)
    assert found.f0_hz.size == (rate - frame) // (frame // 2) + 1


def test_under_a_frame_there_is_nothing():
    found = track(tone(220)[:2047], RATE)
    assert (found.f0_hz.size, found.periodicity.size, found.voiced.size) == (0, 0, 0)
    assert found.hop_s == pytest.approx(1024 / RATE)


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000])
def test_the_lowest_pitch_is_60_hz(rate):
    found = track(tone(60.3, rate), rate)
    assert found.f0_hz == pytest.approx(60.3, rel=2e-3)


@pytest.mark.parametrize("amplitude", [1.0, 1e-3, 1e-5])
def test_a_pitch_does_not_depend_on_the_level(amplitude):
    found = track(tone(220.5, amplitude=amplitude), RATE)
    assert found.voiced.all()
    assert found.periodicity == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("level_db", "voiced"), [(-59.5, True), (-60.5, False)])
def test_a_pitch_is_told_within_60_db_of_the_loudest_frame(level_db, voiced):
    samples = tone(220.5, seconds=2.0, amplitude=1.0)  # 100 samples a period
    samples[RATE:] *= 10 ** (level_db / 20)
    found = track(samples, RATE)
    late = slice(int(1.2 / found.hop_s), None)
    assert set(found.voiced[late].tolist()) == {voiced}
    assert (found.periodicity[late] > 0.9).all() if voiced else (found.periodicity[late] == 0).all()
    assert found.voiced[: int(0.8 / found.hop_s)].all()


def test_the_loudest_frame_is_the_one_of_the_most_power_whatever_its_frequency():
    # At 7 kHz a sample is correlated with the next by under 0: the power is that at lag 0.
    found = track(np.concatenate([tone(7000), 10 ** (-65 / 20) * tone(220.5)]), RATE)
    assert not found.voiced[int(1.2 / found.hop_s) :].any()


def test_digital_silence_has_no_pitch():
    found = track(np.concatenate([tone(220.5), np.zeros(RATE, np.float32)]), RATE)
    late = int(1.2 / found.hop_s)
    assert not found.voiced[late:].any()
    assert (found.periodicity[late:] == 0).all()
    assert found.voiced[: int(0.8 / found.hop_s)].all()


def test_a_frame_is_voiced_where_it_has_a_frequency():
    assert PitchTrack(np.array([0.0, 60.0]), np.array([0.9, 0.9]), 0.05).voiced.tolist() == [False, True]
