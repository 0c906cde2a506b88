"""What diagnose is asked of a grown sound: within the contract's band, beside the ceiling."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from diagnose import example
from diagnose.audio import Audio
from diagnose.errors import NotComparable
from diagnose.mel.contract import load
from diagnose.metrics import METRICS
from tnca.config import Target as Settings
from tnca.figures import FIGURES, ceiling, figures_of, within_band
from tnca.target import Target, target_of
from tnca.vocoders.griffinlim import GriffinLim

CONTRACT = load("bigvgan_base_22khz_80band")
RATE = 22050


@pytest.fixture(scope="module")
def target():
    return target_of(example.bowed_string(), Settings(CONTRACT))


def of(samples):
    return target_of(Audio(samples.astype(np.float32)[None], RATE, "made"), Settings(CONTRACT))


def test_what_lies_above_fmax_is_taken_out_and_nothing_else():
    # Whole periods in a second, so each tone is one bin of the spectrum.
    time = np.arange(RATE) / RATE
    low, high = 0.3 * np.sin(2 * np.pi * 440 * time), 0.2 * np.sin(2 * np.pi * 9000 * time + 1)
    limited = within_band(of(low + high))
    np.testing.assert_allclose(limited.mono, low, atol=1e-6)
    assert (limited.rate, limited.length) == (RATE, RATE)
    assert limited.name == "made within 0 to 8000 Hz"


def test_what_is_within_the_band_stays(target):
    once = within_band(target)
    twice = within_band(Target(target.values, CONTRACT, once))
    np.testing.assert_allclose(twice.mono, once.mono, atol=1e-6)


def test_below_fmin_too():
    narrow = msgspec.structs.replace(CONTRACT, grid=msgspec.structs.replace(CONTRACT.grid, fmin=100.0))
    time = np.arange(RATE) / RATE
    low, middle = 0.3 * np.sin(2 * np.pi * 50 * time), 0.2 * np.sin(2 * np.pi * 1000 * time)
    limited = within_band(Target(np.zeros((80, 1)), narrow, Audio((low + middle).astype(np.float32)[None], RATE)))
    np.testing.assert_allclose(limited.mono, middle, atol=1e-6)


def test_the_sound_itself_passes(target):
    judged = figures_of(target, within_band(target))
    assert (judged.verdict, judged.causes) == ("PASS", ())
    assert judged.figures["rms_ratio"] == judged.figures["centroid_ratio"] == 1
    rest = {name: figure for name, figure in judged.figures.items() if not name.endswith("_ratio")}
    assert set(rest.values()) == {0}


@pytest.mark.parametrize("gain", [0.25, 2.0])
def test_a_gain_is_the_rms_ratio(target, gain):
    sound = within_band(target)
    judged = figures_of(target, Audio(sound.samples * np.float32(gain), RATE))
    assert judged.figures["rms_ratio"] == pytest.approx(gain, rel=1e-4)
    assert judged.figures["centroid_ratio"] == pytest.approx(1, rel=1e-4)
    assert judged.causes[0] == "gain"


def test_the_centroid_is_a_quotient():
    time = np.arange(RATE) / RATE
    low, high = (0.3 * np.sin(2 * np.pi * hz * time) for hz in (1000, 2000))
    judged = figures_of(of(low), Audio(high.astype(np.float32)[None], RATE))
    assert judged.figures["centroid_ratio"] == pytest.approx(2, rel=0.01)


def test_the_figures_are_metrics_of_diagnose(target):
    assert {metric for _, metric, _ in FIGURES} <= set(METRICS)
    judged = figures_of(target, within_band(target))
    assert list(judged.figures) == [name for name, *_ in FIGURES]


def test_the_ceiling_is_the_round_trip(target):
    sound, judged = ceiling(target, GriffinLim(CONTRACT))
    assert judged.figures == figures_of(target, sound).figures
    assert 0.9 < judged.figures["rms_ratio"] < 1.1
    assert 0.95 < judged.figures["centroid_ratio"] < 1.05
    assert judged.verdict in ("PASS", "WARN")


@pytest.mark.parametrize("length", [1, 500, RATE])
def test_a_silent_sound_is_judged_too(target, length):
    judged = figures_of(target, Audio(np.zeros((1, length), np.float32), RATE))
    assert judged.verdict in ("FAIL", "ERROR")
    assert judged.causes
    assert list(judged.figures) == [name for name, *_ in FIGURES]
    assert judged.figures["centroid_ratio"] is None


def test_where_diagnose_can_say_nothing_the_verdict_is_error(monkeypatch, target):
    def cannot(*_):
        raise NotComparable("nothing in common")

    monkeypatch.setattr("tnca.figures.compare", cannot)
    judged = figures_of(target, within_band(target))
    assert (judged.verdict, judged.causes, judged.report) == ("ERROR", ("NotComparable",), None)
    assert judged.figures == {name: None for name, *_ in FIGURES}


def test_sounds_that_are_hardly_one_are_judged(target):
    rng = np.random.default_rng(0)
    one = np.zeros((1, RATE), np.float32)
    one[0, 5] = 1e-30
    for samples in (one, rng.standard_normal((1, 3)).astype(np.float32), np.full((1, RATE), 0.9, np.float32)):
        judged = figures_of(target, Audio(samples, RATE))
        assert judged.verdict in ("FAIL", "WARN", "ERROR")
        assert all(figure is None or np.isfinite(figure) for figure in judged.figures.values())
