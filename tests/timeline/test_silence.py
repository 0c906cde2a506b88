import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.timeline.path import Copy
from diagnose.timeline.silence import heard_in, never, quiet, quiet_in

RATE = 8000
LOUD = 0.1


def flat(size, db=0.0):
    """A sound whose every two samples have one power: -db under LOUD, without a mean."""
    sound = np.full(size, LOUD * 10 ** (db / 20), np.float32)
    sound[1::2] *= -1
    return sound


def with_a_stretch(db, size=8000, at=(4000, 4800)):
    sound = flat(size)
    sound[slice(*at)] = flat(at[1] - at[0], db)
    return sound


# By itself


@pytest.mark.parametrize("gain", [1.0, 1e-3, -50.0])
@pytest.mark.parametrize(("db", "silent"), [(-39, False), (-41, True), (-200, True), (0, False)])
def test_silence_lies_40_db_under_what_is_loud(db, silent, gain):
    sound = np.float32(gain) * with_a_stretch(db)
    assert quiet(sound)(4000, 4800) == silent
    assert not quiet(sound)(0, 800)


@pytest.mark.parametrize(("loud_blocks", "silent"), [(1, False), (2, True)])
def test_loud_is_the_loudest_twentieth(loud_blocks, silent):
    sound = flat(40 * 256, -50)
    sound[: loud_blocks * 256] = flat(loud_blocks * 256)  # a click does not make the rest silent
    assert quiet(sound)(6000, 8000) == silent


@pytest.mark.parametrize(("over", "silent"), [(0, True), (70, True), (99, True), (101, False), (140, False)])
@pytest.mark.parametrize("side", [-1, 1])
def test_an_eighth_at_either_end_may_be_the_sound_beside_it(over, silent, side):
    assert quiet(with_a_stretch(-200))(4000 + side * over, 4800 + side * over) == silent


def test_the_loudest_of_a_short_sound_is_not_known():
    assert not quiet(flat(200))(0, 200)
    assert quiet(np.zeros(200, np.float32))(0, 200)


def test_all_of_nothing_is_silence():
    assert quiet(np.zeros(4000, np.float32))(100, 3000)


@pytest.mark.parametrize("bias", [0.05, -1.0])
def test_zeros_are_silence_in_a_sound_whose_bias_was_taken_off(bias):
    sound = with_a_stretch(-200)
    sound[4000:4800] -= np.float32(bias)
    assert quiet(sound)(4000, 4800)
    assert not quiet(sound)(3000, 3800)


@settings(max_examples=25)
@given(st.integers(0, 900), st.integers(1, 1100), st.floats(1e-3, 1e3))
def test_silence_does_not_depend_on_the_level(white, start, size, gain):
    sound = white(2000, 6) * np.repeat(np.float32([1.0, 0.003, 1.0, 0.0]), 500)
    assert quiet(sound)(start, start + size) == quiet(np.float32(gain) * sound)(start, start + size)


# Of a copy


def silent_in_both(db, gain=1.0):
    """Whether a stretch so loud is silence in the reference, and in the generated sound that is gain times it."""
    sound = with_a_stretch(db)
    ours, theirs = quiet_in(Copy(sound, np.float32(gain) * sound, RATE, gain))
    return ours(4000, 4800), theirs(4000, 4800)


@pytest.mark.parametrize("gain", [1.0, 0.1, -3.0])
@pytest.mark.parametrize(("db", "silent"), [(-39, False), (-41, True)])
def test_silence_of_a_copy_lies_40_db_under_what_is_loud_in_it(db, silent, gain):
    assert silent_in_both(db, gain) == (silent, silent)


@pytest.mark.parametrize(("factor", "silent"), [(1.7, True), (2.3, False)])
def test_in_the_generated_sound_noise_of_its_level_is_silence(factor, silent):
    noise = 1e-3 * LOUD**2  # power, 30 dB lower
    sound = with_a_stretch(10 * np.log10(1e-3 * factor))
    copy = Copy(sound, sound, RATE, 1.0)
    copy.noise = 3 * copy.hop * noise  # a frame has two neighbours
    ours, theirs = quiet_in(copy)
    assert theirs(4000, 4800) == silent
    assert not ours(4000, 4800)


def copy_in_noise(reference, generated, noise, gain=1.0):
    copy = Copy(reference, generated, RATE, gain)
    copy.noise = 3 * copy.hop * noise
    return copy


@pytest.mark.parametrize("gain", [1.0, -0.5])
@pytest.mark.parametrize(("times", "found"), [(33, False), (47, True)])
def test_a_span_is_heard_that_explains_40_times_the_noise_of_a_sample(times, found, gain):
    sound = np.zeros(4000, np.float32)
    sound[2000:2100] = flat(100)
    own = 100 * (gain * LOUD) ** 2
    generated = np.roll(np.float32(gain) * sound, -500)
    heard = heard_in(copy_in_noise(sound, generated, own / times, gain))
    assert heard((1900, 2200), 1400, 1700) == found


def test_a_span_that_is_not_there_is_not_heard(white):
    sound, other = white(4000), white(4000, 9)
    heard = heard_in(copy_in_noise(sound, sound, 1e-9))
    assert heard((1000, 1400), 1000, 1400)
    assert not heard((1001, 1401), 1000, 1400)  # another place makes it louder, not quieter
    assert not heard_in(copy_in_noise(sound, other, 1e-9))((1000, 1400), 1000, 1400)
    assert not heard_in(copy_in_noise(sound, -sound, 1e-9))((1000, 1400), 1000, 1400)


def test_the_shorter_of_both_spans_is_asked(white):
    sound = white(4000)
    generated = np.concatenate([sound[:1500], white(2500, 9)])
    heard = heard_in(copy_in_noise(sound, generated, 1e-9))
    assert heard((1000, 1500), 1000, 4000)
    assert heard((1000, 4000), 1000, 1500)


@pytest.mark.parametrize(("source", "place"), [((3900, 4300), 0), ((0, 400), 3900), ((5000, 5400), 0)])
def test_what_one_of_them_does_not_have_is_not_heard(white, source, place):
    sound = white(4000)
    assert not heard_in(copy_in_noise(sound, sound, 1e-9))(source, place, place + 400)


def test_where_phases_are_their_own_nothing_is_heard():
    assert not never((0, 100), 0, 100)
