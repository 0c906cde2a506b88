import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.timeline.path import (
    BEST,
    CHANGE,
    FLOOR,
    GAIN_REACH,
    MOST_FRAMES,
    NONE,
    UNEXPLAINED,
    WORST,
    Copy,
    Fit,
    Material,
    Run,
    likeliest,
    one_delay,
    runs_of,
    smoothed,
)

RATE = 8000
HOP = 20  # 2.5 ms


@given(st.integers(-50, 50), st.integers(0, 60), st.integers(0, 60), st.integers(0, 80))
def test_a_run_ends_where_the_reference_does(delay, start, size, length):
    run = Run(start, start + size, delay)
    cut = run.within(length)
    inside = [t for t in range(run.start, run.end) if 0 <= t - delay < length]
    assert list(range(cut.start, cut.end)) == inside
    assert cut.delay == delay
    assert run.reference == (start - delay, start + size - delay)


@pytest.mark.parametrize("delay", [-500, -7, 0, 7, 150, 499, 500])
@pytest.mark.parametrize("size", [120, 300])
def test_the_reference_is_laid_with_zeros_where_there_is_none(delay, size):
    reference = np.arange(1, 201, dtype=np.float32)
    laid = Copy(reference, np.zeros(size, np.float32), RATE, 1.0).at(delay)
    assert laid.tolist() == [t - delay + 1 if 0 <= t - delay < 200 else 0 for t in range(size)]


@pytest.mark.parametrize(("rate", "hop"), [(8000, 20), (44100, 110), (48000, 120), (100, 1)])
def test_a_frame_is_two_and_a_half_milliseconds(rate, hop):
    assert Copy(np.ones(50, np.float32), np.ones(50, np.float32), rate, 1.0).hop == hop


@pytest.mark.parametrize(("size", "hop"), [(MOST_FRAMES, 1), (MOST_FRAMES + 1, 2), (2 * MOST_FRAMES + 1, 3)])
def test_frames_are_longer_where_they_would_be_too_many(size, hop):
    assert Copy(np.ones(9, np.float32), np.ones(size, np.float32), 400, 1.0).hop == hop


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_a_frame_is_taken_with_its_neighbours(values):
    sums = np.array(values)
    assert smoothed(sums) == pytest.approx([sum(values[max(i - 1, 0) : i + 2]) for i in range(len(values))])


@pytest.mark.parametrize("size", [HOP, 4 * HOP, 4 * HOP + 1, 5 * HOP - 1, 7])
def test_the_energy_of_a_frame_is_the_sum_of_its_squares(white, size):
    sound = white(size)
    frames = [float(np.square(sound[i : i + HOP]).sum()) for i in range(0, size, HOP)]
    assert Copy(sound, sound, RATE, 1.0).energy == pytest.approx(smoothed(np.array(frames)), rel=1e-5)


@pytest.mark.parametrize("gain", [1.0, -1.0, 0.03, -7.0])
@pytest.mark.parametrize("delay", [-40, 0, 33])
def test_at_its_delay_a_copy_leaves_nothing_over(white, gain, delay):
    reference = white(1000)
    copy = Copy(reference, reference, RATE, gain)
    copy = Copy(reference, (gain * copy.at(delay)).astype(np.float32), RATE, gain)
    fit = copy.fit(delay)
    assert fit.cross == pytest.approx(gain * fit.own, rel=1e-4, abs=1e-9)
    assert copy.residual(fit) == pytest.approx(0, abs=1e-4 * float(copy.energy.max()))


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("factor", [0.2, 0.51, 1.0, 1.99, 3.0])
def test_the_gain_of_a_frame_is_free_within_a_factor(white, sign, factor):
    reference = white(1000)
    copy = Copy(reference, np.float32(sign * factor) * reference, RATE, sign)
    fit = copy.fit(0)
    nearest = np.clip(factor, 1 / GAIN_REACH, GAIN_REACH)
    assert copy.residual(fit) == pytest.approx((factor - nearest) ** 2 * fit.own, abs=1e-5 * float(fit.own.max()))


def test_the_other_polarity_is_no_copy(white):
    reference = white(1000)
    copy = Copy(reference, -reference, RATE, 1.0)
    assert (copy.scores(copy.residual(copy.fit(0))) < 0).all()


def material(energy):
    return Material(np.asarray(energy, float), (100, 100), RATE, 1.0)


@pytest.mark.parametrize(("frames", "loud"), [(1, 1), (20, 20), (39, 39), (40, 39), (100, 96)])
def test_loud_is_the_loudest_twentieth(frames, loud):
    found = material(np.arange(1, frames + 1))
    assert found.loud == loud
    assert found.noise == pytest.approx(FLOOR * loud)


