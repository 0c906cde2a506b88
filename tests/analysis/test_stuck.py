"""Stretches that are stuck at full scale are found to the sample, and tops of loud tones are not."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis.stuck import FULL_SCALE, LEAST_S, TONE_S, stuck_stretches
from diagnose.audio import BLOCK

RATE = 8000
LEAST = 40  # samples: 5 ms
TONE = 200  # samples: 25 ms


def held(*stretches, size=2000):
    """A quiet tone with (start, stop, value) put in."""
    samples = (0.3 * np.sin(np.arange(size) / 7)).astype(np.float32)
    for start, stop, value in stretches:
        samples[start:stop] = value
    return samples


def test_the_sizes_are_those_below():
    assert (LEAST_S * RATE, TONE_S * RATE, FULL_SCALE) == (LEAST, TONE, 0.999)


@pytest.mark.parametrize("value", [1.0, -1.0, 0.9991, 32767 / 32768, -1.5])
@pytest.mark.parametrize("place", [(0, LEAST), (700, 700 + LEAST), (1500, 2000)])
def test_a_stretch_is_found_to_the_sample(value, place):
    assert stuck_stretches(held((*place, value)), RATE) == [place]


@pytest.mark.parametrize(
    "stretch",
    [(700, 700 + LEAST - 1, 1.0), (700, 900, 0.998), (700, 900, -0.998)],
    ids=["under 5 ms", "under full scale", "under it below"],
)
def test_what_is_shorter_or_under_full_scale_is_none(stretch):
    assert stuck_stretches(held(stretch), RATE) == []


def test_what_is_not_one_value_is_none():
    samples = held((700, 900, 1.0))
    samples[700:900:30] = 1.001
    assert stuck_stretches(samples, RATE) == []
    assert stuck_stretches(held((700, 740, 1.0), (740, 780, 1.2)), RATE) == [(700, 740), (740, 780)]


def test_several_are_found_in_order():
    assert stuck_stretches(held((100, 150, -1), (300, 400, -1), (500, 520, -1)), RATE) == [(100, 150), (300, 400)]


@pytest.mark.parametrize(("hz", "kept"), [(25, False), (21, False), (19, True)])
def test_tops_at_both_ends_of_the_scale_are_those_of_a_tone_unless_no_tone_has_them(hz, kept):
    square = np.where(np.arange(4000) * 2 * hz // RATE % 2, -1, 1).astype(np.float32)
    assert bool(stuck_stretches(square, RATE)) == kept
    loud = np.clip(1000 * np.sin(2 * np.pi * hz * np.arange(4000) / RATE), -1, 1).astype(np.float32)
    assert bool(stuck_stretches(loud, RATE)) == kept


def test_music_that_is_clipped_hard_is_not_stuck(tone):
    rng = np.random.default_rng(0)
    music = sum(tone(hz, 44100, 2.0, 1.0, hz) for hz in (82, 123, 247, 370)) + 0.3 * rng.standard_normal(88200)
    assert stuck_stretches(np.clip(4 * music, -1, 1).astype(np.float32), 44100) == []


def test_a_stretch_over_the_border_of_two_blocks_is_one():
    place = (BLOCK - 30, BLOCK + 30)
    assert stuck_stretches(held((*place, -1.0), size=BLOCK + 100), RATE) == [place]


def test_a_constant_is_stuck_and_silence_is_not():
    assert stuck_stretches(np.ones(100, np.float32), RATE) == [(0, 100)]
    assert stuck_stretches(np.zeros(100, np.float32), RATE) == []
