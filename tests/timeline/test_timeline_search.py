import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.timeline.candidates import Waveforms
from diagnose.timeline.path import NONE, WELL, Copy, Run
from diagnose.timeline.search import Path, averaged, closed, runs, weighted_median

RATE = 8000
FRAME = 3 * 20  # samples: a border is found to a frame or so, before it is placed


def found_in(reference, generated, delays=(0,), gain=1.0, rate=RATE):
    copy = Copy(reference, generated, rate, gain)
    found = runs(copy, Waveforms(reference, generated, rate, np.sign(gain)), list(delays))
    return found.runs, found.explained


def no_overlap(found):
    return all(a.end <= b.start for a, b in itertools.pairwise(found))


@pytest.mark.parametrize("gain", [1.0, -1.0, 0.01, -30.0])
@pytest.mark.parametrize("seconds", [0.02, 0.3, 2.0])
def test_a_sound_against_itself_is_one_run(white, gain, seconds):
    sound = white(round(seconds * RATE))
    found, explained = found_in(sound, np.float32(gain) * sound, gain=gain)
    assert found == [Run(0, sound.size, 0)]
    assert explained == pytest.approx(WELL, abs=0.3)


@pytest.mark.parametrize("hz", [50, 100, 440, 1000])
@pytest.mark.parametrize("first", [0, 80, -160])
def test_a_tone_against_itself_does_not_slip_by_a_period(tone, hz, first):
    sound = tone(hz, RATE, 1.0, 0.3)
    found, _ = found_in(sound, sound, (0, first))
    assert [run.delay for run in found] == [0]


def test_another_sound_is_explained_by_nothing(white):
    _, explained = found_in(white(RATE), white(RATE, 8))
    assert explained < 0.3


def test_silence_is_explained_by_nothing():
    nothing = np.zeros(RATE, np.float32)
    assert found_in(nothing, nothing)[1] == 0.0


@pytest.mark.parametrize("gain", [1.0, -0.4])
@pytest.mark.parametrize("size", [40, 400, 6000])
@pytest.mark.parametrize("edit", ["lost", "inserted", "repeated"])
def test_the_second_delay_is_found(white, edit, gain, size):
    sound = white(2 * RATE)
    at = 9000
    parts = {
        "lost": (sound[:at], sound[at + size :]),
        "inserted": (sound[:at], np.zeros(size, np.float32), sound[at:]),
        "repeated": (sound[:at], sound[at - size :]),
    }
    generated = np.float32(gain) * np.concatenate(parts[edit])
    found, explained = found_in(sound, generated, gain=gain)
    moved = -size if edit == "lost" else size
    assert [run.delay for run in found] == [0, moved]
    assert (found[0].start, found[-1].end) == (0, generated.size)
    assert found[0].end == pytest.approx(at, abs=FRAME)
    assert explained > 0.95 * WELL


def test_each_part_of_a_sound_in_another_order_is_found(white):
    sound = white(2 * RATE)
    parts = [(8000, 12000), (0, 4000), (12000, 16000), (4000, 8000)]
    found, _ = found_in(sound, np.concatenate([sound[a:b] for a, b in parts]))
    there = range(0, 16000, 4000)
    assert [run.delay for run in found] == [start - a for start, (a, _) in zip(there, parts, strict=True)]


@pytest.mark.parametrize(("gain", "same"), [(1.0, True), (1.3, True), (1.4, False), (0.77, True), (0.7, False)])
def test_a_run_is_as_loud_as_the_whole(white, gain, same):
    sound = white(2 * RATE)
    generated = np.concatenate([sound[:12000], np.float32(gain) * sound[12500:]])
    found, _ = found_in(sound, generated)
    assert [run.delay for run in found] == ([0, -500] if same else [0])