def test_no_frames_are_no_trouble():
    assert material([]).loud == 0.0


def test_a_material_has_no_fit_of_its_own():
    with pytest.raises(NotImplementedError):
        material([1.0]).fit(0)


def test_a_score_is_the_log_of_what_is_explained():
    found = material(np.ones(30))
    left = np.array([0.0, 1e-9, 0.01, 0.1, 1.0, 2.0, 100.0])
    scores = Material(np.ones(7), (1, 1), RATE, 1.0).scores(left)
    expected = np.clip(-np.log(np.maximum(left, 1e-30)), WORST, BEST) - UNEXPLAINED
    assert scores == pytest.approx(expected, abs=1e-4)
    assert found.scores(np.zeros(30)) == pytest.approx(BEST - UNEXPLAINED)


@pytest.mark.parametrize(("r", "explained"), [(0.49, False), (0.53, True)])  # r^2 over 0.26
def test_a_frame_has_to_be_explained_by_a_quarter(r, explained):
    found = material(np.ones(30))
    assert (found.scores(np.full(30, 1 - r * r)) > 0).all() == explained


def test_silence_scores_nothing_with_silence_and_what_sounds_there_is_wrong():
    found = material([*np.ones(30), 0.0, 0.0, 1e-7])
    assert found.scores(found.energy)[-3:-1].tolist() == [0.0, 0.0]
    assert found.scores(found.energy)[-1] == 0.0  # under the floor, 60 dB lower
    assert found.scores(np.ones(33))[-3] == WORST


def test_the_fit_of_nothing_explains_nothing():
    found = material(np.ones(30))
    nothing = Fit(np.zeros(30), np.zeros(30))
    assert found.residual(nothing).tolist() == found.energy.tolist()
    assert found.scores(found.residual(nothing)) == pytest.approx(-UNEXPLAINED, abs=1e-5)


scores = st.floats(-2.3, 7.0, allow_nan=False)


@given(st.lists(scores, min_size=1, max_size=30), st.integers(1, 5))
def test_one_delay_holds_over_what_is_short(values, shortest):
    states = one_delay(np.array(values), shortest)
    for negative, group in itertools.groupby(range(len(values)), lambda i: values[i] < 0):
        frames = list(group)
        gap = negative and len(frames) >= shortest
        assert states[frames].tolist() == [NONE if gap else 0] * len(frames)


def worth(table, states):
    """Sum of the scores, less the changes."""
    gained = sum(0.0 if state == NONE else table[state][frame] for frame, state in enumerate(states))
    return gained - CHANGE * sum(a != b for a, b in itertools.pairwise(states))


@given(st.data(), st.integers(1, 3), st.integers(1, 5))
def test_no_other_path_is_worth_more(data, delays, frames):
    table = [np.array(data.draw(st.lists(scores, min_size=frames, max_size=frames))) for _ in range(delays)]
    found = likeliest(table)
    best = max(worth(table, states) for states in itertools.product(range(NONE, delays), repeat=frames))
    assert worth(table, found.tolist()) == pytest.approx(best)


@pytest.mark.parametrize(("gain", "taken"), [(-0.2, False), (0.2, True)])
def test_a_stretch_has_to_pay_for_the_way_there_and_back(gain, taken):
    score = np.full(20, -2.0)
    score[8:12] = (2 * CHANGE + gain) / 4
    states = likeliest([score])
    assert (states[8:12] == 0).all() == taken
    assert (np.delete(states, np.s_[8:12]) == NONE).all()


@pytest.mark.parametrize(("gain", "taken"), [(-0.2, False), (0.2, True)])
def test_an_end_has_to_pay_for_one_way(gain, taken):
    score = np.full(20, -2.0)
    score[16:] = (CHANGE + gain) / 4
    assert (likeliest([score])[16:] == 0).all() == taken


def test_many_delays_are_no_trouble():
    table = np.full((300, 300), -2.0)
    np.fill_diagonal(table, 7.0)
    states = likeliest(list(np.repeat(table, 3, axis=1)))
    assert states.tolist() == np.repeat(np.arange(300), 3).tolist()


@given(st.lists(st.integers(-1, 2), min_size=1, max_size=30), st.integers(1, 7), st.integers(0, 6))
def test_runs_say_what_the_states_say(states, hop, missing):
    length = len(states) * hop - min(missing, hop - 1)
    delays = [-5, 0, 1000]
    runs = runs_of(np.array(states), delays, hop, length)
    expected = [None if states[t // hop] == NONE else delays[states[t // hop]] for t in range(length)]
    heard = [None] * length
    for run in runs:
        heard[run.start : run.end] = [run.delay] * (run.end - run.start)
    assert heard == expected
    assert all(a.end < b.start or a.delay != b.delay for a, b in itertools.pairwise(runs))
