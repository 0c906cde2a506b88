import itertools

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.timeline import warp
from diagnose.timeline.features import Features
from diagnose.timeline.warp import best_path, distances, usual_distance, warped

RATE = 16000
HOP = 160  # samples


def told(rows, sounding=True):
    rows = np.asarray(rows, float)
    return Features(rows, np.broadcast_to(sounding, len(rows)).copy(), HOP)


def course(frames, seed=1, dims=3):
    """Rows that go somewhere else from frame to frame."""
    return np.random.default_rng(seed).standard_normal((frames, dims))


def smooth(places):
    """Rows along a curve that comes to no place twice, at places in frames."""
    steps = np.array([0.05, 0.083, 0.021, 0.137])
    return np.hstack([np.sin(np.outer(places, steps)), np.cos(np.outer(places, steps))])


def is_path(path, ours, theirs):
    """Whether it goes from end to end by single steps."""
    assert path[0].tolist() == [0, 0]
    assert path[-1].tolist() == [ours - 1, theirs - 1]
    return {tuple(step) for step in np.diff(path, axis=0).tolist()} <= {(1, 1), (1, 0), (0, 1)}


def cost_of(path, first, second):
    """Of a path in usual distances, as the module says: twice on both sides, else once and the step."""
    each = distances(first.rows, second.rows) / usual_distance(first, second)
    extra = [np.where(side.sounding, 0.4, 0.02) for side in (first, second)]
    cost = 2 * each[0, 0]
    for (i, j), (a, b) in itertools.pairwise(path):
        both = a > i and b > j
        cost += 2 * each[a, b] if both else each[a, b] + (extra[0][a] if a > i else extra[1][b])
    return cost


def every_path(ours, theirs):
    """All ways from end to end, by brute force."""
    if (ours, theirs) == (1, 1):
        yield ((0, 0),)
    for i, j in ((ours - 1, theirs - 1), (ours - 1, theirs), (ours, theirs - 1)):
        if i > 0 and j > 0:
            for path in every_path(i, j):
                yield (*path, (ours - 1, theirs - 1))


sides = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.booleans()), min_size=1, max_size=4)


@settings(max_examples=25)
@given(sides, sides)
def test_no_other_path_costs_less(ours, theirs):
    first, second = (told([row[:2] for row in side], [row[2] for row in side]) for side in (ours, theirs))
    path, distance = best_path(first, second)
    least = min(cost_of(each, first, second) for each in every_path(len(ours), len(theirs)))
    assert is_path(path, len(ours), len(theirs))
    assert cost_of(path.tolist(), first, second) == pytest.approx(least, abs=1e-5)
    assert distance * (len(ours) + len(theirs)) == pytest.approx(least, abs=1e-5)


@pytest.mark.parametrize(("ours", "theirs"), [(40, 50), (50, 40), (60, 60), (9, 70)])
def test_librosa_finds_a_path_of_the_same_cost(ours, theirs):
    first, second = told(course(ours, 1)), told(course(theirs, 2))
    each = distances(first.rows, second.rows) / usual_distance(first, second)
    steps = np.array([[1, 1], [0, 1], [1, 0]])
    summed = librosa.sequence.dtw(
        C=each, step_sizes_sigma=steps, weights_mul=np.array([2.0, 1, 1]), weights_add=np.array([0, 0.4, 0.4])
    )[0]
    expected = summed[-1, -1] + each[0, 0]  # librosa counts the first pair once
    assert best_path(first, second)[1] * (ours + theirs) == pytest.approx(expected, rel=1e-6)


@settings(max_examples=25)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5))
def test_distances_are_those_of_geometry(ours, theirs, dims):
    one, others = course(ours, 1, dims), course(theirs, 2, dims)
    expected = [[np.linalg.norm(a - b) for b in others] for a in one]
    assert distances(one, others) == pytest.approx(np.array(expected), abs=1e-6)


def test_the_usual_distance_is_the_mean_over_what_sounds():
    one = told([[0.0], [0.0], [100.0]], [True, True, False])
    other = told([[3.0], [1.0], [-100.0]], [True, True, False])
    assert usual_distance(one, other) == pytest.approx(2.0)
    silent = told([[0.0], [0.0], [9.0]], False)  # then it is the mean over all
    assert usual_distance(silent, silent) == pytest.approx(4.0)


def test_the_usual_distance_of_long_sounds_is_that_of_frames_drawn_evenly():
    rows = np.repeat([[0.0], [1.0]], 5000, axis=0)
    assert usual_distance(told(rows), told(rows)) == pytest.approx(0.5)


@pytest.mark.parametrize(("sounding", "step"), [(True, 0.4), (False, 0.02)])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_step_on_one_side_costs_its_price_where_frames_are_alike(sounding, step, swapped):
    shorter, longer = (told(np.zeros((frames, 2)), sounding) for frames in (10, 15))
    first, second = (longer, shorter) if swapped else (shorter, longer)
    assert best_path(first, second)[1] * 25 == pytest.approx(5 * step)


def test_a_sound_lies_on_itself_at_no_cost():
    same = told(course(60))
    path, distance = best_path(same, same)
    assert path.tolist() == [[i, i] for i in range(60)]
    assert distance == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("place", [20, 60, 100])
def test_a_pause_that_is_longer_is_found_in_its_place(place):
    rows = course(120, 3)
    rows[place : place + 5] = 8.0
    silent = np.isin(np.arange(120), np.arange(place, place + 5))
    longer = np.insert(np.arange(120), place + 2, [place + 2] * 30)
    path, distance = best_path(told(rows, ~silent), told(rows[longer], ~silent[longer]))
    assert all((rows[i] == rows[longer[j]]).all() for i, j in path.tolist())
    assert distance * (120 + 150) == pytest.approx(30 * 0.02, abs=1e-4)


