"""The two spaces: which operations may follow which, and what is known of them."""

from itertools import chain

import pytest

from diagnose.explain import LOG_MEL, WAVEFORM, Space
from diagnose.explain.spaces import levels, overdriven, scale_curve, smoothed
from diagnose.faults import CATALOGUE
from diagnose.operations import added, echo, level, local, spectrum

SPACES = pytest.mark.parametrize("space", [WAVEFORM, LOG_MEL], ids=lambda space: space.name)


def steps(*names):
    """Operations that are never called."""
    return [lambda scene, before, name=name: name for name in names]


@SPACES
def test_what_is_said_of_an_operation_is_said_of_one_of_the_space(space):
    groups = (space.local, space.unordered, space.of_all_at_once, *space.alike, *space.one_of)
    assert set(chain.from_iterable(groups)) <= set(space.operations)
    assert len(set(space.operations)) == len(space.operations)
    assert set(chain.from_iterable(space.by_cause.values())) == set(space.operations)
    assert set(space.by_cause) <= set(CATALOGUE)


def test_each_space_has_its_own_least_fall():
    assert (WAVEFORM.name, WAVEFORM.least_fall_db) == ("waveform", 6.0)
    assert (LOG_MEL.name, LOG_MEL.least_fall_db) == ("log-mel", 4.0)


def test_a_step_is_taken_once_and_of_a_group_one():
    a, b, c, d = steps("a", "b", "c", "d")
    space = Space("of tests", (a, b, c, d), {}, one_of=((a, b), (b, c)))
    assert space.allowed((), space.operations) == [a, b, c, d]
    assert space.allowed((a,), space.operations) == [c, d]
    assert space.allowed((b,), space.operations) == [d]
    assert space.allowed((d,), space.operations) == [a, b, c]
    assert space.allowed((d, c), [a, b]) == [a]


def test_a_scale_and_a_gain_and_two_averages_exclude_each_other():
    scales = (scale_curve.scaled, scale_curve.scaled_and_clipped, scale_curve.linear)
    for one in (levels.gain, *scales):
        assert not {levels.gain, *scales} & set(LOG_MEL.allowed((one,), LOG_MEL.operations))
    for one in (scale_curve.scaled_and_clipped, scale_curve.linear):
        assert overdriven.overdriven not in LOG_MEL.allowed((one,), LOG_MEL.operations)
    assert overdriven.overdriven in LOG_MEL.allowed((scale_curve.scaled,), LOG_MEL.operations)
    assert smoothed.smoothed_in_frequency not in LOG_MEL.allowed((smoothed.smoothed_in_time,), LOG_MEL.operations)
    assert set(LOG_MEL.allowed((levels.hole,), LOG_MEL.operations)) == set(LOG_MEL.operations) - {levels.hole}


@SPACES
def test_without_a_cause_its_operations_are_not_known(space):
    for cause, operations in space.by_cause.items():
        less = space.without([cause])
        assert less.operations == tuple(each for each in space.operations if each not in operations)
        assert less.of([cause]) == ()
        assert less.name == space.name
    assert space.without([]).operations == space.operations
    assert space.without(["delay", "no such cause"]).operations == space.operations


def test_the_operations_of_causes_come_in_their_order_and_once():
    assert WAVEFORM.of(["noise", "gain", "noise"]) == (added.noise, level.gain)
    assert WAVEFORM.of(["tilt", "band-gap"]) == (spectrum.filtered, echo.echoed)
    assert WAVEFORM.of(["delay", "no such cause"]) == ()
    assert LOG_MEL.of(["dropout", "power-magnitude"]) == (
        levels.hole,
        scale_curve.scaled,
        scale_curve.scaled_and_clipped,
    )


def test_where_a_step_stands_matters_unless_the_others_are_alike():
    assert not WAVEFORM.is_ordered(level.gain, [level.hard_clipping])
    assert not WAVEFORM.is_ordered(level.hard_clipping, [level.gain, added.noise])
    assert WAVEFORM.is_ordered(level.hard_clipping, [spectrum.filtered])
    assert not WAVEFORM.is_ordered(spectrum.filtered, [echo.echoed])
    assert WAVEFORM.is_ordered(spectrum.filtered, [echo.echoed, local.dropout])
    assert not LOG_MEL.is_ordered(levels.bands, [levels.gain, levels.moments])
    assert LOG_MEL.is_ordered(levels.bands, [scale_curve.scaled])
    assert not LOG_MEL.is_ordered(smoothed.smoothed_in_time, [])
