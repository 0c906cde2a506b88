"""The local metrics on pairs whose faults are known, their details, and when they say nothing."""

from __future__ import annotations

import numpy as np
import pytest

import diagnose
from diagnose import example
from diagnose.analysis import Pair, Signal
from diagnose.audio import Audio
from diagnose.metrics import METRICS

RATE = 22_050
LOCAL = ("bad_places", "worst_20ms_residual_db", "worst_dip_db", "worst_burst_db", "clicks_added", "quiet_excess_db")


@pytest.fixture(scope="module")
def melody():
    notes = [example.bowed_string(196.0 * 2 ** (step / 12), 0.5, RATE).mono for step in (0, 4, 7, 12, 9, 5)]
    return np.concatenate(notes).astype(np.float32)


def measured(name, ours, theirs):
    sides = (Signal(Audio(np.asarray(side, np.float32)[None], RATE)) for side in (ours, theirs))
    return METRICS[name].measure(Pair(*sides))


def row(report, name):
    return next(row for row in report.metrics if row.name == name)


@pytest.mark.parametrize("name", LOCAL)
def test_a_sound_and_itself_pass(melody, name):
    report = diagnose.compare(melody, melody, rate=RATE)
    assert row(report, name).verdict == "PASS"


def test_places_are_counted_and_the_worst_is_said(melody):
    made = melody.copy()
    made[[20_000, 40_000]] += 0.5
    made[30_000] += 0.9
    found = measured("bad_places", melody, made)
    assert found.value == 3
    assert found.detail["start_s"] == pytest.approx(30_000 / RATE, abs=0.003)
    assert found.detail["first_s"] == pytest.approx(20_000 / RATE, abs=0.003)
    assert 0 < found.detail["total_s"] < 0.03


def test_one_place_warns_and_is_a_region(melody):
    made = melody.copy()
    made[30_000:30_110] = 0
    report = diagnose.compare(melody, made, rate=RATE)
    assert row(report, "bad_places").verdict == "WARN"
    (box,) = [box for box in report.regions if box.metric == "bad_places"]
    assert box.start_s <= 30_000 / RATE <= box.end_s
    assert box.end_s - box.start_s == pytest.approx(0.010, abs=0.003)


def test_places_are_told_on_the_references_clock(melody):
    made = melody.copy()
    made[30_000] += 0.9
    late = np.pad(made, (2205, 0))
    assert measured("bad_places", melody, late).detail["start_s"] == pytest.approx(30_000 / RATE, abs=0.003)


def test_what_is_inverted_for_20_ms_leaves_6_db_over(melody):
    made = melody.copy()
    made[30_000:31_000] *= -1
    found = measured("worst_20ms_residual_db", melody, made)
    assert found.value == pytest.approx(6.0, abs=1.0)
    assert 30_000 / RATE - 0.01 <= found.detail["start_s"] <= 31_000 / RATE


@pytest.mark.parametrize(("name", "gain_db"), [("worst_dip_db", -15.0), ("worst_burst_db", 15.0)])
def test_dips_and_bursts_are_told_in_db_and_warn(melody, name, gain_db):
    made = melody.copy()
    made[30_000:40_000] *= 10 ** (gain_db / 20)
    report = diagnose.compare(melody, made, rate=RATE)
    found = row(report, name)
    assert found.change == pytest.approx(15.0, abs=1.0)
    assert found.verdict == "WARN"
    assert 30_000 / RATE - 0.1 <= found.detail["start_s"] <= 40_000 / RATE
    (box,) = [box for box in report.regions if box.metric == name]
    assert (box.start_s, box.end_s) == pytest.approx((30_000 / RATE, 40_000 / RATE), abs=0.06)
    assert np.sign(box.excess_db) == np.sign(gain_db)


def test_clicks_that_both_have_are_not_added(melody):
    ours, theirs = melody.copy(), melody.copy()
    ours[20_000] += 0.8
    theirs[[20_000, 30_000]] += 0.8
    found = measured("clicks_added", ours, theirs)
    assert found.value == 1
    assert found.detail["first_s"] == pytest.approx(30_000 / RATE, abs=1e-3)


def test_a_click_beside_something_as_sharp_is_none(melody):
    ours, theirs = melody.copy(), melody.copy()
    ours[30_000 + 200 : 30_000 + 300 : 20] += 0.4
    theirs[30_000] += 0.8
    assert measured("clicks_added", ours, theirs).value == 0


def test_mu_law_fills_the_quiet(melody):
    scaled = np.sign(melody) * np.log1p(255 * np.abs(melody)) / np.log(256)
    coarse = np.round(scaled * 127) / 127
    theirs = np.sign(coarse) * (256 ** np.abs(coarse) - 1) / 255
    report = diagnose.compare(melody, theirs.astype(np.float32), rate=RATE)
    assert row(report, "quiet_excess_db").verdict != "PASS"
    assert report.causes[0].id == "quantisation"


@pytest.mark.parametrize("name", ["bad_places", "worst_20ms_residual_db", "quiet_excess_db", "folded_db"])
def test_what_is_no_copy_is_not_held_sample_on_sample(name):
    note = example.bowed_string(seconds=1.0, rate=RATE)
    found = diagnose.compare(note, example.misfed_vocoder(note))
    assert row(found, name).change is None


@pytest.mark.parametrize("name", LOCAL[:4])
def test_what_is_too_short_says_so(rng, name):
    noise = 0.1 * rng.standard_normal(450)
    assert measured(name, noise, noise).reason


@pytest.mark.parametrize(("level_db", "verdict"), [(-87.0, "PASS"), (-40.0, "FAIL")])
def test_a_band_that_nobody_hears_is_no_failure(rng, level_db, verdict):
    """Noise under 7 kHz, and above 8.2 kHz nothing, or what lies so many dB under the whole."""
    size = 2 * RATE
    hz = np.fft.rfftfreq(size, 1 / RATE)
    spectrum = np.fft.rfft(rng.standard_normal(size))
    low, high = (np.fft.irfft(np.where(kept, spectrum, 0), size) for kept in (hz < 7000, hz > 8500))
    low *= 0.1 / low.std()
    high *= 0.1 / high.std() * 10 ** (level_db / 20)
    report = diagnose.compare(low, low + high, rate=RATE)
    assert row(report, "band_8192_nyquist_db").verdict == verdict