# Long sounds


@pytest.fixture
def cells(monkeypatch):
    """Columns searched in each row, of all grids, in order."""
    searched, plain = [], warp.distances

    def counted(one, others):
        if len(one) == 1:
            searched.append(len(others))
        return plain(one, others)

    monkeypatch.setattr(warp, "distances", counted)
    return searched


def test_all_of_15_seconds_is_searched_and_of_longer_ones_a_band(cells):
    rows = smooth(np.arange(1501))
    best_path(told(rows[:1500]), told(rows[:1500]))
    assert cells == [1500] * 1500
    cells.clear()
    best_path(told(rows), told(rows))
    assert cells[:375] == [375] * 375  # frames of four
    assert len(cells) == 375 + 1501
    assert np.median(cells[375:]) == 4 + 2 * 24
    assert max(cells[375:]) <= 4 + 2 * 24 + 2 * 4


@settings(max_examples=10)
@given(st.integers(300, 900), st.integers(300, 900), st.integers(0, 9))
def test_the_band_grows_with_the_length_alone(ours, theirs, seed):
    plain, searched = warp.distances, []

    def counted(one, others):
        searched.append(len(one) * len(others))
        return plain(one, others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warp, "COARSE", 60)
        patch.setattr(warp, "distances", counted)
        path, distance = best_path(told(course(ours, seed)), told(course(theirs, seed + 10)))
    assert is_path(path, ours, theirs)
    assert np.isfinite(distance)
    # Each row has what is beside the path, and what the path passes in it, which is the other sound over all rows.
    assert sum(searched[1:]) <= 60**2 + 4 / 3 * ((2 * 24 + 2 * 4) * ours + 4 * theirs)


@pytest.mark.parametrize("stretch", [0.8, 1.0, 1.25])
def test_a_long_sound_has_the_path_that_a_full_search_finds(monkeypatch, stretch):
    first, second = told(smooth(np.arange(400))), told(smooth(np.arange(int(400 * stretch)) / stretch))
    full = best_path(first, second)[1]
    monkeypatch.setattr(warp, "COARSE", 60)
    assert best_path(first, second)[1] == pytest.approx(full, rel=1e-6)


@pytest.mark.parametrize("count", [16, 64])
def test_on_the_coarsest_grid_what_is_a_minute_apart_is_not_laid_on_each_other(count):
    side = told(np.zeros((1400, 1)))
    low, high = warp._around_line(side, side, count)
    reach = round(6000 / count)
    assert (low[700], high[700]) == pytest.approx((700 - reach, 701 + reach), abs=2)
    assert (low[0], high[-1]) == (0, 1400)


# The warp of two sounds


@settings(max_examples=25)
@given(st.integers(8, 60), st.integers(8, 60), st.integers(0, 159), st.integers(0, 159), st.integers(0, 9))
def test_knots_rise_from_end_to_end(ours, theirs, over, more, seed):
    lengths = (ours - 1) * HOP + over, (theirs - 1) * HOP + more
    found = warped(told(course(ours, seed)), told(course(theirs, seed + 20)), lengths, RATE)
    assert (found.knots[0], found.knots[-1]) == ((0, 0), lengths)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(found.knots))


def test_knots_of_a_sound_on_itself_are_six_frames_apart():
    same = told(course(61))
    found = warped(same, same, (60 * HOP, 60 * HOP), RATE)
    assert found.knots == ((0, 0), *((i * HOP, i * HOP) for i in range(3, 59, 6)), (60 * HOP, 60 * HOP))
    assert (found.tempo, found.delay) == (pytest.approx(1.0), 0)
    assert found.deviation_s == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("tempo", [0.8, 0.95, 1.05, 1.3])
def test_the_tempo_is_read(tempo):
    frames = round(600 * tempo)
    first, second = told(smooth(np.arange(600))), told(smooth(np.arange(frames) / tempo))
    found = warped(first, second, (600 * HOP, frames * HOP), RATE)
    assert found.tempo == pytest.approx(tempo, rel=0.005)
    assert found.deviation_s < 0.01
    assert found.delay == pytest.approx((tempo - 1) * 300 * HOP, abs=3 * HOP)


def test_a_sound_that_is_late_has_a_delay():
    rows = course(300, 5)
    late = np.vstack([np.full((40, 3), 5.0), rows])
    found = warped(told(rows), told(late, np.arange(340) >= 40), (300 * HOP, 340 * HOP), RATE)
    assert found.delay == 40 * HOP
    assert found.tempo == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("swing", [5.0, 12.0])
def test_the_deviation_is_that_of_the_map_about_its_line(swing):
    theirs = np.arange(800)
    places = theirs + swing * np.sin(2 * np.pi * theirs / 200)  # where in the reference, in frames
    found = warped(told(smooth(theirs)), told(smooth(places)), (800 * HOP, 800 * HOP), RATE)
    assert found.deviation_s == pytest.approx(swing / np.sqrt(2) * HOP / RATE, rel=0.07)
    assert found.tempo == pytest.approx(1.0, abs=0.02)


def test_two_knots_have_the_tempo_of_their_lengths():
    few = told(course(8))
    found = warped(few, told(course(8, 2)), (100, 130), RATE)  # no knot lies a hop from either end
    assert found.knots == ((0, 0), (100, 130))
    assert (found.tempo, found.deviation_s) == (pytest.approx(1.3), pytest.approx(0))


def test_a_second_can_be_laid_on_four_minutes():
    path, distance = best_path(told(course(128)), told(course(24_001, 2)))
    assert is_path(path, 128, 24_001)
    assert np.isfinite(distance)
