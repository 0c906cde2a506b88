"""Shapes of filters whose gains are known, in sixth octaves from 40 Hz to 16 kHz."""

import numpy as np
import pytest

from diagnose.operations.shape import shape

HZ = 40 * 2 ** (np.arange(52) / 6)
OCTAVES = np.log2(HZ / 1000)


def of(level_db):
    return shape(HZ, 10 ** (np.asarray(level_db) / 20))


def test_ripples_have_no_name():
    assert of(0.4 * np.sin(np.arange(HZ.size))) == ((), {})


@pytest.mark.parametrize(("gain_db", "names"), [(0.9, ()), (1.1, ("gain",)), (-6.0, ("gain",))])
def test_a_level_is_a_gain_from_a_decibel_on(gain_db, names):
    assert of(np.full(HZ.size, gain_db))[0] == names


@pytest.mark.parametrize("slope", [-4.0, -0.6, 0.6, 3.0])
def test_a_straight_slope_is_a_tilt_with_its_dbs_an_octave(slope):
    names, parameters = of(slope * OCTAVES)
    assert names == ("tilt",)
    assert parameters["slope"][0] == pytest.approx(slope, abs=1e-6)
    assert of(0.4 * OCTAVES)[0] == ()


def test_a_slope_beside_a_level_at_1_khz_are_two():
    assert of(3 * OCTAVES + 4)[0] == ("tilt", "gain")
    assert of(3 * OCTAVES + 1.5)[0] == ("tilt",)


@pytest.mark.parametrize(
    ("level", "name", "cutoff"),
    [
        (np.where(HZ > 3000, -50, 0), "high-frequency-loss", 3000),
        (np.where(HZ < 200, -50, 0), "low-frequency-loss", 200),
    ],
)
def test_what_is_lost_above_or_below_has_its_cutoff(level, name, cutoff):
    names, parameters = of(level)
    assert names == (name,)
    low = "low " * (name == "low-frequency-loss")
    assert parameters[f"{low}cutoff"][0] == pytest.approx(cutoff, rel=0.13)
    assert parameters[f"{low}loss"][0] == pytest.approx(50, abs=0.1)


def test_a_loss_has_to_be_7_db_deep():
    assert of(np.where(HZ > 3000, -6.5, 0.0))[0] != ("high-frequency-loss",)
    assert of(np.where(HZ > 3000, -7.5, 0.0))[0] == ("high-frequency-loss",)


def test_a_gap_is_named_with_its_borders():
    names, parameters = of(np.where((HZ > 500) & (HZ < 1500), -40, 0))
    assert names == ("band-gap",)
    assert parameters["low"][0] == pytest.approx(500, rel=0.13)
    assert parameters["high"][0] == pytest.approx(1500, rel=0.13)


def test_a_slope_and_a_gap_are_both_named():
    assert set(of(3 * OCTAVES + np.where((HZ > 500) & (HZ < 1500), -40, 0))[0]) == {"band-gap", "tilt"}
    assert set(of(-2 * OCTAVES + np.where(HZ > 5000, -60, 0))[0]) == {"high-frequency-loss", "tilt"}


def test_one_band_above_a_loss_is_what_leaks():
    level = np.where(HZ > 4000, -50.0, 0.0)
    level[-1] = -6.0
    assert of(level)[0] == ("high-frequency-loss",)


def test_the_flank_of_a_low_pass_is_no_tilt():
    assert "tilt" not in of(-10 * np.log10(1 + (HZ / 2000) ** 8))[0]


def test_losses_above_and_below_keep_their_own_figures():
    names, parameters = of(np.where((HZ > 3400) | (HZ < 400), -50, 0))
    assert set(names) == {"high-frequency-loss", "low-frequency-loss"}
    assert parameters["cutoff"][0] > 3000 > 500 > parameters["low cutoff"][0]
