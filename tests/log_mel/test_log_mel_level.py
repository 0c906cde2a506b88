"""Gains, levels of bands and of moments, holes and noise in log-mel cells, each of a known size."""

import numpy as np
import pytest

from diagnose.log_mel.level import (
    FEWEST_MOMENTS,
    GONE,
    GONE_SHARE,
    HOLE_S,
    KNOTS_BANDS,
    LEAST_GAIN,
    MOMENT_S,
    bands,
    gain,
    hole,
    moments,
    noise,
)
from diagnose.log_mel.overdriven import summed
from diagnose.log_mel.scene import BLOCK, NATS_DB

FRAME_S = 0.01

# Gain


@pytest.mark.parametrize("nats", [-2.0, -0.3, 0.3, 2.0])
def test_a_gain_is_read_and_undone(levels, fitted, nats):
    found = fitted(gain, levels, levels + nats)
    assert found.id == "gain"
    assert found.charged == 1
    assert found.parameters["gain"] == (pytest.approx(8.686 * nats, abs=0.01), "dB")
    assert found.apply(levels) == pytest.approx(levels + nats, abs=1e-3)
    assert found.undo(levels + nats) == pytest.approx(levels, abs=1e-3)


@pytest.mark.parametrize(("share", "is_read"), [(0.8, False), (1.2, True)])
def test_a_gain_under_a_decibel_is_none(levels, fitted, share, is_read):
    assert (fitted(gain, levels, levels - share * LEAST_GAIN) is not None) is is_read
    assert pytest.approx(0.87, abs=0.01) == NATS_DB * LEAST_GAIN


def test_wild_cells_do_not_move_a_gain(levels, fitted):
    theirs = levels + 1
    theirs[:, 60:] -= 2.5
    assert fitted(gain, levels, theirs).parameters["gain"][0] == pytest.approx(8.686, abs=1)
    assert np.median(theirs - levels) == 1
    assert np.mean(theirs - levels) < 0.5


# Bands


@pytest.mark.parametrize("seed", range(3))
def test_a_curve_of_nine_straight_pieces_is_read(levels, fitted, seed):
    at = np.linspace(0, 79, KNOTS_BANDS)
    curve = np.interp(np.arange(80), at, np.random.default_rng(seed).uniform(-1, 1, KNOTS_BANDS))
    found = fitted(bands, levels, levels + curve)
    assert found.charged == KNOTS_BANDS == 9
    assert found.parameters["least"] == (pytest.approx(8.686 * curve.min(), abs=0.7), "dB")
    assert found.parameters["most"] == (pytest.approx(8.686 * curve.max(), abs=0.7), "dB")
    assert found.apply(levels) == pytest.approx(levels + curve, abs=0.08)
    assert found.undo(levels + curve) == pytest.approx(levels, abs=0.08)


@pytest.mark.parametrize(("step", "kept"), [(20, True), (8, False)])
def test_a_curve_moves_once_in_ten_bands_and_not_faster(levels, fitted, step, kept):
    """Up and down, once in so many bands."""
    curve = np.abs(np.arange(80) % (2 * step) / step - 1)
    left = fitted(bands, levels, levels + curve).apply(levels) - levels - curve
    assert (np.abs(left).mean() < 0.05) == kept


GONE_BANDS = {
    "high-frequency-loss": slice(50, 80),
    "low-frequency-loss": slice(0, 16),
    "band-gap": slice(34, 56),
    "tilt": slice(0, 0),
}


@pytest.mark.parametrize("name", GONE_BANDS)
def test_what_is_gone_gives_its_name(levels, fitted, name):
    theirs = levels + np.linspace(0.5, -0.5, 80)
    theirs[:, GONE_BANDS[name]] -= 3
    assert fitted(bands, levels, theirs).id == name


@pytest.mark.parametrize(("nats", "name"), [(1.2, "tilt"), (2.0, "high-frequency-loss")])
def test_a_band_is_gone_from_thirteen_decibels_on(levels, fitted, nats, name):
    theirs = levels.copy()
    theirs[:, 50:] -= nats
    assert fitted(bands, levels, theirs).id == name


# Moments


def test_a_slow_swing_of_the_level_is_read(levels, fitted):
    curve = np.sin(2 * np.pi * np.arange(240) * FRAME_S)[:, None]  # 1 Hz
    found = fitted(moments, levels, levels + curve)
    assert found.id == "modulation"
    assert found.parameters["depth"] == (pytest.approx(8.686 * 2 / np.pi, rel=0.1), "dB")
    inside = slice(12, -12)  # from the middle of the first moment to that of the last
    assert np.abs(found.apply(levels) - levels - curve)[inside].mean() < 0.08
    assert np.abs(found.undo(levels + curve) - levels)[inside].mean() < 0.08


def test_a_level_is_fitted_every_eighth_of_a_second(levels, fitted):
    found = fitted(moments, levels, levels + 1)
    assert found.charged == 240 // (BLOCK[0] * round(MOMENT_S / FRAME_S / BLOCK[0])) == 20


