"""Two sounds laid by their phases: whatever the delay and the filter, if there is one and no other sound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

import diagnose
from diagnose.explain.laid import laid_by_phase, scene_of

RATE = 16_000
WHITE = np.random.default_rng(4).standard_normal(RATE)
FILTERS = {
    "none": lambda x: x,
    "a low-pass": lambda x: signal.lfilter(*signal.butter(2, 4000, fs=RATE), x),
    "a tilt": lambda x: signal.lfilter([1.0, -0.7], 1, x),
    "turned": lambda x: -0.1 * x,
}


@settings(max_examples=25)
@given(st.integers(-6000, 6000), st.sampled_from(list(FILTERS)))
def test_a_delay_is_found_behind_a_filter(delay, name):
    late = np.append(np.zeros(max(delay, 0)), WHITE[max(-delay, 0) :])
    ours, theirs = laid_by_phase(WHITE, FILTERS[name](late))
    off = [lag for lag in range(-2, 3) if np.array_equal(ours[:500], WHITE[max(-delay, 0) + lag :][:500])]
    if max(-delay, 0) >= 2:
        assert len(off) == 1  # a filter has a delay of its own, of a sample or two
    assert ours.size == theirs.size
    assert ours.size >= WHITE.size - abs(delay) - 2


@pytest.mark.parametrize("delay", [-5000, -1, 0, 1, 700])
def test_without_a_filter_both_are_the_same_samples(delay):
    late = np.append(np.zeros(max(delay, 0)), WHITE[max(-delay, 0) :])
    ours, theirs = laid_by_phase(WHITE, late)
    assert np.array_equal(ours, theirs)
    assert ours.size == WHITE.size - max(-delay, 0)


@pytest.mark.parametrize(("level", "is_copy"), [(0.75, True), (1.3, False)])
def test_half_of_what_is_heard_has_to_be_coherent(level, is_copy):
    """Of noise of level s in all bins the coherence is 1 / (1 + s**2): 0.64 and 0.37."""
    noise = level * np.random.default_rng(5).standard_normal(WHITE.size)
    assert (laid_by_phase(WHITE, WHITE + noise) is not None) is is_copy


@pytest.mark.parametrize(("samples", "is_read"), [(5000, False), (7500, True)])
def test_twelve_frames_have_to_lie_on_each_other(samples, is_read):
    assert (laid_by_phase(WHITE[:samples], WHITE[:samples]) is not None) is is_read
    late = WHITE[WHITE.size - samples :]
    assert (laid_by_phase(WHITE, late) is not None) is is_read


@pytest.mark.parametrize(("samples", "is_read"), [(1_400_000, True), (3_000_000, False)])
def test_two_million_samples_are_searched(samples, is_read):
    long = np.append(WHITE, np.zeros(samples - WHITE.size))
    assert (laid_by_phase(WHITE, long) is not None) is is_read


@pytest.mark.parametrize(
    "other",
    [
        np.zeros(RATE),
        np.full(RATE, 0.3),
        WHITE[::-1],
        WHITE[:100],
        np.random.default_rng(6).standard_normal(RATE),
        np.sin(np.arange(RATE) / 9),
        np.eye(1, RATE, 5000)[0],
    ],
    ids=["silence", "a constant", "backwards", "short", "noise", "a tone", "a sample"],
)
def test_another_sound_is_no_copy(other):
    assert laid_by_phase(WHITE, other) is None
    assert laid_by_phase(other, WHITE) is None


def test_a_copy_has_a_scene_and_silence_and_other_sounds_have_none(sound, rng):
    def pair(theirs):
        return diagnose.compare(np.float32(sound), np.float32(theirs), rate=RATE).pair

    assert scene_of(pair(0.5 * sound)).reference.size == sound.size
    assert scene_of(pair(np.zeros(sound.size))) is None
    assert scene_of(pair(0.1 * rng.standard_normal(sound.size))) is None


def test_what_was_filled_is_no_copy(sound):
    broken = np.float32(sound)
    broken[5000:5100] = np.nan
    assert scene_of(diagnose.compare(np.float32(sound), broken, rate=RATE).pair) is None
