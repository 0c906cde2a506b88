"""Causes that added something: by level, frequency, count and place, as they were put in."""

from __future__ import annotations

import re

import numpy as np
import pytest

import diagnose
from diagnose.causes import added
from diagnose.faults import INJECTORS

RATE = 22050
HYPOTHESES = [added.noise, added.hum, added.frame_rate_hum, added.clicks, added.edge_artifact]


@pytest.fixture
def copy(melody, rng):
    return lambda fault, amount: INJECTORS[fault].break_by(melody, amount, rng)


def test_noise_is_named_with_its_level(melody, copy):
    for level in (-35.0, -20.0, -10.0):
        found = diagnose.compare(melody, copy("white_noise", level)).causes[0]
        assert found.id == "noise"
        below = 10 * np.log10(1 + 10 ** (-level / 10))  # under the noisy sound
        assert float(re.search(r"[\d.]+", found.summary)[0]) == pytest.approx(below, abs=0.3)


@pytest.mark.parametrize("mains", [50, 60])
def test_a_hum_is_named_with_its_mains_and_its_level(melody, copy, mains):
    found = diagnose.compare(melody, copy(f"hum_{mains}", -15.0)).causes[0]
    assert found.id == "hum"
    assert found.summary == f"a hum at {mains} Hz and its multiples"
    assert re.search(r"it lies 15\.\d dB under the sound", found.evidence[1])
    assert re.search(r"9\d % of what was added", found.evidence[0])


def test_a_hum_under_phases_of_its_own_is_found_by_the_lines_the_reference_lacks(melody, evidence, rng):
    spectrum = np.fft.rfft(melody.mono)
    other = np.fft.irfft(spectrum * np.exp(2j * np.pi * rng.uniform(size=spectrum.size)), melody.length)
    time = np.arange(melody.length) / RATE
    found = added.hum(evidence(melody.mono, other + sum(0.1 * np.sin(2 * np.pi * 50 * k * time) for k in (1, 2, 3))))
    assert found.summary == "a hum at 50 Hz and its multiples"


@pytest.mark.parametrize("hop", [256, 300])
def test_a_waveform_in_every_frame_is_named_with_its_hop(melody, rng, hop):
    period = rng.standard_normal(hop)
    hum = 0.3 * melody.mono.std() * np.resize(period - period.mean(), melody.length)
    found = diagnose.compare(melody.mono, melody.mono + hum, rate=RATE).causes[0]
    assert found.id == "frame-rate-hum"
    assert found.summary == f"a hum on multiples of {RATE / hop:.2f} Hz, the frame rate at hop {hop}"


def test_clicks_are_counted_and_named_with_their_times(melody, evidence):
    sound = melody.mono.copy()
    for at in (0.31, 0.77, 1.43):
        sound[round(at * RATE)] += 0.5
    found = diagnose.compare(melody.mono, sound, rate=RATE).causes[0]
    assert found.id == "clicks"
    assert found.summary == "3 clicks"
    assert "at 0.310, 0.770, 1.430 s" in found.evidence
    assert f"{3 * RATE / melody.length:.1f} clicks a second, 0.0 in the reference" in found.evidence[1]


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_burst_is_named_at_its_side(melody, copy, side):
    found = diagnose.compare(melody, copy(f"edge_{side}", 6.0)).causes[0]
    assert found.id == "edge-artifact"
    assert found.summary == f"a burst in the {'first' if side == 'left' else 'last'} 20 ms"
    assert found.evidence[0].startswith(f"edge_{side}_db +")
    assert found.evidence[1] == "100 % of the difference lies there"


@pytest.mark.parametrize(
    ("hypothesis", "faults"),
    [
        (
            added.noise,
            ["gain_up", "hum_60", "clicks", "random_phase", "hard_clip", "drop_out", "edge_left", "low_pass"],
        ),
        (added.hum, ["white_noise", "gain_up", "frame_rate_hum", "clicks", "pitch_up", "mel_ref_lost", "low_pass"]),
        (added.frame_rate_hum, ["white_noise", "hum_60", "gain_up", "mel_ref_lost", "mel_linear_power", "clicks"]),
        (added.clicks, ["white_noise", "edge_left", "hard_clip", "drop_out", "mel_ref_lost", "hum_50", "low_pass"]),
        (added.edge_artifact, ["white_noise", "clicks", "gain_up", "hum_60", "low_pass", "delay", "drop_out"]),
    ],
)
def test_each_is_silent_on_what_others_did(clues, hypothesis, faults):
    assert [fault for fault in faults if hypothesis(clues(fault))] == []


@pytest.mark.parametrize("hypothesis", HYPOTHESES)
def test_the_same_sound_has_none_of_these(same, hypothesis):
    assert hypothesis(same) is None
