"""Clipping in log-mel cells: frames held at a limit, and the harmonics of what is cut."""

import numpy as np
import pytest

from diagnose.log_mel.overdriven import (
    ABOVE,
    FEWEST_ABOVE,
    LIMITS,
    QUIETEST,
    UNSEEN,
    held_at,
    loudness,
    overdriven,
    summed,
)
from diagnose.log_mel.scene import BLOCK, NATS_DB, LogMelScene


def test_two_of_a_level_are_three_decibels_louder():
    one = np.array([[-3.0, 0.0, 5.0]], np.float32)
    assert summed(one, one) - one == pytest.approx(np.log(2) / 2)
    assert summed(one, one - 30) == pytest.approx(one)
    assert summed(one, one - 1) == pytest.approx(0.5 * np.log(np.exp(2 * one) + np.exp(2 * one - 2)))


def test_the_loudness_of_a_frame_is_that_of_its_power():
    frames = np.zeros((3, 80), np.float32)
    frames[1] = np.log(0.5)
    frames[2] = -2 * QUIETEST
    assert QUIETEST == 40  # nats: what lies deeper counts as that
    assert loudness(frames)[:, 0] == pytest.approx(
        [np.log(80) / 2, np.log(80) / 2 - np.log(2), np.log(80) / 2 - QUIETEST], abs=1e-4
    )


@pytest.fixture(scope="module")
def beats():
    """Frames that are loud by turns, whose upper bands are 7 nats down."""
    swing = 1.5 * np.sin(2 * np.pi * np.arange(240) / 60)[:, None]
    return np.float32(swing - 7 * np.arange(80) / 79)


def clipped(levels, over, line):
    """Held so much under the loudest frame; what is cut off lies in the bands along a line of (first, last)."""
    limit = loudness(levels).max() - over
    cut = np.maximum(loudness(levels) - limit, 0)
    lost = limit + np.log(np.maximum(1 - np.exp(-cut), 1e-6))
    return summed(levels - cut, np.where(cut > 0, lost + np.linspace(*line, 80), -99).astype(np.float32))


@pytest.mark.parametrize("over", LIMITS[2:5])
@pytest.mark.parametrize("line", [(-4.0, -4.0), (-3.0, -5.0)])
def test_a_limit_is_read_with_what_stands_in_all_bands(beats, fitted, over, line):
    theirs = clipped(beats, over, line)
    found = fitted(overdriven, beats, theirs)
    assert found.id == "clipping"
    assert found.charged == 3
    assert found.parameters == {"over": (pytest.approx(NATS_DB * over), "dB")}
    assert np.abs(found.apply(beats) - theirs).mean() < 0.08
    assert np.abs(beats - theirs).mean() > 0.2


def test_limits_are_tried_from_two_to_43_decibels():
    assert NATS_DB * np.array([LIMITS[0], LIMITS[-1]]) == pytest.approx([2.2, 43.4], abs=0.1)
    assert list(LIMITS) == sorted(LIMITS)
    assert max(np.diff(LIMITS)) <= 1


def test_what_lies_under_the_limit_stays(beats):
    made, apply = held_at(LogMelScene(beats, beats, 0.01), beats, float(loudness(beats).max()) + 0.1)
    assert made is beats
    assert apply(beats) is beats


def test_no_frame_is_louder_than_the_limit_but_for_its_harmonics(beats):
    limit = float(loudness(beats).max()) - 2
    made, _ = held_at(LogMelScene(beats, clipped(beats, 2.0, (-5.0, -5.0)), 0.01), beats, limit)
    assert loudness(made).max() < limit + 0.1


@pytest.mark.parametrize(("bands", "is_fitted"), [(2, False), (14, True)])
def test_a_line_takes_more_than_twenty_blocks(bands, is_fitted):
    """4 blocks of loud frames, in which as many bands are well above what they would be."""
    ours = np.full((64, 80), -5.0, np.float32)
    ours[:, :10] = 0
    ours[:12] += 2
    limit = float(loudness(ours[20:]).max())
    theirs = ours - np.maximum(loudness(ours) - limit, 0)
    theirs[:12, 60 : 60 + bands] = 1.0
    made, _ = held_at(LogMelScene(ours, theirs, 0.01), ours, limit)
    assert (abs(made[3, 60] - 1) < 0.3) == is_fitted
    seen = 12 // BLOCK[0] * bands // BLOCK[1]
    assert (seen > FEWEST_ABOVE) is is_fitted
    assert FEWEST_ABOVE == 20


def test_harmonics_that_are_not_seen_are_assumed_35_decibels_under_what_is_cut(beats):
    limit = float(loudness(beats).max()) - 2
    _, apply = held_at(LogMelScene(beats, beats - 99, 0.01), beats, limit)
    loudest = int(loudness(beats).argmax())
    top = limit + np.log(1 - np.exp(-2)) + UNSEEN[0]
    assert apply(beats)[loudest, 79] == pytest.approx(summed(beats[loudest, 79] - 2, np.float32(top)), abs=0.01)
    assert UNSEEN == (-4.0, 0.0)


@pytest.mark.parametrize(("over", "is_seen"), [(0.7, False), (1.4, True)])
def test_harmonics_are_read_half_a_nat_over_what_would_be_there(over, is_seen):
    """All bands stand that much over the held level: -4 is assumed where that is not seen."""
    ours = np.zeros((64, 80), np.float32)
    ours[:32] += 2
    limit = float(loudness(ours[40:]).max())
    theirs = ours.copy()
    theirs[:32] = over * ABOVE
    made, _ = held_at(LogMelScene(ours, theirs, 0.01), ours, limit)
    assumed = summed(np.float32(0), np.float32(limit + np.log(1 - np.exp(-2)) - 4))
    assert (abs(made[5, 40] - assumed) > 0.05) == is_seen
    assert ABOVE == 0.5


def test_all_that_is_seen_in_one_band_warns_of_nothing():
    ours = np.full((240, 80), -5.0, np.float32)
    ours[:120] += 3
    theirs = np.full((240, 80), -5.0, np.float32)
    theirs[:120, 40:42] = 2
    made, _ = held_at(LogMelScene(ours, theirs, 0.01), ours, float(loudness(ours).max()) - 3)
    assert np.isfinite(made).all()
