"""Steps and creep: series whose answer is known, rates over thousands of seeded ones, scipy for the statistics."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from diagnose.gate.creep import creeps, trend
from diagnose.gate.steps import noise, steps
from diagnose.results.history import Step


def series(*levels, each=10):
    return np.repeat(np.asarray(levels, float), each)


def test_without_noise_a_step_is_wherever_the_value_changes():
    assert steps(series(1.0, 1.0)) == ()
    assert steps(series(0.98, 1.05, 0.9)) == (Step(10, 0.98, 1.05, 10), Step(20, 1.05, 0.9, 10))
    assert steps(np.array([1.0, 1.0, 1.0, 2.0])) == (Step(3, 1.0, 2.0, 1),)
    assert steps(np.array([1.0, 1.0, 1.0, 2.0, 1.0, 1.0])) == ()  # one run that the next one takes back
    assert steps(1 + 1e-8 * np.arange(20) % 2) == ()


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.0]])
def test_few_runs_have_no_step(values):
    assert steps(np.array(values)) == ()
    assert creeps(np.array(values), ()) is None


def test_the_noise_of_a_series_is_not_moved_by_its_steps(rng):
    white = rng.standard_normal(4000)
    assert noise(white) == pytest.approx(1, rel=0.05)
    white[2000:] += 50
    assert noise(white) == pytest.approx(1, rel=0.05)


def test_a_noisy_step_is_found_at_its_run(rng):
    for _ in range(50):
        values = rng.standard_normal(40)
        values[25:] += 5
        (step,) = steps(values)
        assert abs(step.index - 25) <= 2
        assert step.after - step.before == pytest.approx(5, abs=1.5)
        assert creeps(values, (step,)) is None


def test_two_noisy_steps_are_both_found(rng):
    values = rng.standard_normal(90) + series(0, 6, 2, each=30)
    assert [step.index for step in steps(values)] == [30, 60]


def test_one_outlier_is_no_step(rng):
    values = 0.1 * rng.standard_normal(40)
    values[20] += 3.0
    assert steps(values) == ()


def test_a_short_level_in_a_long_series_is_found(rng):
    for _ in range(20):
        values = rng.standard_normal(200)
        values[100:105] += 7
        found = [step.index for step in steps(values)]
        assert len(found) == 2
        assert abs(found[0] - 100) <= 1
        assert abs(found[1] - 105) <= 1


@pytest.mark.parametrize(
    ("runs", "most"),
    [(20, 0.008), *(pytest.param(*other, marks=pytest.mark.slow) for other in ((8, 0.02), (100, 0.005)))],
)
def test_white_noise_hardly_ever_shows_a_step_or_a_creep(runs, most):
    rng = np.random.default_rng(runs)
    found = drifts = 0
    for _ in range(1000):
        values = rng.standard_normal(runs)
        seen = steps(values)
        found += bool(seen)
        drifts += creeps(values, seen) is not None
    assert found / 1000 <= most
    assert drifts / 1000 <= 0.01


def test_a_ramp_creeps_and_a_step_does_not(rng):
    ramps = [rng.standard_normal(40) + np.linspace(0, 6, 40) for _ in range(100)]
    assert sum(creeps(values, steps(values)) is not None for values in ramps) >= 95
    jumps = [rng.standard_normal(40) + 6 * (np.arange(40) >= 20) for _ in range(100)]
    assert sum(creeps(values, steps(values)) is not None for values in jumps) <= 3


def test_a_staircase_without_noise_creeps_and_one_or_two_steps_do_not():
    for count, expected in [(2, False), (3, False), (6, True), (10, True)]:
        values = np.repeat(np.arange(count, dtype=float), 30 // count)
        assert (creeps(values, steps(values)) is not None) is expected, count


def test_a_creep_has_its_slope_and_drift():
    values = 0.5 - 0.01 * np.arange(30)
    seen = creeps(values, steps(values))
    assert seen.slope == pytest.approx(-0.01)
    assert seen.drift == pytest.approx(-0.29)


SERIES = arrays.arrays(np.float64, st.integers(3, 30), elements=st.integers(-4, 4).map(float))


@given(SERIES)
def test_the_statistics_are_scipys(values):
    order = np.arange(len(values))
    seen = trend(values)
    assert seen.slope == pytest.approx(stats.theilslopes(values, order).slope)
    if np.ptp(values):
        # Kendall's tau-b is S over a product of the numbers of untied pairs.
        ties = np.unique(values, return_counts=True)[1]
        pairs = len(values) * (len(values) - 1) / 2
        untied = pairs - (ties * (ties - 1) / 2).sum()
        s = stats.kendalltau(order, values).statistic * np.sqrt(pairs * untied)
        variance = (
            len(values) * (len(values) - 1) * (2 * len(values) + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()
        ) / 18
        assert seen.z == pytest.approx((s - np.sign(round(s))) / np.sqrt(variance), abs=1e-9)


@given(SERIES)
def test_levels_are_those_between_the_steps(values):
    found = steps(values)
    indices = [step.index for step in found]
    assert indices == sorted(set(indices))
    assert all(0 < index < len(values) for index in indices)
    assert all(one.after == two.before for one, two in pairwise(found))
