"""Clicks by their definition: which neighbours count, from which height on, in closed form to the sample."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis.clicks import click_times

RATE = 20000
GUARD, REACH = 30, 480  # samples: 1.5 ms, and 25 ms in whole cells of 1.5 ms
AT = 100 * GUARD  # the first of a cell
LENGTH = 200 * GUARD


def found(*impulses, background=None):
    """The samples at which clicks are found; impulses: (sample, height)."""
    samples = np.zeros(LENGTH) if background is None else background.copy()
    for at, height in impulses:
        samples[at] += height
    return np.round(click_times(samples.astype(np.float32), RATE) * RATE).astype(int).tolist()


# An impulse of height h has a curvature of h, 2 h and h at the three samples about it.


@pytest.mark.parametrize("at", [AT, AT + 7, AT + GUARD - 1])
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(
    ("apart", "counts"),
    [
        (10, False),
        (GUARD - 1, False),  # its last sample is the last of the guard
        (GUARD + 1, True),
        (36, True),  # 1.8 ms
        (REACH + 1, True),  # its first sample is the last of the neighbourhood
        (REACH + 2, False),
    ],
)
def test_a_neighbour_of_over_a_third_hides_a_click_from_1_5_to_25_ms(apart, counts, sign, at):
    clicks = found((at, 1.0), (at + sign * apart, 0.9))
    assert (at in clicks) is not counts


def test_a_step_that_begins_at_the_end_of_the_guard_counts_behind_it():
    samples = np.zeros(LENGTH)
    samples[AT + GUARD + 1 :] = 0.9  # a curvature of 0.9 at the guard's last sample and at the next
    assert found((AT, 1.0), background=samples) == []


@pytest.mark.parametrize(("height", "clicks"), [(0.37, []), (0.375, []), (0.38, [AT])])
def test_a_click_is_over_three_times_its_neighbour_and_not_just_as_much(height, clicks):
    assert found((AT, height), (AT + 40, 0.125)) == clicks


@pytest.mark.parametrize(("over", "count"), [(-2e-4, 0), (2e-4, 1)])
def test_a_click_is_over_eight_times_the_rms_about_it_its_own_guard_left_out(over, count):
    # A sample up, a sample down: the curvature is 4 a everywhere, and so is its RMS.  The click adds 28 a.
    a = 2.0**-6
    zigzag = a * (-1.0) ** np.arange(LENGTH)
    assert len(found((AT, 14 * a * (1 + over)), background=zigzag)) == count


@pytest.mark.parametrize(("curvature", "count"), [(0.9e-4, 0), (1.2e-4, 1)])
def test_what_is_as_small_as_the_rounding_of_16_bits_is_no_click(curvature, count):
    assert len(found((AT, curvature / 2))) == count


def test_a_curvature_of_the_very_smallest_is_none():
    assert found((AT, np.float32(1e-4) / 2)) == []
