"""Masking: a burst hides what comes after it by known slopes, and a band the next higher one."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis.cells import Cells
from diagnose.analysis.masking import hidden_db, loud_db

HOP, RATE = 128, 44_100
FRAMES, BURST = 200, 100


def cells(levels_db):
    powers = (10 ** (np.asarray(levels_db) / 10)).astype(np.float32)
    return Cells(powers, powers, powers, HOP, RATE)


@pytest.fixture
def burst():
    """Silence, but for one frame at 0 dB in the second band of seven."""
    levels = np.full((FRAMES, 7), -120.0)
    levels[BURST, 1] = 0.0
    return hidden_db(cells(levels))


@pytest.mark.parametrize("later", [1, 7, 16, 40])
def test_after_a_burst_it_hides_160_db_a_second_less(burst, later):
    expected = max(-160 * later * HOP / RATE, -45)
    assert burst[BURST + later, 1] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("earlier", [1, 5, 10])
def test_before_a_burst_it_hides_500_db_a_second_less(burst, earlier):
    assert burst[BURST - earlier, 1] == pytest.approx(-500 * earlier * HOP / RATE, abs=0.01)


def test_a_band_hides_what_is_higher_by_18_db_less_and_nothing_lower(burst):
    assert burst[BURST] == pytest.approx([-45, 0, -18, -36, -45, -45, -45], abs=0.01)


def test_nothing_is_heard_45_db_under_the_loud(burst):
    assert burst.min() == pytest.approx(-45, abs=0.01)


def test_loud_is_the_ninetieth_percentile_of_what_sounds():
    levels = np.full((1000, 1), -100.0)
    levels[:100] = -20.0
    levels[:10] = 0.0
    assert loud_db(cells(levels)) == pytest.approx(-18.0, abs=2.1)
    assert loud_db(cells(levels)) < 0
