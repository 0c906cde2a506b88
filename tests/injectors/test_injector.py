"""What every fault has to hold: finite float32 of the right channels, the same for a seed, and the input untouched."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose import example
from diagnose.audio import Audio
from diagnose.faults import INJECTORS, Injector
from diagnose.injectors.injector import factor, rms

DESIGN = {  # DESIGN, "Cause ids"
    *("vocoder-input-scale", "level-reference-lost", "gain", "dc-offset", "clipping", "polarity", "delay"),
    *("truncated", "sample-rate", "mel-range", "power-magnitude", "high-frequency-loss", "edge-artifact", "clicks"),
    *("frame-rate-hum", "noise", "phase-incoherent", "time-structure-lost", "mono-stereo", "dropout", "hum"),
    *("quantisation", "pitch"),
}
BESIDES = {"padded", "time-stretch", "tilt", "band-gap", "spectral-holes"}
ONE_CHANNEL = {name for name in INJECTORS if name.startswith("mel_")} | {"to_mono"}
SLOW = {name for name in INJECTORS if name.startswith("mel_")}


@st.composite
def sounds(draw):
    """A tenth of a second or so: a note, noise or both, of one or two channels, at a rate of its own."""
    rate = draw(st.sampled_from([8000, 16000, 22050, 44100]))
    length = draw(st.integers(rate // 20, rate // 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    wave = np.sin(2 * np.pi * draw(st.floats(60, 2000)) * np.arange(length) / rate)
    channels = [
        draw(st.floats(0.01, 0.5)) * wave + draw(st.floats(0.001, 0.3)) * rng.standard_normal(length)
        for _ in range(draw(st.integers(1, 2)))
    ]
    return Audio(np.array(channels, np.float32), rate)


@pytest.mark.parametrize("name", INJECTORS)
def test_any_sound_becomes_a_finite_one_and_stays_as_it_was(name):
    fault = INJECTORS[name]

    @settings(max_examples=2 if name in SLOW else 10)
    @given(sounds(), st.floats(0, 1), st.integers(0, 2**32 - 1))
    def holds(sound, severity, seed):
        if not fault.fits(sound):
            return
        before = sound.samples.copy()
        broken = fault.inject(sound, severity, np.random.default_rng(seed))
        assert np.array_equal(sound.samples, before)
        assert broken.samples.dtype == np.float32
        assert broken.samples.ndim == 2
        assert broken.length > 0
        assert np.isfinite(broken.samples).all()
        assert broken.channels == (1 if name in ONE_CHANNEL else sound.channels)
        again = fault.inject(sound, severity, np.random.default_rng(seed))
        assert (again.rate, again.samples.tobytes()) == (broken.rate, broken.samples.tobytes())

    holds()


@pytest.mark.parametrize("name", INJECTORS)
def test_it_changes_the_sound(name):
    note = example.bowed_string(seconds=0.2, rate=22050).mono
    sound = Audio(np.stack([note, 0.5 * np.roll(note, 40)]).astype(np.float32), 22050)
    broken = INJECTORS[name].inject(sound, 1.0, np.random.default_rng(0))
    same = broken.rate == sound.rate and broken.samples.shape == sound.samples.shape
    assert not same or np.abs(broken.samples - sound.samples).max() > 0.003


@pytest.mark.parametrize("severity", [-0.01, 1.01, float("nan"), float("inf")])
def test_a_severity_is_0_to_1(severity):
    sound = Audio(np.ones((1, 100), np.float32), 8000)
    with pytest.raises(ValueError, match="severity must be 0 to 1"):
        INJECTORS["gain_up"].inject(sound, severity, np.random.default_rng(0))


@pytest.mark.parametrize("name", INJECTORS)
def test_amounts_run_from_weak_to_strong(name):
    fault = INJECTORS[name]
    amounts = [fault.amount(step / 8) for step in range(9)]
    assert amounts[0] == pytest.approx(fault.weak)
    assert amounts[-1] == pytest.approx(fault.strong)
    steps = np.diff(amounts)
    assert (steps > 0).all() or (steps < 0).all() or not fault.unit
    assert bool(fault.unit) == (fault.weak != fault.strong)


def test_a_geometric_amount_steps_by_a_factor_and_another_by_a_difference():
    assert Injector("x", "x", "x", lambda *_: None, "s", 1.0, 16.0, True).amount(0.5) == pytest.approx(4)
    assert Injector("x", "x", "x", lambda *_: None, "s", 1.0, 16.0).amount(0.5) == pytest.approx(8.5)


def test_there_are_many_each_under_its_name():
    assert len(INJECTORS) >= 25
    assert all(name == fault.name and re.fullmatch(r"[a-z0-9_]+", name) for name, fault in INJECTORS.items())
    assert len({fault.about for fault in INJECTORS.values()}) == len(INJECTORS)


def test_every_cause_is_one_a_report_may_name():
    named = {fault.cause for fault in INJECTORS.values()}
    assert named - BESIDES == DESIGN


def test_the_causes_above_are_on_the_list_of_the_design():
    design = Path(__file__).resolve().parents[3] / "shared" / "DESIGN.md"
    if not design.is_file():
        pytest.skip("DESIGN.md is not here")
    section = design.read_text(encoding="utf-8").partition("### Cause ids")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([a-z-]+)`", section)) >= DESIGN | BESIDES


def test_what_needs_two_channels_fits_no_mono_sound():
    note = example.bowed_string(seconds=0.3).mono
    mono, both = Audio(note[None], 44100), Audio(np.stack([note, note]), 44100)
    stereo = Audio(np.stack([note, np.roll(note, 50)]), 44100)
    for name in ("to_mono", "dead_channel"):
        assert [INJECTORS[name].fits(sound) for sound in (mono, both, stereo)] == [False, False, True]
    assert INJECTORS["gain_up"].fits(mono)


def test_levels():
    assert factor(20) == pytest.approx(10)
    assert factor(-6.0206) == pytest.approx(0.5, rel=1e-5)
    assert rms(np.array([3.0, 5.0])) == 1  # without the mean
