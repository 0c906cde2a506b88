"""A pair: one rate, the worst stretch of known place, silence of either sound, what is kept and what is let go."""

from __future__ import annotations

import numpy as np
import pytest

from diagnose.analysis import Pair, Signal
from diagnose.audio import from_array

RATE = 16000


def signal(samples, rate=RATE):
    return Signal(from_array(np.asarray(samples), rate))


@pytest.fixture(scope="module")
def noise():
    return 0.1 * np.random.default_rng(3).standard_normal(6 * RATE)


def broken(noise, start_s, stop_s):
    """The noise with another, 20 dB under it, added from start_s to stop_s."""
    samples = noise.copy()
    place = slice(round(start_s * RATE), round(stop_s * RATE))
    samples[place] += 0.01 * np.random.default_rng(4).standard_normal(samples[place].size)
    return samples


def test_two_rates_are_no_pair(noise):
    with pytest.raises(ValueError, match="one rate, not 16000 and 8000"):
        Pair(signal(noise), signal(noise, 8000))


@pytest.mark.parametrize("start_s", [0.0, 1.5, 2.0, 3.7, 5.0])
def test_the_worst_stretch_is_where_the_sound_is_broken(noise, start_s):
    pair = Pair(signal(noise), signal(broken(noise, start_s, start_s + 1)))
    worst = pair.worst_stretch(RATE)
    assert worst.stop - worst.start == RATE
    assert 0 <= worst.start <= 5 * RATE
    assert worst.start / RATE == pytest.approx(start_s, abs=0.035)  # two frames


def test_of_two_faults_the_longer_is_in_the_worst_stretch(noise):
    samples = broken(broken(noise, 1.0, 1.2), 3.0, 3.6)
    worst = Pair(signal(noise), signal(samples)).worst_stretch(RATE // 2)
    assert 2.95 <= worst.start / RATE <= 3.15


@pytest.mark.parametrize("size", [6 * RATE, 6 * RATE + 1])
def test_of_a_shorter_sound_all_is_the_worst_stretch(noise, size):
    assert Pair(signal(noise), signal(broken(noise, 1, 2))).worst_stretch(size) == slice(0, 6 * RATE)


@pytest.mark.parametrize("size", [6 * RATE - 1, 6 * RATE - 5])
def test_nearly_all_is_a_stretch_inside_the_sound(noise, size):
    worst = Pair(signal(noise), signal(broken(noise, 1, 2))).worst_stretch(size)
    assert worst.stop - worst.start == size
    assert 0 <= worst.start <= 6 * RATE - size


def test_a_stretch_shorter_than_a_frame_is_one(noise):
    worst = Pair(signal(noise), signal(broken(noise, 2.0, 2.1))).worst_stretch(10)
    assert worst.stop - worst.start == 10
    assert 1.96 <= worst.start / RATE <= 2.14


@pytest.mark.parametrize(("ours", "theirs", "silent"), [(1, 1, False), (0, 1, True), (1, 0, True), (0, 0, True)])
def test_a_pair_is_silent_where_either_sound_is(noise, ours, theirs, silent):
    assert Pair(signal(ours * noise + 0.1), signal(theirs * noise - 0.2)).silent == silent


def test_the_files_are_the_signals_unless_others_are_given(noise):
    ours, theirs, file = signal(noise), signal(0.5 * noise), signal(noise, 44100)
    assert Pair(ours, theirs).files == (ours, theirs)
    assert Pair(ours, theirs, (file, theirs)).files == (file, theirs)
    assert Pair(ours, theirs).means == (ours.moments.mean, theirs.moments.mean)


@pytest.mark.parametrize("late", [0, 800])
def test_the_spectra_of_the_overlap_have_neither_bias_nor_delay(noise, late):
    generated = 0.5 * np.concatenate([np.zeros(late), noise]) + 0.3
    pair = Pair(signal(noise), signal(generated))
    assert pair.timeline.delay == pytest.approx(late, abs=1e-3)
    # Taking the bias off leaves the same waveform, halved.
    assert pair.gain == pytest.approx(0.5, rel=1e-3)
    assert pair.distances.convergence == pytest.approx([0.0] * 3, abs=5e-3)
    assert pair.caveat is None


def test_sounds_that_no_delay_fits_say_so(noise):
    pair = Pair(signal(noise), signal(0.1 * np.random.default_rng(9).standard_normal(6 * RATE)))
    assert pair.caveat.startswith("not aligned: no delay correlates (best r ")
