"""Edges: a square wave has the same power everywhere, so a burst at its border has exactly its gain."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis import Signal
from diagnose.audio import from_array
from diagnose.metrics import METRICS, edges

RATE = 16000
WIDTH = 320  # 20 ms
SIDES = {"edge_left_db": slice(0, WIDTH), "edge_right_db": slice(-WIDTH, None)}


def square(length=RATE, level=0.05):
    return np.where(np.arange(length) % 2, -level, level)


def measured(name, samples, rate=RATE):
    return METRICS[name].measure(Signal(from_array(np.asarray(samples), rate)))


@pytest.mark.parametrize("offset", [0.0, 0.3])
@pytest.mark.parametrize("gain_db", [-40.0, -6.0, 0.0, 8.0, 22.8])
@pytest.mark.parametrize("name", SIDES)
def test_a_burst_of_known_gain_at_one_side_reads_that_gain_there_and_0_at_the_other(name, gain_db, offset):
    samples = square()
    samples[SIDES[name]] *= 10 ** (gain_db / 20)
    other = next(side for side in SIDES if side != name)
    assert measured(name, samples + offset).value == pytest.approx(gain_db, abs=0.01)
    assert measured(other, samples + offset).value == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_the_edge_is_20_ms_wide_at_any_rate(rate):
    samples = square(rate)
    width = round(0.020 * rate)
    samples[:width] *= 10
    assert measured("edge_left_db", samples, rate).value == pytest.approx(20.0, abs=0.01)
    samples[width : 2 * width] *= 10  # belongs to the interior, whose power it raises
    interior = (width * 100 + (rate - 3 * width)) / (rate - 2 * width)
    assert measured("edge_left_db", samples, rate).value == pytest.approx(20 - 10 * np.log10(interior), abs=0.01)


@pytest.mark.parametrize("name", SIDES)
def test_a_silent_edge_stops_at_the_floor(name):
    samples = square()
    samples[SIDES[name]] = 0
    assert measured(name, samples).value == edges.EDGE_FLOOR_DB
    samples[SIDES[name]] = 10 ** ((edges.EDGE_FLOOR_DB + 1) / 20) * square()[SIDES[name]]
    assert measured(name, samples).value == pytest.approx(edges.EDGE_FLOOR_DB + 1, abs=0.01)


@pytest.mark.parametrize("name", SIDES)
def test_dither_where_there_was_digital_silence_is_not_heard(name, rng):
    silent = square()
    silent[SIDES[name]] = 0
    dithered = silent + rng.uniform(-1, 1, silent.size) / 32768
    assert measured(name, dithered).value == measured(name, silent).value


@pytest.mark.parametrize("name", SIDES)
def test_under_80_ms_there_is_no_interior(name):
    assert measured(name, square(4 * WIDTH)).value == pytest.approx(0.0, abs=0.01)
    assert "80 ms" in measured(name, square(4 * WIDTH - 1)).reason


@pytest.mark.parametrize("name", SIDES)
def test_sound_at_the_edges_alone_has_nothing_to_be_compared_with(name):
    samples = square()
    samples[WIDTH:-WIDTH] = 0
    assert "silence" in measured(name, samples).reason
