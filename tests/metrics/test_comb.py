"""Comb share: 1 for what repeats every hop, the share of the comb in a mixture, nothing for other sounds."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis import Signal
from diagnose.analysis.comb import Comb
from diagnose.audio import from_array, read
from diagnose.metrics import METRICS


def measured(samples, rate):
    return METRICS["comb_share"].measure(Signal(from_array(np.asarray(samples), rate)))


def pulses(rate, hop, seconds=2):
    return (np.arange(seconds * rate) % hop == 0) * 0.5


def harmonic_tone(hz, rate, seconds=2):
    """All partials below the Nyquist frequency, 1/k in amplitude, in mixed phases."""
    turns = np.arange(seconds * rate) * hz / rate
    return sum(0.1 / k * np.sin(2 * np.pi * k * turns + k * k) for k in range(1, int(rate / 2 / hz) + 1))


@pytest.mark.parametrize(
    ("rate", "hop"), [(22050, 256), (24000, 300), (16000, 200), (44100, 512), (48000, 480), (22050, 128), (22050, 275)]
)
def test_a_pulse_every_hop_is_a_comb_of_that_hop(rate, hop):
    found = measured(pulses(rate, hop), rate)
    assert found.value > 0.9
    assert found.detail["hop_samples"] == hop
    assert found.detail["spacing_hz"] == pytest.approx(rate / hop)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 0.9])
def test_comb_and_noise_give_the_share_of_the_comb(rng, share):
    comb_part = pulses(22050, 256, 4) - np.mean(pulses(22050, 256, 4))
    mixture = np.sqrt(share) * comb_part / comb_part.std() + np.sqrt(1 - share) * rng.standard_normal(comb_part.size)
    assert measured(0.1 * mixture, 22050).value == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("rate", [16000, 22050, 24000, 44100, 48000])
def test_white_noise_has_no_comb(rng, rate):
    assert measured(0.1 * rng.standard_normal(2 * rate), rate).value < 0.05


@pytest.mark.parametrize("rate", [16000, 22050, 24000, 44100, 48000])
def test_a_steady_note_has_no_comb(rate):
    assert measured(harmonic_tone(440.0, rate), rate).value < 0.05


@pytest.mark.parametrize("name", ["violin.wav", "trumpet.ogg", "robin.ogg", "speech.ogg", "strings.ogg"])
def test_real_sounds_have_no_comb(data, name):
    assert METRICS["comb_share"].measure(Signal(read(data / name))).value < 0.05


def test_the_broken_vocoder_output_is_all_comb_at_its_hop(data):
    found = METRICS["comb_share"].measure(Signal(read(data / "generated_bigvgan-2.wav")))
    assert found.value > 0.9
    assert found.detail["hop_samples"] == 256


def test_under_4096_samples_lines_cannot_be_told_apart():
    assert measured(pulses(22050, 256)[:4096], 22050).value > 0.9
    assert "too short" in measured(pulses(22050, 256)[:4095], 22050).reason


@pytest.mark.parametrize(("every", "filled"), [(1, 1.0), (2, 0.5), (4, 0.25)])
def test_the_share_is_corrected_for_chance_and_the_teeth_are_counted(every, filled):
    hz = np.arange(8193.0)
    flat = Comb(np.ones(hz.size), hz, 100.0)
    assert (flat.share, flat.filled) == pytest.approx((0.0, 0.0), abs=1e-9)
    lines = Comb((hz % (100 * every) == 0) * (hz > 0) * 1.0, hz, 100.0)
    assert (lines.share, lines.filled) == pytest.approx((1.0, filled), abs=0.02)
