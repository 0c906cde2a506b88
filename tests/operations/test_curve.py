"""Curves from level to level: known ones are found again, and inverted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.operations.curve import fit_curve


@pytest.fixture(scope="module")
def samples():
    return 0.2 * np.random.default_rng(2).standard_normal(40_000)


@pytest.mark.parametrize("drive", [0.5, 2.0, 6.0])
def test_a_tanh_is_found_to_a_thousandth(samples, drive):
    bent = np.tanh(drive * samples) / drive
    found = fit_curve(samples, bent, 28)(samples)
    assert np.square(found - bent).mean() < 1e-6 * np.square(bent).mean()


def test_a_curve_that_is_not_odd_is_found_too(samples):
    bent = np.where(samples > 0, 0.3 * np.tanh(samples / 0.3), samples)
    found = fit_curve(samples, bent, 28)(samples)
    assert np.square(found - bent).mean() < 1e-4 * np.square(bent).mean()


@given(st.floats(0.2, 5.0), st.floats(-0.1, 0.1))
def test_the_inverse_takes_back_what_the_curve_gave(drive, shift):
    samples = np.linspace(-0.5, 0.5, 2001)
    curve = fit_curve(samples, np.tanh(drive * samples) / drive + shift, 28)
    inside = samples[20:-20]
    assert curve.inverse(curve(inside)) == pytest.approx(inside, abs=2e-3)


def test_what_was_never_seen_goes_on_at_the_ends(samples):
    curve = fit_curve(samples, 0.5 * samples, 12)
    assert curve(np.array([10.0]))[0] == pytest.approx(curve(np.array([curve.most]))[0])


@pytest.mark.parametrize("made", [np.zeros(500), np.repeat([0.5, -0.5], 250)])
def test_a_sound_of_one_or_two_values_crashes_nothing(made):
    made = made + 1e-6 * np.random.default_rng(0).standard_normal(made.size)
    assert np.isfinite(fit_curve(made, made, 28)(made)).all()
