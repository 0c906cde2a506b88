"""Scales of a vocoder's input: a slope and an offset, clipped or not, and values where logarithms are read."""

import numpy as np
import pytest

from diagnose.log_mel import scale_curve
from diagnose.log_mel.overdriven import loudness, summed
from diagnose.log_mel.scale_curve import (
    ALIKE_CLIPPED,
    CHARGED,
    FEWEST,
    KNOWN,
    NEAR,
    POWERS,
    STEEP,
    STEEPEST,
    linear,
    named,
    nearest,
    scaled,
    scaled_and_clipped,
)

SLOPES = (0.3, 0.4343, 0.5, 0.693, 1.443, 2.0)


@pytest.mark.parametrize(("slope", "offset"), [*((slope, -1.0) for slope in SLOPES), (0.4343, 1.5), (1.443, 0.0)])
def test_a_slope_is_read_and_undone(smooth_levels, fitted, slope, offset):
    levels = smooth_levels(3, -4.0, 0.0)
    theirs = slope * levels + offset
    found = fitted(scaled, levels, theirs)
    assert found.parameters["slope"] == (pytest.approx(slope, rel=0.01), "")
    assert found.parameters["offset"] == (pytest.approx(offset, abs=0.03), "nats")
    assert found.charged == 2
    assert found.apply(levels) == pytest.approx(theirs, abs=0.03)
    assert found.undo(theirs) == pytest.approx(levels, abs=0.06)


def test_errors_on_both_sides_do_not_flatten_the_line(smooth_levels, fitted):
    """An ordinary regression would read 0.8 of it."""
    levels, rng = smooth_levels(3, -4.0, 0.0, (4, 2)), np.random.default_rng(0)
    wobble = rng.normal(0, 0.5, (2, 60, 40)).repeat(4, axis=1).repeat(2, axis=2)
    found = fitted(scaled, levels + wobble[0], 1.25 * levels + wobble[1])
    assert found.parameters["slope"][0] == pytest.approx(1.25, abs=0.12)
    regression = np.polyfit((levels + wobble[0]).ravel(), (1.25 * levels + wobble[1]).ravel(), 1)[0]
    assert regression < 1.06


def test_wild_cells_do_not_turn_the_line(smooth_levels, fitted):
    levels = smooth_levels(3, -4.0, 0.0)
    theirs = 0.5 * levels
    theirs[:24] = -4
    assert fitted(scaled, levels, theirs).parameters["slope"][0] == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize(("most", "is_read"), [(2.1, True), (1.9, False)])
def test_a_slope_is_no_steeper_than_twelve(smooth_levels, fitted, monkeypatch, most, is_read):
    levels = smooth_levels(3, -3.0, 0.0)
    monkeypatch.setattr(scale_curve, "STEEPEST", most)
    assert (fitted(scaled, levels, 2 * levels) is not None) is is_read
    assert STEEPEST == 12


@pytest.mark.parametrize(("slope", "is_read"), [(0.015, False), (0.03, True)])
def test_a_slope_is_no_flatter_than_a_fiftieth(smooth_levels, fitted, slope, is_read):
    levels = smooth_levels(3, -8.0, 0.0)
    assert (fitted(scaled, levels, slope * levels) is not None) is is_read


def test_a_sound_upside_down_has_no_slope(levels, fitted):
    assert fitted(scaled, levels, -levels) is None