@pytest.mark.parametrize(("count", "is_read"), [(FEWEST_MOMENTS - 1, False), (FEWEST_MOMENTS, True)])
def test_four_moments_are_the_fewest(levels, fitted, count, is_read):
    assert (fitted(moments, levels[: 12 * count], levels[: 12 * count] + 1) is not None) is is_read
    assert FEWEST_MOMENTS == 4


# Holes


def holed(levels, *places, down=8.0, upto=80):
    theirs = levels.copy()
    for place in places:
        theirs[place, :upto] -= down
    return theirs


@pytest.mark.parametrize("frames", [4, 10, 40])
def test_holes_are_read_with_their_length(levels, fitted, frames):
    loud = levels + 3 * (levels < -3)
    theirs = holed(loud, slice(50, 50 + frames), slice(150, 160))
    found = fitted(hole, loud, theirs)
    assert found.id == "dropout"
    assert found.parameters == {
        "holes": (2.0, ""),
        "silence": (pytest.approx((frames + 10) * FRAME_S), "s"),
    }
    made = found.apply(loud)
    assert np.flatnonzero((made < loud - 1).any(axis=1)).tolist() == [*range(50, 50 + frames), *range(150, 160)]
    assert made[150:160].max() <= np.quantile(theirs[theirs < loud - 1], 0.5) + 1e-3
    assert found.charged == 5


@pytest.mark.parametrize(("frames", "is_read"), [(13, False), (21, True)])
def test_under_20_ms_nothing_is_a_hole(levels, fitted, frames, is_read):
    loud = np.maximum(levels, -2)
    assert (fitted(hole, loud, holed(loud, slice(50, 50 + frames)), 0.001) is not None) is is_read
    assert HOLE_S == 0.02


@pytest.mark.parametrize(("share", "is_read"), [(GONE_SHARE - 0.1, False), (GONE_SHARE + 0.1, True)])
def test_in_a_hole_four_fifths_of_what_was_heard_are_gone(levels, fitted, share, is_read):
    loud = np.maximum(levels, -2)
    assert (fitted(hole, loud, holed(loud, slice(50, 90), upto=round(80 * share))) is not None) is is_read
    assert GONE_SHARE == 0.8


@pytest.mark.parametrize(("factor", "is_read"), [(0.8, False), (1.25, True)])
def test_a_hole_is_22_decibels_deep(levels, fitted, factor, is_read):
    """In a sound that lies 4 nats over the floor, so that the floor is near."""
    flat = np.full_like(levels, -5.5)
    flat[0] = 0  # the floor is -9
    assert (fitted(hole, flat, holed(flat, slice(50, 90), down=GONE * factor)) is not None) is is_read
    assert GONE == 2.5


@pytest.mark.parametrize(("over", "is_read"), [(0.8, True), (1.25, False)])
def test_nothing_is_left_in_a_hole(levels, fitted, over, is_read):
    """By 4 nats softer, but as much over the floor."""
    flat = np.full_like(levels, 0.0)
    assert (fitted(hole, flat, holed(flat, slice(50, 90), down=9 - over * GONE)) is not None) is is_read


@pytest.mark.parametrize(("heard", "is_read"), [(9, False), (16, True)])
def test_a_frame_of_a_hole_had_an_eighth_of_its_bands(levels, fitted, heard, is_read):
    ours = np.full_like(levels, -20.0)
    ours[:, :heard] = 0.0
    assert (fitted(hole, ours, holed(ours, slice(50, 90))) is not None) is is_read


def test_a_softer_sound_and_a_quiet_moment_are_no_holes(levels, fitted):
    assert fitted(hole, levels, levels - 2) is None
    quiet = levels.copy()
    quiet[50:90] -= 8
    assert fitted(hole, quiet, quiet) is None


# Noise


@pytest.mark.parametrize("level", [-4.0, -2.5, -1.0])
def test_a_steady_noise_is_read_by_its_level(levels, fitted, level):
    levels = np.where(np.arange(240)[:, None] % 60 < 48, levels, -7).astype(np.float32)  # with pauses
    theirs = summed(levels, np.full_like(levels, level))
    found = fitted(noise, levels, theirs)
    signal = 10 * np.log10(np.square(np.exp(levels)).mean())
    assert found.id == "noise"
    assert found.undo is None
    assert found.parameters["signal_to_noise"] == (pytest.approx(signal - 8.686 * level, abs=1.5), "dB")
    assert np.abs(found.apply(levels) - theirs).mean() < 0.12


def test_a_noise_has_its_own_level_in_each_band(levels, fitted):
    slope = np.linspace(-1, -4, 80, dtype=np.float32)
    theirs = summed(levels, np.broadcast_to(slope, levels.shape))
    assert np.abs(fitted(noise, levels, theirs).apply(levels) - theirs).mean() < 0.12


def test_a_noise_that_varies_is_read_by_its_mean(levels, fitted):
    """Its quietest frames lie under it: what is over them is tried."""
    varied = -2 + 0.3 * np.random.default_rng(1).standard_normal(levels.shape).astype(np.float32)
    found = fitted(noise, levels, summed(levels, varied))
    signal = 10 * np.log10(np.square(np.exp(levels)).mean())
    assert signal - found.parameters["signal_to_noise"][0] == pytest.approx(8.686 * -2, abs=2)
