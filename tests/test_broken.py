"""Broken samples are counted, placed and filled: by a line where they are few, by silence where they are many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.broken import FADE_S, MOST_STRETCHES, STEP, mended

RATE = 8000
FADE = 40  # samples: 5 ms
BAD = [np.nan, np.inf, -np.inf]


def ramp(size=1000):
    return np.linspace(-0.5, 0.5, size).astype(np.float32)


def spoilt(samples, *places, value=np.nan):
    samples = np.array(samples, np.float32)
    for place in places:
        samples[..., place] = value
    return samples


def fill(samples, rate=RATE):
    return mended(np.atleast_2d(samples), rate)


def test_the_fade_is_5_ms():
    assert FADE_S * RATE == FADE


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("size", [1, 2, 17, FADE - 1])
def test_a_short_stretch_is_filled_by_the_line_between_its_neighbours(value, size):
    ours = ramp()
    filled, broken = fill(spoilt(ours, slice(300, 300 + size), value=value))
    np.testing.assert_allclose(filled[0], ours, atol=1e-6)
    assert (broken.count, broken.share, broken.channels) == (size, size / 1000, (1,))
    assert broken.stretches == ((300 / RATE, (300 + size) / RATE),)
    assert broken.first_s == 300 / RATE


def test_a_longer_one_is_silent_and_its_neighbours_fade_into_it_in_5_ms():
    filled, _ = fill(spoilt(np.full(1000, 0.5), slice(300, 500)))
    expected = np.full(1000, 0.5)
    distance = np.minimum(np.arange(300, 500) - 299, 500 - np.arange(300, 500))
    expected[300:500] = 0.5 * np.maximum(1 - distance / FADE, 0)
    np.testing.assert_allclose(filled[0], expected, atol=1e-6)
    assert np.count_nonzero(filled[0, 300:500]) == 2 * (FADE - 1)


def test_from_a_line_to_silence_there_is_no_jump():
    short, long = (fill(spoilt(ramp(), slice(300, 300 + size)))[0][0, 300:338] for size in (FADE - 1, FADE))
    np.testing.assert_allclose(short, long, atol=0.02)


def test_at_the_ends_the_missing_neighbour_is_0():
    filled, broken = fill(spoilt(np.full(1000, 0.5), 0, -1, value=-np.inf))
    assert filled[0, [0, -1]].tolist() == [0.25, 0.25]
    assert broken.stretches == ((0.0, 1 / RATE), (999 / RATE, 1000 / RATE))
    filled, _ = fill(spoilt(np.full(1000, 0.5), slice(600, None)))
    assert filled[0, 599] == 0.5
    assert not filled[0, 600 + FADE :].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 1000), (2, 3)])
def test_what_has_no_finite_sample_is_silent(shape):
    filled, broken = mended(np.full(shape, np.nan, np.float32), RATE)
    assert not filled.any()
    assert (broken.count, broken.share) == (shape[0] * shape[1], 1.0)
    assert broken.stretches == ((0.0, shape[1] / RATE),)


def test_channels_are_filled_by_themselves_and_named_from_1():
    ours = np.stack([ramp(), -ramp(), 2 * ramp()])
    theirs = ours.copy()
    theirs[1, 100:110] = np.nan
    theirs[2, 105:120] = np.inf
    filled, broken = mended(theirs, RATE)
    np.testing.assert_allclose(filled, ours, atol=1e-6)
    assert (broken.channels, broken.count, broken.share) == ((2, 3), 25, 25 / 3000)
    assert broken.stretches == ((100 / RATE, 120 / RATE),)


def test_the_longest_stretches_are_kept_in_their_order_in_time():
    sizes = [3, 1, 9, 2, 5, 5, 1, 7, 4, 6]
    places = [slice(90 * index + 10, 90 * index + 10 + size) for index, size in enumerate(sizes)]
    _, broken = fill(spoilt(ramp(), *places))
    kept = [index for index, size in enumerate(sizes) if size > 1]
    assert len(kept) == MOST_STRETCHES
    assert broken.stretches == tuple((places[index].start / RATE, places[index].stop / RATE) for index in kept)
    assert broken.longest == (places[2].start / RATE, places[2].stop / RATE)
    assert broken.first_s == 10 / RATE
    assert broken.count == sum(sizes)


def test_of_equal_stretches_the_first_is_the_longest():
    _, broken = fill(spoilt(ramp(), slice(10, 20), slice(500, 510)))
    assert broken.longest == (10 / RATE, 20 / RATE)


def test_a_stretch_that_spans_two_steps_is_filled_as_one():
    ours = np.linspace(-0.5, 0.5, STEP + 100).astype(np.float32)
    filled, broken = fill(spoilt(ours, slice(STEP - 10, STEP + 10)))
    np.testing.assert_allclose(filled[0], ours, atol=1e-6)
    assert broken.count == 20


def test_the_samples_given_are_left_as_they_are():
    theirs = spoilt(ramp(), 5)
    fill(theirs)
    assert np.isnan(theirs[5])


@given(
    samples=st.lists(st.one_of(st.floats(-1, 1, width=32), st.sampled_from(BAD)), min_size=1, max_size=60).filter(
        lambda values: not np.isfinite(values).all()
    ),
    rate=st.sampled_from([2000, 8000]),
)
def test_every_sample_is_finite_then_and_none_is_beyond_the_others(samples, rate):
    theirs = np.array([samples], np.float32)
    filled, broken = mended(theirs, rate)
    good = np.isfinite(theirs)
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[good], theirs[good])
    assert np.abs(filled).max() <= np.abs(theirs[good]).max(initial=0) + 1e-6
    assert broken.count == np.count_nonzero(~good)
    assert broken.first_s == np.flatnonzero(~good[0])[0] / rate