@pytest.mark.parametrize(("blocks", "is_read"), [(FEWEST - 20, False), (FEWEST + 20, True)])
def test_a_line_takes_a_hundred_blocks(smooth_levels, fitted, blocks, is_read):
    levels = smooth_levels(3, -4.0, 0.0)[: 4 * blocks // 20, :40]
    assert (fitted(scaled, levels, 0.5 * levels) is not None) is is_read
    assert FEWEST == 100


# Names


def test_what_is_known_follows_from_the_logarithms():
    told = {
        "log10 was given where natural logarithms are read": 0.4343,
        "a magnitude was given where a power is read": 0.5,
        "natural logarithms were given where log2 is read": 0.6931,
        "log2 was given where natural logarithms are read": 1.4427,
        "a power was given where a magnitude is read": 2.0,
        "natural logarithms were given where log10 is read": 2.3026,
        "decibels of powers were given where natural logarithms are read": 4.3429,
        "decibels of magnitudes were given where natural logarithms are read": 8.6859,
    }
    assert {what: round(slope, 4) for what, slope in KNOWN.items()} == told
    assert set(POWERS) | set(ALIKE_CLIPPED) | set(STEEP) <= set(KNOWN.values())
    assert {slope for slope in KNOWN.values() if slope > 1} == set(STEEP)


@pytest.mark.parametrize("what", KNOWN)
def test_what_is_near_a_known_slope_is_that(what):
    for factor in (np.exp(-0.8 * NEAR), 1.0, np.exp(0.8 * NEAR)):
        found = nearest(KNOWN[what] * factor)
        assert found[0] is not None
    assert nearest(KNOWN[what]) == (what, KNOWN[what])
    assert NEAR == 0.07
    assert named(KNOWN[what]) == ("power-magnitude" if KNOWN[what] in (0.5, 2.0) else "vocoder-input-scale")


@pytest.mark.parametrize(("slope", "known"), [(0.58, False), (0.541, False), (0.53, True)])
def test_what_is_seven_per_cent_off_is_no_known_slope(slope, known):
    what, factor = nearest(slope)
    assert (what is not None) is known
    assert known or (factor == slope and named(slope) == "vocoder-input-scale")


# Clipped as well


def clipped(levels, limit):
    """Frames held at a limit; of what is cut off, a part 30 dB softer lies in each band."""
    over = np.maximum(loudness(levels) - limit, 0)
    return summed(levels - over, limit - 3.5 + np.log(np.maximum(1 - np.exp(-over), 1e-6)))


@pytest.mark.parametrize("slope", STEEP)
@pytest.mark.parametrize("over", [1.5, 4.0])
def test_a_steep_slope_is_read_where_the_output_clips(smooth_levels, begun, slope, over):
    levels = smooth_levels(6, min(-9.0 / slope, -3.5), 0.0, (6, 5))
    steep = slope * levels
    limit = float(loudness(steep).max()) - over
    theirs = clipped(steep, limit)
    found = scaled_and_clipped(*begun(levels, theirs))
    assert found.ids == (named(slope), "clipping")
    assert found.charged == CHARGED == 5
    assert found.undo is None
    told = found.parameters["slope"][0]
    if slope in ALIKE_CLIPPED:
        assert told in ALIKE_CLIPPED
    elif slope > 4:  # only the loudest is left: which decibels they were, it does not tell
        assert told > 4
    else:
        assert told == pytest.approx(slope)
        assert found.parameters["offset"][0] == pytest.approx(0.0, abs=1.0)
        assert np.abs(np.maximum(found.apply(levels), -8) - np.maximum(theirs, -8)).mean() < 0.35


# Values where logarithms are read


@pytest.mark.parametrize("power", [1.0, 2.0])
@pytest.mark.parametrize("level", [-1.0, 1.0])
def test_values_for_logarithms_are_read_with_their_power(smooth_levels, fitted, power, level):
    """Small values move the output little: all of it lies near e**0."""
    levels = smooth_levels(7, -5.0, 0.0, (6, 5))
    theirs = np.exp(power * (levels + level)) - level
    found = fitted(linear, levels, theirs)
    assert found.id == "vocoder-input-scale"
    assert found.charged == CHARGED
    assert found.parameters["power"] == (power, "")
    assert found.parameters["level"] == (pytest.approx(level, abs=0.3), "nats")
    assert np.abs(found.apply(levels) - theirs).mean() < 0.1


@pytest.mark.parametrize(("slope", "is_read"), [(1.1, False), (1.25, True), (0.92, False), (0.8, True)])
def test_a_slope_near_one_is_a_gain(smooth_levels, fitted, slope, is_read):
    levels = smooth_levels(3, -4.0, 0.0)
    assert (fitted(scaled, levels, slope * levels) is not None) is is_read