@given(st.lists(st.tuples(st.integers(0, 6000), st.integers(600, 2000)), min_size=1, max_size=4))
def test_runs_are_in_order_and_of_the_reference(white, parts):
    sound = white(RATE, 6)
    generated = np.concatenate([sound[start : start + size] for start, size in parts])
    found, explained = found_in(sound, generated)
    assert no_overlap(found)
    assert all(0 <= run.start < run.end <= generated.size for run in found)
    assert all(0 <= run.reference[0] < run.reference[1] <= sound.size for run in found)
    assert all(a.delay != b.delay for a, b in itertools.pairwise(found))
    assert explained <= WELL + 1e-6


def test_the_gain_is_learned_from_what_is_explained(white):
    sound = white(RATE)
    generated = np.float32(0.6) * sound
    generated[3000:3400] = 1.0  # a burst moves no median
    copy = Copy(sound, generated, RATE, 0.9)
    Path(copy, [0])
    assert copy.gain == pytest.approx(0.6, rel=1e-3)


def test_noise_is_learned_from_what_is_left_over(white):
    sound, noise = white(RATE), white(RATE, 5) / 10
    copy = Copy(sound, sound + noise, RATE, 1.0)
    path = Path(copy, [0])
    assert copy.noise == pytest.approx(float(np.square(noise).mean()) * FRAME, rel=0.3)
    assert (path.states == 0).all()


def test_a_delay_is_taken_that_is_new_and_explains_something(white):
    sound = white(RATE)
    generated = np.concatenate([sound[:4000], sound[4300:]])
    path = Path(Copy(sound, generated, RATE, 1.0), [0])
    assert not path.offer(0)
    assert not path.offer(-299)
    assert path.offer(-300)
    assert not path.offer(-300)
    assert path.delays == [0, -300]
    path.settle()
    assert (path.states[:195] == 0).all()
    assert (path.states[205:] == 1).all()


def test_the_loudest_unexplained_stretch_comes_first(white):
    sound = white(2 * RATE)
    generated = sound.copy()
    generated[3000:4000] = white(1000, 5)
    generated[9000:10000] = 3 * white(1000, 6)
    generated[13000:13400] = white(400, 7)
    path = Path(Copy(sound, generated, RATE, 1.0), [0])
    places = [first * 20 for first, _ in path.unexplained()]
    assert places == pytest.approx([9000, 3000, 13000], abs=5 * FRAME)


def test_what_is_explained_leaves_nothing_to_search_for(white):
    sound = white(RATE)
    assert Path(Copy(sound, sound, RATE, 1.0), [0]).unexplained() == []


def test_the_neighbour_is_the_delay_before_or_else_the_one_after(white):
    sound = white(RATE)
    path = Path(Copy(sound, sound, RATE, 1.0), [0, 700])
    path.states = np.array([NONE, NONE, 0, NONE, 1, NONE])
    assert [path.neighbour(frame) for frame in range(7)] == [0, 0, 0, 0, 0, 700, 700]
    path.states[:] = NONE
    assert path.neighbour(3) == 0


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(0, 5))
def test_closed_fills_gaps_between_two_marked_frames(values, gap):
    mask = np.array(values)
    filled = mask.copy()
    for marked, group in itertools.groupby(range(mask.size), lambda i: values[i]):
        frames = list(group)
        if not marked and frames[0] > 0 and frames[-1] < mask.size - 1 and len(frames) <= gap:
            filled[frames] = True
    assert closed(mask, gap).tolist() == filled.tolist()
    assert mask.tolist() == values


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=30), st.integers(1, 40))
def test_averages_are_means_of_neighbours(values, width):
    found = averaged(np.array(values), width)
    assert found.size == len(values)
    half = min(width | 1, max(len(values) - 1 + len(values) % 2, 1)) // 2
    last = len(values) - 1
    expected = [np.mean([values[min(max(i + k, 0), last)] for k in range(-half, half + 1)]) for i in range(len(values))]
    assert found == pytest.approx(expected, abs=1e-9)


@given(st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 9)), min_size=1, max_size=20))
def test_the_weighted_median_is_that_of_each_value_as_often_as_it_weighs(pairs):
    values, weights = (np.array(column, float) for column in zip(*pairs, strict=True))
    every = sorted(value for value, weight in pairs for _ in range(weight))
    assert weighted_median(values, weights) == every[(len(every) + 1) // 2 - 1]
