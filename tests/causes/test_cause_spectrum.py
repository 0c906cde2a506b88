"""Causes in the spectrum: bands, tilts, holes, phases and pitch, by the figures that were put in."""

from __future__ import annotations

import re

import numpy as np
import pytest

import diagnose
from diagnose.causes import spectrum
from diagnose.faults import INJECTORS

RATE = 22050
HYPOTHESES = [
    spectrum.high_frequency_loss,
    spectrum.tilt,
    spectrum.band_gap,
    spectrum.spectral_holes,
    spectrum.phase_incoherent,
    spectrum.pitch,
]


@pytest.fixture
def copy(melody, rng):
    """copy("low_pass", 2000.0): the melody broken by that much."""
    return lambda fault, amount: INJECTORS[fault].break_by(melody, amount, rng)


def first(melody, copy):
    return diagnose.compare(melody, copy).causes[0]


def figures(text):
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


@pytest.mark.parametrize("cutoff", [1500.0, 3000.0, 6000.0])
def test_a_low_pass_is_named_with_its_frequency_and_depth(melody, copy, cutoff):
    found = first(melody, copy("low_pass", cutoff))
    assert found.id == "high-frequency-loss"
    assert figures(found.summary)[0] == pytest.approx(cutoff / 1000, rel=0.1)
    assert figures(found.evidence[0])[1] == pytest.approx(90, abs=5)


@pytest.mark.parametrize("slope", [-5.0, -2.0, 3.0])
def test_a_tilt_is_named_with_its_slope(melody, copy, slope):
    found = first(melody, copy("tilt_bright", slope))
    assert found.id == "tilt"
    assert found.summary.startswith("brighter" if slope > 0 else "duller")
    assert figures(found.evidence[0])[0] == pytest.approx(slope, abs=0.2)


def test_a_gap_is_named_between_its_ends(melody, copy):
    hz = np.fft.rfftfreq(melody.length, 1 / RATE)
    cut = np.fft.irfft(np.fft.rfft(melody.mono) * ((hz < 1000) | (hz > 2000)), melody.length)
    found = diagnose.compare(melody.mono, cut, rate=RATE).causes[0]
    assert found.id == "band-gap"
    low, high = re.findall(r"([\d.]+) (k?)Hz", found.summary)
    low, high = (float(value) * (1000 if kilo else 1) for value, kilo in (low, high))
    assert low == pytest.approx(1000, rel=0.12)
    assert high == pytest.approx(2000, rel=0.12)


def test_holes_are_named_with_their_share(melody, copy, clues):
    found = diagnose.compare(melody, copy("spectral_holes", 0.6)).causes[0]
    assert found.id == "spectral-holes"
    assert figures(found.summary)[0] > 3


def test_bent_phases_are_named_with_how_they_follow_the_sound(report, clues):
    found = report("random_phase", 0.0).causes[0]
    assert found.id == "phase-incoherent"
    assert f"slope {clues('random_phase', 0.0).residual.follows:.2f} dB per dB" in found.evidence[0]


@pytest.mark.parametrize("cents", [-250.0, -60.0, 130.0, 300.0])
def test_a_pitch_is_named_in_cents_and_as_a_factor(melody, copy, cents):
    found = first(melody, copy("pitch_up", cents))
    assert found.id == "pitch"
    said = figures(found.summary)[0]
    assert said == pytest.approx(abs(cents), abs=5)
    assert ("high" if cents > 0 else "low") in found.summary
    assert figures(found.fix)[1] == pytest.approx(2 ** (cents / 1200), abs=0.004)


@pytest.mark.parametrize(
    ("hypothesis", "faults"),
    [
        (
            spectrum.high_frequency_loss,
            ["gain_up", "tilt_dull", "band_gap", "white_noise", "clicks", "delay", "pitch_up"],
        ),
        (spectrum.tilt, ["gain_up", "low_pass", "band_gap", "hum_50", "delay", "quantise", "pitch_up", "edge_left"]),
        (spectrum.band_gap, ["gain_up", "low_pass", "tilt_dull", "white_noise", "delay", "drop_out", "hard_clip"]),
        (spectrum.spectral_holes, ["gain_up", "drop_out", "low_pass", "band_gap", "white_noise", "mel_ref_lost"]),
        (spectrum.phase_incoherent, ["white_noise", "hard_clip", "low_pass", "drop_out", "delay", "clicks", "hum_60"]),
        (spectrum.pitch, ["gain_up", "rate_label_high", "slower", "mel_fmax", "mel_htk", "mel_ref_lost", "polarity"]),
    ],
)
def test_each_is_silent_on_what_others_did(clues, hypothesis, faults):
    assert [fault for fault in faults if hypothesis(clues(fault))] == []


@pytest.mark.parametrize("hypothesis", HYPOTHESES)
def test_the_same_sound_has_none_of_these(same, hypothesis):
    assert hypothesis(same) is None


def test_how_clearly_a_reading_fits_better_is_measured_in_what_is_left(same, clues):
    assert spectrum.better_by(same.match, 1.0) == 0
    match = clues("pitch_up").match
    assert spectrum.better_by(match, match.same) == 0
    assert spectrum.better_by(match, match.same + 0.2 * (1 - match.same)) == pytest.approx(0.5)
    assert spectrum.better_by(match, 1.0) == 1


def test_a_warp_is_told_from_a_shift(clues):
    assert spectrum.warps_better(clues("mel_fmax").match) > 0.5
    assert spectrum.warps_better(clues("pitch_up").match) == 0
