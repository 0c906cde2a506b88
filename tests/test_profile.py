"""Profiles: a warning beyond the failure is refused, whatever its kind; the levels a limit stands for."""

from __future__ import annotations

import pytest

from diagnose.errors import InputError
from diagnose.metrics import METRICS
from diagnose.profile import nearest, parse_limits
from diagnose.results.limit import Threshold, as_threshold


def parsed(name, direction, warn, fail, tolerance=0.0):
    table = {
        "unit": METRICS[name].unit, "direction": direction, "warn": warn, "fail": fail, "tolerance": tolerance,
        "reason": "a test",
    }  # fmt: skip
    return parse_limits({name: table}, "here")[name]


def share(relative, absolute=0.0):
    return {"relative": relative, "absolute": absolute}


BEYOND = [
    ("spectral_centroid_hz", "both", share(0.21), share(0.2)),  # relative beyond relative
    ("spectral_centroid_hz", "higher", share(0.21), share(0.2)),
    ("cutoff_hz", "lower", share(-0.21), share(-0.2)),
    ("spectral_centroid_hz", "both", share(0.21, 1.0), share(0.2, 2.0)),  # though the absolute ones are in order
    ("spectral_centroid_hz", "both", share(0.1, 3.0), share(0.2, 2.0)),  # though the relative ones are
    ("crest_db", "both", 3.1, 3.0),
    ("crest_db", "lower", -3.1, -3.0),
    ("rms_ratio", "both", 2.1, 2.0),
    ("rms_ratio", "both", 0.4, 2.0),  # 1 / 2.5
    ("rms_ratio", "both", 2.1, 0.5),
    ("rms_ratio", "lower", 0.4, 0.5),
    ("envelope_correlation", "lower", 0.4, 0.5),
    ("envelope_correlation", "lower", -0.6, -0.5),
]


@pytest.mark.parametrize(("name", "direction", "warn", "fail"), BEYOND)
def test_a_warning_beyond_the_failure_is_refused(name, direction, warn, fail):
    with pytest.raises(InputError, match=rf"here\.{name}\.warn: .*beyond the fail level"):
        parsed(name, direction, warn, fail)


@pytest.mark.parametrize(("name", "direction", "fail", "warn"), BEYOND)
def test_the_same_two_levels_the_other_way_round_are_none_or_one_beyond(name, direction, fail, warn):
    mixed = isinstance(warn, dict) and warn["absolute"]  # one of the two kinds is out of order either way
    if mixed:
        with pytest.raises(InputError, match="beyond"):
            parsed(name, direction, warn, fail)
    else:
        assert parsed(name, direction, warn, fail).direction == direction


@pytest.mark.parametrize(
    ("name", "direction", "level"),
    [
        ("spectral_centroid_hz", "both", share(0.2, 3.0)),
        ("crest_db", "lower", -3.0),
        ("rms_ratio", "both", 2.0),
        ("envelope_correlation", "lower", 0.5),
    ],
)
def test_both_levels_may_be_one(name, direction, level):
    held = parsed(name, direction, level, level)
    assert as_threshold(held.warn) == as_threshold(held.fail)


@pytest.mark.parametrize(
    ("name", "direction", "level"),
    [
        ("spectral_centroid_hz", "both", 0.0),
        ("spectral_centroid_hz", "higher", 0.0),
        ("spectral_centroid_hz", "lower", 0.0),
        ("rms_ratio", "higher", 1.0),
        ("rms_ratio", "lower", 1.0),
        ("envelope_correlation", "lower", 1.0),
        ("envelope_correlation", "both", 0.5),
        ("envelope_correlation", "both", -0.5),
        ("spectral_convergence", "higher", 0.5),  # a ratio whose ideal is 0
    ],
)
def test_a_level_may_lie_on_the_ideal_and_on_the_worse_side(name, direction, level):
    assert parsed(name, direction, level, None).warn == level


@pytest.mark.parametrize("direction", ["both", "lower", "higher"])
@pytest.mark.parametrize("key", ["warn", "fail"])
def test_a_ratio_of_0_is_no_level(direction, key):
    table = {"unit": "ratio", "direction": direction, "reason": "a test", key: 0.0}
    with pytest.raises(InputError, match=rf"here\.rms_ratio\.{key}: .*above 0"):
        parse_limits({"rms_ratio": table}, "here")


def test_a_tolerance_of_nothing_is_one():
    assert parsed("crest_db", "both", 1.0, 2.0, 0.0).tolerance == 0.0
    assert parsed("crest_db", "both", 1.0, 2.0, share(0.0, 0.5)).tolerance == Threshold(0.5, 0.0)


@pytest.mark.parametrize(
    ("threshold", "reference", "level"),
    [
        (Threshold(), 100.0, 0.0),
        (Threshold(5.0), 100.0, 5.0),
        (Threshold(5.0), None, 5.0),
        (Threshold(5.0, 0.1), 100.0, 10.0),
        (Threshold(5.0, 0.1), -100.0, 10.0),
        (Threshold(5.0, 0.1), 10.0, 5.0),
        (Threshold(-5.0, -0.1), 100.0, -10.0),
        (Threshold(-5.0, -0.1), 10.0, -5.0),
        (Threshold(relative=0.1), None, 0.0),
    ],
)
def test_a_threshold_is_the_wider_of_a_size_and_a_share(threshold, reference, level):
    assert threshold.at(reference) == pytest.approx(level)


def test_one_name_is_suggested():
    assert nearest("rms_rato") == "; did you mean 'rms_ratio'?"
    assert nearest("third_octave_1000") == "; did you mean 'third_octave_1000_db'?"
    assert nearest("q") == ""
