"""The curve of the generated log-mel over the reference's: exact on numbers, near on round trips through a vocoder."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.causes.levels import Levels

FLOOR = np.log(1e-5)


def curve(x, y):
    """Levels of two log-mels as they are given."""
    found = object.__new__(Levels)
    found.x, found.y = np.atleast_2d(x), np.atleast_2d(y)
    return found


@pytest.fixture
def x(rng):
    return rng.uniform(-7, 0.5, (200, 80))


@pytest.mark.parametrize(("factor", "offset"), [(1.0, 0.0), (0.434, 0.3), (0.5, -1.0), (0.05, 1.0), (1.2, 0.0)])
def test_a_line_is_read_exactly(x, factor, offset):
    found = curve(x, factor * x + offset)
    assert found.slope == pytest.approx(factor)
    assert found.top_slope == pytest.approx(factor)
    assert found.r == pytest.approx(1)
    assert found.spreads == pytest.approx((0.9 * 7.5, factor * 0.9 * 7.5), rel=0.02)
    assert found.medians == pytest.approx((-3.25, factor * -3.25 + offset), abs=0.1)
    assert found.loudest == pytest.approx((0.5, factor * 0.5 + offset), abs=0.01)
    assert found.floor_share == 0
    assert found.survivors == 1
    assert found.restlessness == pytest.approx(factor, rel=1e-6)


def test_a_steep_curve_is_steep_at_the_top_where_the_rest_lies_on_the_floor(x):
    found = curve(x, np.maximum(2 * x - 1, FLOOR))
    assert found.top_slope == pytest.approx(2)
    assert found.slope < 2
    # 2x - 1 > ln(1e-5) + 1 asks for x > -4.76; heard is all of -7..0.5
    assert found.floor_share == pytest.approx((7 - 4.76) / 7.5, abs=0.02)


@pytest.mark.parametrize(("factor", "left"), [(1.0, 1.0), (2.0, 1.0), (8.686, 0.0), (3.5, 0.5)])
def test_what_survives_tells_decibels_from_powers(x, factor, left):
    # 2 to 4 nats under the loudest fall to -2 f..-4 f; the floor + 1 is at -10.5 nats, 3 nats down at f = 3.5
    found = curve(x, np.maximum(factor * (x - 0.5), FLOOR))
    assert found.survivors == pytest.approx(left, abs=0.03)


def test_scatter_is_that_about_the_curve(x, rng):
    found = curve(x, x + 0.3 * rng.standard_normal(x.shape))
    assert found.scatter == pytest.approx(np.hypot(0.3, 7.5 / 24 / np.sqrt(12)), abs=0.02)  # and a group's own width
    assert found.slope == pytest.approx(1, abs=0.01)


def test_cells_far_under_the_loudest_do_not_count():
    x = np.linspace(-11.5, 0, 4000)
    assert curve(x, np.where(x < -9.1, 0.0, x)).slope == pytest.approx(1)


def test_a_flat_sound_has_no_slope_and_no_r(x):
    found = curve(x, np.full_like(x, 1.5))
    assert (found.slope, found.r) == (0, 0)


@pytest.mark.parametrize("level", [FLOOR, -11.0, 0.5])
def test_a_reference_on_the_floor_or_all_of_one_level_is_measured_all_the_same(level):
    found = curve(np.full((4, 8), level), np.full((4, 8), -3.0))
    assert (found.slope, found.top_slope, found.r, found.floor_share) == (0, 0, 0, 0)
    assert found.spreads == (0, 0)


@pytest.mark.parametrize(
    ("fault", "slope", "within"), [("mel_log10", 0.434, 0.02), ("mel_20_for_10", 0.5, 0.02), ("mel_ref_lost", 1, 0.1)]
)
def test_a_melody_through_a_vocoder_on_another_scale_has_that_slope(clues, fault, slope, within):
    levels = clues(fault).levels
    assert levels.slope == pytest.approx(slope, abs=within)
    assert levels.r > 0.95


def test_a_power_for_a_magnitude_is_near_2_among_the_loudest(clues):
    levels = clues("mel_10_for_20").levels
    assert levels.top_slope == pytest.approx(2, abs=0.25)
    assert levels.survivors > 0.9


def test_of_decibels_only_the_loudest_survive(clues):
    levels = clues("mel_decibel").levels
    assert levels.survivors < 0.15
    assert levels.floor_share > 0.8


def test_the_loudest_cell_of_a_lost_reference_is_1(clues):
    assert clues("mel_ref_lost").levels.loudest[1] == pytest.approx(0, abs=0.05)


def test_frames_in_another_order_are_restless_and_a_copy_is_not(clues, same):
    assert clues("mel_shuffled").levels.restlessness > 1.3
    assert same.levels.restlessness == pytest.approx(1)
    assert clues("mel_linear_hum").levels.restlessness < 0.5
