"""The tolerance that a spread earns, against scipy's t distribution and the intervals' own promise."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from diagnose.errors import InputError
from diagnose.gate.spread import CHANCE, both_tails, prediction, student, tolerance


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 19, 20, 99, 1000])
@pytest.mark.parametrize("chance", [0.5, 0.05, 1e-3, 1e-6, 1e-9])
def test_student_is_scipys(freedom, chance):
    assert student(chance, freedom) == pytest.approx(stats.t.isf(chance / 2, freedom), rel=1e-6)


@given(st.floats(0, 1e4), st.integers(1, 500))
def test_both_tails_are_scipys(t, freedom):
    assert both_tails(t, freedom) == pytest.approx(2 * stats.t.sf(t, freedom), rel=1e-6, abs=1e-13)


@pytest.mark.parametrize(("chance", "freedom"), [(0.0, 5), (1e-15, 5), (1.0, 5), (0.1, 0)])
def test_a_chance_that_has_no_t_is_refused(chance, freedom):
    with pytest.raises(InputError, match="no t for a probability"):
        student(chance, freedom)


def test_a_chance_of_a_trillionth_is_the_smallest_that_has_one():
    assert student(1e-12, 5) > student(1.2e-12, 5) > student(1.5e-12, 5) > 100


def test_a_prediction_interval_in_closed_form():
    # One degree of freedom is the Cauchy distribution: P(|T| > t) = 1 - 2 atan(t) / pi.
    t = math.tan(math.pi / 2 * (1 - 1e-4))  # one check in 10,000
    assert prediction(2.0, 2, 1) == pytest.approx(t * 2 * math.sqrt(1.5), rel=1e-6)
    assert prediction(2.0, 2, 1, single=True) == pytest.approx(t * 2 * math.sqrt(2), rel=1e-6)
    assert prediction(0.0, 20, 50) == 0


def test_a_prediction_interval_holds_as_often_as_it_says():
    rng = np.random.default_rng(7)
    metrics = 1e-2 / CHANCE  # a chance of 1 % for the one figure, so that misses can be counted
    draws = rng.standard_normal((20_000, 11))
    spreads = draws[:, :10].std(axis=1, ddof=1)
    width = prediction(1.0, 10, 1) / student(CHANCE, 9) * student(CHANCE * metrics, 9)
    missed = np.mean(np.abs(draws[:, 10] - draws[:, :10].mean(axis=1)) > width * spreads)
    assert 0.008 < missed < 0.012


def test_normal_runs_earn_the_prediction_interval_and_skewed_ones_three_times_the_furthest():
    normal = stats.norm.ppf((np.arange(20) + 0.5) / 20).tolist()
    assert tolerance(normal, 50) == pytest.approx(prediction(statistics.stdev(normal), 20, 50))
    skewed = [0.0] * 99 + [1.0]
    assert tolerance(skewed, 1) == pytest.approx(3 * 0.99)
    assert tolerance([0.5] * 5, 50) == 0
