"""A cause and the figures in its sentences."""

from __future__ import annotations

import pytest

from diagnose.causes.evidence import ramp
from diagnose.causes.words import decibels, hertz, milliseconds, percent, times
from diagnose.results.cause import LEAST, Cause, cause


@pytest.mark.parametrize("strength", [LEAST, 0.5, 1.0])
def test_a_hypothesis_with_some_strength_is_a_cause(strength):
    assert cause("gain", strength, "too loud", ["+6 dB"], "halve it") == Cause(
        "gain", strength, "too loud", ("+6 dB",), "halve it", ()
    )


@pytest.mark.parametrize("strength", [0.0, 0.049])
def test_a_hypothesis_without_is_none(strength):
    assert cause("gain", strength, "", [], "") is None


@pytest.mark.parametrize(
    ("value", "none", "full", "expected"),
    [
        (0, 1, 3, 0),
        (1, 1, 3, 0),
        (2, 1, 3, 0.5),
        (3, 1, 3, 1),
        (9, 1, 3, 1),
        (2, 3, 1, 0.5),
        (0, 3, 1, 1),
        (4, 3, 1, 0),
    ],
)
def test_a_ramp_is_a_straight_line_from_none_to_full_either_way(value, none, full, expected):
    assert ramp(value, none, full) == expected


@pytest.mark.parametrize(
    ("words", "value", "expected"),
    [
        (percent, 0.744, "74 %"),
        (percent, 0.0123, "1.2 %"),
        (percent, 0.0, "0 %"),
        (percent, 1e-5, "under 0.01 %"),
        (percent, 1.0, "100 %"),
        (decibels, -20.06, "-20.1 dB"),
        (decibels, 3.01, "3.0 dB"),
        (decibels, -120.0, "under -100 dB"),
        (times, 4.13, "4.1 times"),
        (times, 1.26, "1.26 times"),
        (hertz, 86.13, "86 Hz"),
        (hertz, 3031.0, "3.03 kHz"),
        (hertz, 11025.0, "11 kHz"),
        (milliseconds, 0.1871, "187 ms"),
        (milliseconds, 1.5, "1.50 s"),
        (milliseconds, -0.02, "-20 ms"),
    ],
)
def test_a_figure_in_a_sentence(words, value, expected):
    assert words(value) == expected
